-- Who used each tag, and how often.
select
    tag,
    actor_type,
    actor_name,
    count(*) as applications
from (@tag_events) as tag_events
where action = 'applied'
group by tag, actor_type, actor_name
order by count(*) desc, tag, actor_type, actor_name
