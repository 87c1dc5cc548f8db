-- Conversations of sources that have their own, each with its person.
with inbox as (
    select * from {{ ref('int_inbox__conversations') }}
),

chatwoot as (
    select * from {{ ref('int_chatwoot__conversations') }}
),

messages as (
    select * from {{ ref('int_messages') }}
),

user_ids as (
    select * from {{ ref('int_user_ids') }}
),

phone_periods as (
    select * from {{ ref('int_phone_periods') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

described as (
    select * from inbox
    union all
    select * from chatwoot
),

-- what the messages themselves tell: some conversations are told of by nothing else
by_messages as (
    select
        workspace,
        source,
        account,
        ticket_id,
        min(sent_at) as first_message_at,
        min(case when author_type = 'customer' then sent_at end) as first_customer_message_at,
        min_by(channel_id, sent_at) filter (where channel_id is not null) as channel_id,
        -- Meta names the person behind a message that it tells of too
        min_by(customer_user_id, sent_at) filter (where customer_user_id is not null) as customer_user_id,
        min_by(customer_phone, sent_at) filter (where customer_phone is not null) as customer_phone
    from messages
    where ticket_id is not null
    group by workspace, source, account, ticket_id
),

customer_authors as (
    select
        workspace,
        source,
        account,
        ticket_id,
        author_source_id,
        row_number() over (
            partition by workspace, source, account, ticket_id
            order by sent_at, sequence nulls last, received_at nulls last, position, source_message_id
        ) as place
    from messages
    where ticket_id is not null and author_type = 'customer' and author_source_id is not null
),

together as (
    select
        coalesce(described.workspace, by_messages.workspace) as workspace,
        coalesce(described.source, by_messages.source) as source,
        coalesce(described.account, by_messages.account) as account,
        coalesce(described.ticket_id, by_messages.ticket_id) as ticket_id,
        coalesce(described.channel_id, by_messages.channel_id) as channel_id,
        described.contact_id,
        coalesce(described.customer_phone, by_messages.customer_phone) as customer_phone,
        coalesce(described.customer_user_id, by_messages.customer_user_id) as customer_user_id,
        described.created_at,
        described.snapshot_status,
        described.snapshot_at,
        described.conversation_url,
        by_messages.first_message_at,
        coalesce(by_messages.first_customer_message_at, by_messages.first_message_at, described.created_at) as met_at
    from described
    full outer join by_messages
        on
            described.workspace = by_messages.workspace
            and described.source = by_messages.source
            and described.account = by_messages.account
            and described.ticket_id = by_messages.ticket_id
),

with_persons as (
    select
        {{ keyed_hash([
            "'conversation'", "together.workspace", "together.source", "together.account", "together.ticket_id",
        ]) }} as conversation_id,
        together.workspace,
        together.source,
        together.account,
        together.ticket_id,
        -- account and inbox id name a Chatwoot inbox; an export names its channels itself
        case
            when together.source = 'chatwoot' then 'chatwoot:' || together.account || ':' || coalesce(together.channel_id, '')
            else together.channel_id
        end as channel,
        together.created_at,
        -- an inbox's row that was changed later than now shows a later state
        case
            when together.source = 'chatwoot' and together.snapshot_at >= workspaces.as_of then 'open'
            else together.snapshot_status
        end as snapshot_status,
        together.snapshot_at,
        together.conversation_url,
        together.first_message_at,
        coalesce(
            user_ids.person_key,
            phone_periods.person_key,
            together.source || '|' || together.account || '|contact|' || together.contact_id,
            together.source || '|' || together.account || '|contact|' || customer_authors.author_source_id,
            -- nobody knows who: then each conversation is its own customer
            together.source || '|' || together.account || '|conversation|' || together.ticket_id
        ) as person_key
    from together
    inner join workspaces
        on together.workspace = workspaces.workspace
    left join customer_authors
        on
            together.workspace = customer_authors.workspace
            and together.source = customer_authors.source
            and together.account = customer_authors.account
            and together.ticket_id = customer_authors.ticket_id
            and customer_authors.place = 1
    left join user_ids
        on together.workspace = user_ids.workspace and together.customer_user_id = user_ids.user_id
    left join phone_periods
        on
            together.workspace = phone_periods.workspace
            and together.customer_phone = phone_periods.phone
            and together.met_at >= phone_periods.from_at
            and together.met_at < phone_periods.to_at
)

select
    *,
    {{ keyed_hash(["'customer'", "workspace", "person_key"]) }} as customer_id
from with_persons
