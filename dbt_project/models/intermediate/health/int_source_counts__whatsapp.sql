-- What Meta itself counts of each whole day since we receive its webhooks, beside what we have of the same day. Meta
-- declares its counts approximate.
with points as (
    select * from {{ ref('stg_whatsapp__graph_points') }}
),

numbers as (
    select * from {{ ref('stg_whatsapp__numbers') }}
),

messages as (
    select * from {{ ref('int_whatsapp__messages') }}
),

-- read once more: what a query reads twice under one name is held in memory as a whole
all_messages as (
    select * from {{ ref('int_whatsapp__messages') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

sent as (
    select * from messages
    where author_type <> 'customer' and delivery_status in ('sent', 'delivered', 'read', 'played')
),

covered as (
    select workspace, min(sent_at) as covered_from
    from all_messages
    group by workspace
),

accounts as (
    select
        workspace,
        -- where there is one account only, all numbers are its own, also those Graph no longer shows
        case when count(distinct business_account) = 1 then min(business_account) end as only_account
    from points
    group by workspace
),

accounts_of_numbers as (
    select workspace, phone_number_id, max_by(business_account, received_at) as business_account
    from numbers
    where business_account is not null
    group by workspace, phone_number_id
),

days as (
    select
        points.workspace,
        points.business_account,
        points.metric,
        points.starts_at,
        points.ends_at,
        max(points.received_at) as told_at,
        cast(sum(points.sent) as bigint) as sent,
        cast(sum(points.delivered) as bigint) as delivered,
        cast(sum(points.volume) as bigint) as volume
    from points
    inner join workspaces
        on points.workspace = workspaces.workspace
    inner join covered
        on points.workspace = covered.workspace
    where
        points.metric in ('messages', 'pricing')
        and points.business_account is not null
        and {{ seconds_between('points.starts_at', 'points.ends_at') }} = 86400
        and points.starts_at >= covered.covered_from
        -- a day that was not over when it was told says nothing
        and points.received_at >= points.ends_at
        and points.received_at < workspaces.as_of
    group by points.workspace, points.business_account, points.metric, points.starts_at, points.ends_at
),

counts as (
    select workspace, business_account, starts_at, ends_at, told_at, 'sent_messages' as counted, sent as own_count
    from days
    where metric = 'messages' and sent is not null

    union all

    select workspace, business_account, starts_at, ends_at, told_at, 'delivered_messages' as counted, delivered as own_count
    from days
    where metric = 'messages' and delivered is not null

    union all

    select workspace, business_account, starts_at, ends_at, told_at, 'priced_messages' as counted, volume as own_count
    from days
    where metric = 'pricing' and volume is not null
),

our_messages as (
    select
        sent.workspace,
        coalesce(accounts_of_numbers.business_account, accounts.only_account) as business_account,
        sent.sent_at,
        sent.delivery_status <> 'sent' as is_delivered,
        sent.pricing_type is not null as is_priced
    from sent
    left join accounts_of_numbers
        on
            sent.workspace = accounts_of_numbers.workspace
            and sent.phone_number_id = accounts_of_numbers.phone_number_id
    left join accounts
        on sent.workspace = accounts.workspace
)

select
    counts.workspace,
    counts.business_account,
    counts.counted,
    counts.starts_at,
    counts.ends_at,
    counts.told_at,
    counts.own_count,
    count(
        case
            when counts.counted = 'sent_messages' then our_messages.sent_at
            when counts.counted = 'delivered_messages' and our_messages.is_delivered then our_messages.sent_at
            when counts.counted = 'priced_messages' and our_messages.is_delivered and our_messages.is_priced
                then our_messages.sent_at
        end
    ) as our_count
from counts
left join our_messages
    on
        counts.workspace = our_messages.workspace
        and counts.business_account = our_messages.business_account
        and counts.starts_at <= our_messages.sent_at
        and counts.ends_at > our_messages.sent_at
group by
    counts.workspace,
    counts.business_account,
    counts.counted,
    counts.starts_at,
    counts.ends_at,
    counts.told_at,
    counts.own_count
