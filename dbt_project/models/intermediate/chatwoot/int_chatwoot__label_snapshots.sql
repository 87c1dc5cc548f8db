-- Where the labels seen on a conversation differ from those seen before: what came and what went, and between when.
-- What the first sighting shows came at an unknown time before it.
with sightings as (select * from {{ ref('stg_chatwoot__conversation_labels') }}),

snapshots as (
    select
        workspace,
        account,
        ticket_id,
        landing_file,
        landing_line,
        position,
        observed_at,
        min(received_at) as received_at,
        min(label_set) as label_set
    from sightings
    where observed_at is not null
    group by workspace, account, ticket_id, landing_file, landing_line, position, observed_at
),

-- of what one moment shows and one delivery brings, the last word counts
last_words as (
    select
        *,
        row_number() over (
            partition by workspace, account, ticket_id, observed_at, received_at
            order by landing_file desc, landing_line desc, position desc
        ) as word_age
    from snapshots
),

ordered as (
    select
        *,
        row_number() over (
            partition by workspace, account, ticket_id order by observed_at, received_at nulls last
        ) as sighting_number
    from last_words
    where word_age = 1
),

compared as (
    select
        *,
        lag(label_set) over (partition by workspace, account, ticket_id order by sighting_number) as previous_label_set,
        lag(observed_at) over (partition by workspace, account, ticket_id order by sighting_number) as previous_seen_at
    from ordered
),

differing as (
    select
        workspace,
        account,
        ticket_id,
        landing_file,
        landing_line,
        position,
        -- a label that is deleted goes without a new updated_at: then only the receipt dates the change
        case
            when observed_at = previous_seen_at then coalesce(greatest(observed_at, received_at), observed_at)
            else observed_at
        end as observed_at,
        previous_seen_at,
        row_number() over (partition by workspace, account, ticket_id order by sighting_number) as snapshot_number
    from compared
    where previous_label_set is null or previous_label_set <> label_set
),

carried as (
    select
        differing.workspace,
        differing.account,
        differing.ticket_id,
        differing.snapshot_number,
        sightings.tag
    from differing
    inner join sightings
        on
            differing.workspace = sightings.workspace
            and differing.account = sightings.account
            and differing.ticket_id = sightings.ticket_id
            and differing.landing_file = sightings.landing_file
            and differing.landing_line = sightings.landing_line
            and differing.position = sightings.position
    where sightings.tag is not null
),

neighbours as (
    select
        *,
        lag(snapshot_number) over (partition by workspace, account, ticket_id, tag order by snapshot_number)
            as previous_number,
        lead(snapshot_number) over (partition by workspace, account, ticket_id, tag order by snapshot_number)
            as next_number
    from carried
),

differences as (
    select workspace, account, ticket_id, tag, 'applied' as action, snapshot_number
    from neighbours
    where previous_number is null or previous_number < snapshot_number - 1
    union all
    select workspace, account, ticket_id, tag, 'removed' as action, snapshot_number + 1 as snapshot_number
    from neighbours
    where next_number is null or next_number > snapshot_number + 1
)

select
    differences.workspace,
    differences.account,
    differences.ticket_id,
    differences.tag,
    differences.action,
    differences.snapshot_number,
    differing.observed_at,
    differing.previous_seen_at,
    differing.snapshot_number = 1 as is_first
from differences
-- what the last snapshot carries has not gone
inner join differing
    on
        differences.workspace = differing.workspace
        and differences.account = differing.account
        and differences.ticket_id = differing.ticket_id
        and differences.snapshot_number = differing.snapshot_number
