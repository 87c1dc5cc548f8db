-- Ids and phones that something new concerns: they were seen, their message changed, or a thread of theirs has been silent
-- long enough since the last build.
with sightings as (
    select * from {{ touched('told', 'sightings') }}
),

people_before as (
    select * from {{ touched('evidence', 'people_before') }}
),

people_now as (
    select * from {{ touched('evidence', 'int_whatsapp__messages') }}
),

messages as (
    select * from {{ ref('int_whatsapp__messages') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
)

select workspace, user_id, phone
from sightings

union

select workspace, user_id, phone
from people_before

union

select workspace, customer_user_id as user_id, customer_phone as phone
from people_now
where customer_user_id is not null or customer_phone is not null

union

select messages.workspace, messages.customer_user_id as user_id, messages.customer_phone as phone
from messages
inner join workspaces
    on messages.workspace = workspaces.workspace
where
    messages.sent_at >= {{ silent_from() }}
    and messages.sent_at >= {{ last_as_of() }} - workspaces.session_gap_seconds * interval '1 second'
    and messages.sent_at < workspaces.as_of - workspaces.session_gap_seconds * interval '1 second'
    and (messages.customer_user_id is not null or messages.customer_phone is not null)
