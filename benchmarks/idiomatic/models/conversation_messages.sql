with gaps as (
    select
        *,
        lag(sent_at) over thread as previous_at
    from {{ ref('messages') }}
    where not is_failed
    window thread as (partition by channel, customer order by sent_at, wamid)
)

select
    *,
    sum(case when previous_at is null or sent_at - previous_at > interval 24 hour then 1 else 0 end) over (
        partition by channel, customer order by sent_at, wamid
    ) as conversation_number
from gaps
