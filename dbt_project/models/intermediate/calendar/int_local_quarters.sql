{{ config(meta={'stage': 'people', 'touched': {'people.quarters': ['workspace', 'quarter_hour']}}) }}

-- The local date and hour of every quarter of an hour in which somebody wrote: asked once, and not of each message.
with messages as (
    select * from {{ ref('int_conversation_messages') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

quarters as (
    select workspace, {{ quarter_hour('sent_at') }} as quarter_hour
    from messages
    group by workspace, {{ quarter_hour('sent_at') }}
),

in_local_time as (
    select
        quarters.workspace,
        quarters.quarter_hour,
        {{ local_timestamp(instant_of_quarter_hour('quarters.quarter_hour'), 'workspaces.timezone') }} as begins_local
    from quarters
    inner join workspaces
        on quarters.workspace = workspaces.workspace
)

select
    workspace,
    quarter_hour,
    cast(begins_local as date) as local_date,
    cast(extract(hour from begins_local) as integer) as local_hour
from in_local_time
