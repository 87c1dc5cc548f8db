-- The weekday and hour with most customers' messages, and the one whose writers waited longest; the earlier on a tie.
with hours as (
    select * from (@hourly_volume) as hourly_volume
),

busiest as (
    select
        weekday,
        hour_of_day,
        row_number() over (order by customer_messages_mean desc, weekday, hour_of_day) as place
    from hours
    where customer_messages > 0
),

-- one slow answer at night is no pattern: hours with at least three answers
slowest as (
    select
        weekday,
        hour_of_day,
        row_number() over (order by avg_response_seconds desc, weekday, hour_of_day) as place
    from hours
    where answered_turns >= 3
)

select
    busiest.weekday as busiest_weekday,
    busiest.hour_of_day as busiest_hour,
    slowest.weekday as slowest_weekday,
    slowest.hour_of_day as slowest_hour
from busiest
left join slowest
    on slowest.place = 1
where busiest.place = 1
