{{ config(meta={'stage': 'people', 'touched': {'people.conversations': ['conversation_id']}}) }}

-- Customers' turns: a run of customer messages with no agent message in between, and how it ended.
with events as (
    select * from {{ ref('int_conversation_events') }}
),

numbered as (
    select
        *,
        sum(case when event = 'customer' and not is_waiting_before then 1 else 0 end) over (
            partition by conversation_id order by place rows between unbounded preceding and current row
        ) as turn_number
    from events
),

turns as (
    select
        conversation_id,
        cast(turn_number as integer) as turn_number,
        min(case when event = 'customer' then happened_at end) as started_at,
        -- a ticket that is closed stays closed when its customer writes, until the inbox opens it
        min(case when event = 'customer' and not is_open_before then happened_at end) as wrote_after_close_at,
        min(case when event in ('human', 'automation') then happened_at end) as first_reply_at,
        min(case when event = 'human' and is_waiting_before then happened_at end) as answered_at,
        min(case when event = 'human' and is_waiting_before then author_source_id end) as agent_source_id,
        min(case when event = 'human' and is_waiting_before then message_order end) as reply_message_order,
        max(case when event = 'human' and is_waiting_before and is_by_unknown then 1 else 0 end) = 1 as is_answered_by_unknown,
        -- nobody can answer in a conversation that its inbox no longer has
        min(case when event in ('closed_by_person', 'gone') and is_waiting_before then happened_at end) as closed_at,
        max(case when event = 'automation' and is_waiting_before then 1 else 0 end) = 1 as has_automatic_reply
    from numbered
    where turn_number > 0
    group by conversation_id, turn_number
)

select
    *,
    coalesce(answered_at, closed_at) as ended_at,
    case
        when answered_at is not null then 'answered'
        when closed_at is not null then 'closed_unanswered'
        when has_automatic_reply then 'automation_only'
        else 'waiting'
    end as outcome
from turns
