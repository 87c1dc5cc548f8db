-- Uses of each tag per local day.
select
    tag_daily.local_date,
    tag_daily.tag,
    sum(tag_daily.applications) as applications
from marts.mart_tag_daily as tag_daily
inner join (@chosen_dates) as chosen_dates
    on tag_daily.workspace = chosen_dates.workspace and tag_daily.local_date = chosen_dates.local_date
inner join (@chosen_channels) as chosen_channels
    on tag_daily.workspace = chosen_channels.workspace and tag_daily.channel = chosen_channels.channel
where
    tag_daily.applications > 0
    [[and tag_daily.tag in (select tag from facts.fct_tags where {{tag}})]]
group by tag_daily.local_date, tag_daily.tag
order by tag_daily.local_date, tag_daily.tag
