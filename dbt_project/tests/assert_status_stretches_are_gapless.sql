-- Open and closed alternate, each stretch begins where the one before ended, and exactly one lasts.
with stretches as (
    select
        *,
        lead(from_at) over (partition by conversation_id order by stretch_number) as next_from_at,
        lead(status) over (partition by conversation_id order by stretch_number) as next_status
    from {{ ref('fct_conversation_status') }}
)

select *
from stretches
where to_at is distinct from next_from_at or status = next_status or to_at < from_at
