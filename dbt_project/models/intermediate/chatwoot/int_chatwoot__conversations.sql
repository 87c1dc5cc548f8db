-- One row per ticket as it was last seen. One that only its messages name is there too, without a status.
with sightings as (select * from {{ ref('stg_chatwoot__conversations') }}),

messages as (select * from {{ ref('stg_chatwoot__messages') }}),

contacts as (select * from {{ ref('int_chatwoot__contacts') }}),

workspaces as (select * from {{ ref('stg_settings__workspaces') }}),

ordered as (
    select
        *,
        row_number() over (
            partition by workspace, account, ticket_id
            order by
                observed_at desc nulls last, received_at desc nulls last,
                landing_file desc, landing_line desc, position desc
        ) as age
    from sightings
),

seen_conversations as (
    select
        workspace,
        account,
        ticket_id,
        min_by(channel_id, age) filter (where channel_id is not null) as channel_id,
        -- a merge of contacts moves the ticket to the one that is left
        min_by(contact_id, age) filter (where contact_id is not null) as contact_id,
        min_by(contact_source_phone, age) filter (where contact_source_phone is not null) as contact_source_phone,
        min_by(contact_user_id, age) filter (where contact_user_id is not null) as contact_user_id,
        min(created_at) as created_at,
        min_by(status, age) filter (where status is not null) as status,
        min_by(observed_at, age) filter (where status is not null and observed_at is not null) as snapshot_at,
        -- nobody is an answer, too: only the newest sighting tells
        max(case when age = 1 then assignee_id end) as assignee_id
    from ordered
    group by workspace, account, ticket_id
),

named_conversations as (
    select
        workspace,
        account,
        ticket_id,
        max_by(channel_id, created_at) filter (where channel_id is not null) as channel_id,
        min_by(sender_id, cast(message_id as bigint)) filter (where message_type = 'incoming' and sender_id is not null)
            as contact_id
    from messages
    group by workspace, account, ticket_id
),

all_conversations as (
    select
        coalesce(seen.workspace, named.workspace) as workspace,
        coalesce(seen.account, named.account) as account,
        coalesce(seen.ticket_id, named.ticket_id) as ticket_id,
        coalesce(seen.channel_id, named.channel_id) as channel_id,
        coalesce(seen.contact_id, named.contact_id) as contact_id,
        seen.contact_source_phone,
        seen.contact_user_id,
        seen.created_at,
        seen.status,
        seen.snapshot_at,
        seen.assignee_id
    from seen_conversations as seen
    full outer join named_conversations as named
        on
            seen.workspace = named.workspace
            and seen.account = named.account
            and seen.ticket_id = named.ticket_id
)

select
    c.workspace,
    'chatwoot' as source,
    c.account,
    c.ticket_id,
    c.channel_id,
    c.contact_id,
    coalesce(contacts.phone, c.contact_source_phone) as customer_phone,
    coalesce(c.contact_user_id, contacts.user_id) as customer_user_id,
    c.created_at,
    case
        when c.status = 'resolved' then 'closed'
        when c.status in ('open', 'pending', 'snoozed') then 'open'
    end as snapshot_status,
    case when c.status in ('resolved', 'open', 'pending', 'snoozed') then c.snapshot_at end as snapshot_at,
    c.assignee_id,
    case
        when workspaces.chatwoot_url like '%/' then left(workspaces.chatwoot_url, length(workspaces.chatwoot_url) - 1)
        else workspaces.chatwoot_url
    end || '/app/accounts/' || c.account || '/conversations/' || c.ticket_id as conversation_url
from all_conversations as c
left join contacts
    on c.workspace = contacts.workspace and c.account = contacts.account and c.contact_id = contacts.contact_id
left join workspaces on c.workspace = workspaces.workspace
