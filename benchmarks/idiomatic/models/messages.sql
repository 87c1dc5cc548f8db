with sent as (
    select
        wamid,
        channel,
        min(author) as author,
        max(customer) as customer,
        min(happened_at) as sent_at,
        bool_or(status = 'failed') as is_failed
    from {{ ref('stg_statuses') }}
    group by wamid, channel
),

received as (
    select *
    from {{ ref('stg_messages') }}
    qualify row_number() over (partition by wamid order by received_at) = 1
)

select wamid, channel, author, customer, sent_at, false as is_failed from received
union all
select wamid, channel, author, customer, sent_at, is_failed from sent
where wamid not in (select wamid from received)
