-- From when on these threads are cut anew: from the last conversation that began before anything that may differ. Where
-- it begins nothing before it matters, for what begins a conversation also settles whether somebody waits.
with threads as (
    select * from {{ touched('people', 'threads') }}
),

conversations as (
    select * from {{ ref('int_conversations') }}
),

earlier as (
    select threads.customer_id, threads.channel, max(conversations.started_at) as began_at
    from threads
    inner join conversations
        on
            threads.customer_id = conversations.customer_id
            and threads.channel = conversations.channel
            and threads.differs_at > conversations.started_at
    group by threads.customer_id, threads.channel
)

select
    threads.customer_id,
    threads.channel,
    coalesce(earlier.began_at, {{ instant('1900-01-01 00:00:00+00') }}) as begins_at
from threads
left join earlier
    on threads.customer_id = earlier.customer_id and threads.channel = earlier.channel
