-- What became of campaigns and templates, by the day and hour they were sent.
with messages as (
    select * from {{ ref('fct_messages') }}
),

sends as (
    select *
    from messages
    -- what the inbox lacks is in no figure
    where campaign is not null and not is_group and not is_missing_in_inbox
),

-- each send with the customer's first message within a day after it
replies as (
    select
        sends.message_id,
        min(answers.sent_at) as replied_at
    from sends
    inner join messages as answers
        on
            sends.customer_id = answers.customer_id
            and sends.channel = answers.channel
            and answers.author_type = 'customer'
            and answers.is_counted
            and answers.sent_at > sends.sent_at
            and answers.sent_at <= sends.sent_at + interval '24 hours'
    -- nobody replies to what never came
    where sends.is_counted and sends.customer_id is not null
    group by sends.message_id
)

select
    sends.sent_local_date as local_date,
    sends.sent_local_hour as local_hour,
    sends.campaign,
    sends.workspace,
    sends.channel,
    count(case when sends.is_counted then 1 end) as sent,
    count(case when sends.delivery_status in ('delivered', 'read', 'played') then 1 end) as delivered,
    count(case when sends.delivery_status in ('read', 'played') then 1 end) as read,
    count(case when sends.delivery_status = 'failed' then 1 end) as failed,
    count(replies.message_id) as replied
from sends
left join replies
    on sends.message_id = replies.message_id
group by sends.sent_local_date, sends.sent_local_hour, sends.campaign, sends.workspace, sends.channel
