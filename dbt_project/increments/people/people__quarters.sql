-- The quarters of an hour in which these messages were sent.
with messages as (
    select * from {{ touched('people', 'int_whatsapp__messages') }}
)

select workspace, {{ quarter_hour('sent_at') }} as quarter_hour
from messages
group by workspace, {{ quarter_hour('sent_at') }}
