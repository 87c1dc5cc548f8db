-- Sends of campaigns and templates in the range, by campaign and hour of sending.
select campaign_daily.*
from marts.mart_campaign_daily as campaign_daily
inner join (@chosen_dates) as chosen_dates
    on campaign_daily.workspace = chosen_dates.workspace and campaign_daily.local_date = chosen_dates.local_date
inner join (@chosen_channels) as chosen_channels
    on campaign_daily.workspace = chosen_channels.workspace and campaign_daily.channel = chosen_channels.channel
