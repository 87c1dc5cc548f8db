with talked as (
    select
        *,
        lag(author) over conversation as previous_author
    from {{ ref('conversation_messages') }}
    where author <> 'automation'
    window conversation as (partition by channel, customer, conversation_number order by sent_at, wamid)
),

beginnings as (
    select *
    from talked
    where previous_author is distinct from author
)

select
    channel,
    customer,
    author,
    sent_at as started_at,
    lead(sent_at) over (partition by channel, customer, conversation_number order by sent_at, wamid) as answered_at
from beginnings
qualify author = 'customer'
