-- The chosen range of local dates and the one it is compared with, per workspace, as instants. The comparison is the same
-- number of days right before; for this month up to today the same days of last month; where today is held, up to the
-- clock time it is now. It is left out where the dates before are not all known.
with todays as (
    select workspace, local_date, month_number, day_of_month, day_number
    from facts.dim_dates
    where is_today
),

chosen_range as (
    select
        chosen_dates.workspace,
        min(chosen_dates.day_number) as first_day_number,
        max(chosen_dates.day_number) as last_day_number,
        min(chosen_dates.starts_at) as from_at,
        max(chosen_dates.until_at) as until_at,
        -- a range's end is now where it holds today
        max(case when chosen_dates.is_today then 1 else 0 end) = 1 as holds_today,
        -- this month up to today is compared with the same days of last month
        max(case when chosen_dates.is_today then 1 else 0 end) = 1
        and count(*) = max(todays.day_of_month)
        and min(chosen_dates.month_number) = max(todays.month_number) as is_this_month
    from (@chosen_dates) as chosen_dates
    left join todays
        on chosen_dates.workspace = todays.workspace
    group by chosen_dates.workspace
),

previous_dates as (
    select
        dates.workspace,
        dates.day_number,
        dates.day_of_month,
        dates.starts_at,
        case
            when chosen_range.is_this_month and dates.day_of_month = todays.day_of_month then dates.same_clock_at
            when
                chosen_range.holds_today
                and not chosen_range.is_this_month
                and dates.day_number = chosen_range.first_day_number - 1
                then dates.same_clock_at
            else dates.ends_at
        end as until_at,
        -- days that the comparison needs, to see whether all of them are known
        case
            when chosen_range.is_this_month then dates.day_of_month
            else dates.day_number - (2 * chosen_range.first_day_number - chosen_range.last_day_number - 1) + 1
        end as place
    from facts.dim_dates as dates
    inner join chosen_range
        on dates.workspace = chosen_range.workspace
    left join todays
        on dates.workspace = todays.workspace
    where
        (
            chosen_range.is_this_month
            and dates.month_number = todays.month_number - 1
            and dates.day_of_month <= todays.day_of_month
        )
        or (
            not chosen_range.is_this_month
            and dates.day_number < chosen_range.first_day_number
            and dates.day_number >= 2 * chosen_range.first_day_number - chosen_range.last_day_number - 1
        )
)

select workspace, 'chosen' as range_name, from_at, until_at
from chosen_range

union all

select workspace, 'previous' as range_name, min(starts_at) as from_at, max(until_at) as until_at
from previous_dates
group by workspace
having min(place) = 1
