-- A message from all that was told of it; threads cut into conversations and turns by three windows, without recursion.
create temp table messages as
with known as (
    select
        channel,
        wamid,
        min(kind) as kind,
        coalesce(min(at_s) filter (kind < 2), min(at_s) filter (progress = 1), min(at_s)) as at_s,
        coalesce(min(received_us) filter (kind < 2), min(received_us)) as received_us,
        coalesce(arg_min(position, received_us) filter (kind < 2), arg_min(position, received_us)) as position,
        max(phone) as phone,
        max(user_id) as user_id,
        arg_min(tag, at_s) filter (tag is not null) as tag,
        max(progress) as progress,
        min(progress) = -1 and max(progress) < 2 as is_failed
    from told
    where is_message and at_s < epoch(getvariable('as_of'))
    group by channel, wamid
)

select
    known.channel,
    known.wamid,
    known.at_s,
    known.received_us,
    known.position,
    known.progress,
    known.is_failed,
    case
        when known.kind = 0 then 'customer'
        when known.kind = 1 or known.tag like 'agent:_%' then 'agent'
        when regexp_matches(known.tag, '^(bot|flow|campaign|template|api):.+') then 'automation'
        else 'unknown'
    end as author,
    case when known.kind = 2 then known.tag end as tag,
    hash(coalesce(roots.person, known.user_id, phone_roots.person, phone_periods.holder)) as person,
    known.at_s + 10800 as local_s,
    (known.at_s + 10800) // 86400 as local_day
from known
left join roots
    on known.user_id = roots.user_id
left join phone_periods
    on
        case when known.user_id is null then known.phone end = phone_periods.phone
        and known.at_s >= phone_periods.from_at
        and known.at_s < phone_periods.until_at
left join roots as phone_roots
    on phone_periods.holder = phone_roots.user_id;

create temp table placed as
with gaps as (
    select
        channel,
        person,
        wamid,
        at_s,
        author,
        tag,
        local_s,
        local_day,
        author in ('agent', 'unknown') as is_human,
        row_number() over thread as place,
        coalesce(at_s - lag(at_s) over thread > 86400, true) as comes_after_a_gap
    from messages
    where not is_failed and person is not null
    window thread as (partition by channel, person order by at_s, received_us, position, wamid)
),

waits as (
    select
        *,
        coalesce(
            max(case when author = 'customer' then place * 2 + 1 when is_human or comes_after_a_gap then place * 2 end) over (
                partition by channel, person order by place rows between unbounded preceding and 1 preceding
            ) % 2 = 1,
            false
        ) as somebody_waits
    from gaps
),

cuts as (
    select *, comes_after_a_gap and not (is_human and somebody_waits and place > 1) as cuts
    from waits
)

select
    *,
    author = 'customer' and (cuts or not somebody_waits) as begins_turn,
    is_human and somebody_waits and not cuts as answers,
    hash(
        channel,
        person,
        max(case when cuts then place end) over (
            partition by channel, person order by place rows between unbounded preceding and current row
        )
    ) as conversation
from cuts;

create temp table conversations as
select
    conversation,
    any_value(channel) as channel,
    min(at_s) filter (author = 'customer') as first_customer_at,
    min(local_s) filter (author = 'customer') as first_customer_local_s,
    arg_min(author, place) <> 'customer' as is_business_started
from placed
group by conversation;

-- a turn's beginning is followed by its answer, by the next turn of another conversation, or by nothing
create temp table turns as
select *, answered_at - at_s as response_seconds
from (
    select
        conversation,
        channel,
        at_s,
        local_s,
        begins_turn,
        case when lead(answers) over thread then lead(at_s) over thread end as answered_at,
        case when lead(answers) over thread then lead(tag) over thread end as answer_tag,
        case when lead(answers) over thread then lead(author) over thread end as answer_author
    from placed
    where begins_turn or answers
    window thread as (partition by channel, person order by place)
)
where begins_turn;

-- silence ends an episode a day after its last message
create temp table episodes as
select
    *,
    case when last_at + 86400 < epoch(getvariable('as_of')) then last_at + 86400 end as closed_at,
    last_at - first_at as seconds
from (
    select conversation, channel, min(at_s) as first_at, max(at_s) as last_at
    from (
        select
            conversation, channel, at_s,
            sum(case when comes_after_a_gap then 1 else 0 end) over (
                partition by channel, person order by place rows between unbounded preceding and current row
            ) as episode
        from placed
    )
    group by conversation, channel, episode
);
