-- Days that were over when readers first saw them and have other figures since, the newest change first.
select
    restatements.noticed_at,
    restatements.local_date,
    chosen_channels.channel_name,
    restatements.figure,
    restatements.before_value,
    restatements.after_value,
    restatements.after_value - restatements.before_value as difference
from marts.restatements as restatements
inner join facts.dim_channels as chosen_channels
    on restatements.workspace = chosen_channels.workspace and restatements.channel = chosen_channels.channel
where
    1 = 1
    [[and restatements.workspace in (select workspace from facts.dim_dates where {{workspace}})]]
order by
    restatements.noticed_at desc, restatements.local_date desc, chosen_channels.channel_name, restatements.figure
