-- The talks from number first_talk up to end_talk, and every message that is said in them.
create or replace temp table talks as
with chosen as (
    select
        talk,
        case
            when draw(talk, 'new') < 0.35 then known_by(talk)
            -- of those who come back a few come more often: of 3,500 people the busiest starts one talk in 350
            else cast(floor(known_by(talk) * pow(draw(talk, 'who'), 1.5)) as bigint)
        end as person
    from range(getvariable('first_talk'), getvariable('end_talk')) as numbers (talk)
)

select
    talk,
    person,
    case
        -- the last hour, in which as much is received as others receive in half a day
        when talk >= getvariable('rush_talk') then getvariable('ends_at') + between_draw(talk, 'second', 0, 3000)
        else
            getvariable('begins_at') + talk // getvariable('talks_a_day') * 86400
            + getvariable('hours')[between_draw(talk, 'hour', 1, len(getvariable('hours')))] * 3600
            + between_draw(talk, 'second', 0, 3599)
    end as starts_at,
    -- three numbers, one of which has most of the talks
    cast(100000000001 + case when draw(talk, 'number') < 0.6 then 0 when draw(talk, 'number') < 0.9 then 1 else 2 end as varchar)
        as number,
    ['sara', 'omar', 'huda', 'yusuf', 'lina'][between_draw(talk, 'agent', 1, 5)] as agent,
    draw(talk, 'campaign') < 0.08 as begins_with_campaign,
    draw(talk, 'campaign') < 0.056 as ends_with_campaign,
    1 + least(12, cast(floor(-ln(1 - draw(talk, 'rounds')) * 2) as bigint)) as rounds,
    -- the first round that nobody answers is the last
    1 + cast(floor(ln(1 - draw(talk, 'silence')) / ln(0.9)) as bigint) as unanswered_round,
    draw(talk, 'shipped') < 0.02 as is_told_of_shipping
from chosen;

create or replace temp table messages as
with rounds as (
    select talk, unnest(range(1, 1 + least(rounds, unanswered_round))) as round, unanswered_round
    from talks
    where not ends_with_campaign
),

sides as (
    select
        talk,
        round,
        ['customer' for x in range(1 + least(4, cast(floor(-ln(1 - draw(talk * 20 + round, 'customer')) / 1.2) as bigint)))]
        || case when draw(talk * 20 + round, 'automation') < 0.3 then ['automation'] else [] end
        || case
            when round = unanswered_round then []
            when draw(talk * 20 + round, 'agent') < 0.3 then ['agent', 'agent']
            else ['agent']
        end as authors
    from rounds
),

steps as (
    select talk, round, unnest(authors) as author, generate_subscripts(authors, 1) as step
    from sides

    union all

    select talk, 0 as round, 'automation' as author, 1 as step
    from talks
    where begins_with_campaign

    union all

    -- days after the talk, and to nobody's question
    select talk, 19 as round, 'agent' as author, 1 as step
    from talks
    where is_told_of_shipping and not ends_with_campaign
),

-- a message's number holds its talk's, so that it can be made again on its own
numbered as (
    select talk * 400 + round * 20 + step as message, talk, round, author, step
    from steps
),

with_gaps as (
    select
        *,
        case
            when round = 19 then between_draw(message, 'gap', 90000, 180000)
            when lag(author) over this_talk is null then 0
            when author = 'customer' and lag(round) over this_talk = 0 then between_draw(message, 'gap', 60, 36000)
            when author = 'customer' and step = 1 then between_draw(message, 'gap', 20, 1800)
            when author = 'agent' and lag(author) over this_talk = 'agent' then between_draw(message, 'gap', 5, 120)
            when author = 'agent' and draw(message, 'next day') < 0.004 then between_draw(message, 'gap', 90000, 144000)
            when author = 'agent'
                then
                    1 + cast(
                        floor(exp(5.5 + 1.4 * sqrt(-2 * ln(1 - draw(message, 'wait'))) * cos(2 * pi() * draw(message, 'angle'))))
                        as bigint
                    )
            else between_draw(message, 'gap', 3, 90)
        end as gap
    from numbered
    window this_talk as (partition by talk order by message)
),

placed as (
    select *, sum(gap) over (partition by talk order by message) as gaps
    from with_gaps
)

select
    placed.message,
    placed.author,
    talks.person,
    talks.number,
    talks.starts_at + cast(placed.gaps as bigint) as sent_at,
    placed.author <> 'customer' and draw(placed.message, 'failed') < 0.02 as is_failed,
    placed.author = 'agent' and draw(placed.message, 'failed') >= 0.02 and draw(placed.message, 'echo') < 0.3 as is_echo,
    case
        when placed.author = 'agent' then 'agent:' || talks.agent
        when placed.round = 0 then 'campaign:' || ['eid', 'summer', 'back_to_school'][between_draw(placed.message, 'campaign', 1, 3)]
        when placed.author = 'automation' then ['bot:greeter', 'flow:order_status'][between_draw(placed.message, 'flow', 1, 2)]
    end as tag
from placed
inner join talks
    on placed.talk = talks.talk;
