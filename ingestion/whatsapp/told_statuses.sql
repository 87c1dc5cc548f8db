create temp table told_statuses as
with timed as (
    select *, time_of(item.timestamp) as happened_at
    from items_of('statuses', getvariable('status_shape'))
),

judged as (
    select
        *,
        item_problem(
            'status',
            is_object(item.id, body, entry_number, change_number, 'statuses', item_number),
            item.id,
            happened_at,
            received_at,
            phone_number_id,
            item.status
        ) as problem
    from timed
)

select
    document_number,
    workspace,
    landing_file,
    landing_line,
    position_of(entry_number, change_number, item_number) as position,
    received_at,
    waba_id,
    phone_number_id,
    item.id as wamid,
    item.status as status,
    happened_at,
    case when item.recipient_type is distinct from 'group' then item.recipient_id end as customer_phone,
    item.recipient_user_id as customer_user_id,
    case when item.recipient_type = 'group' then item.recipient_id end as group_id,
    item.biz_opaque_callback_data as sender_tag,
    item.pricing.pricing_model as pricing_model,
    item.pricing.type as pricing_type,
    item.pricing.category as pricing_category,
    try_cast(item.pricing.billable as boolean) as is_billable,
    item.conversation.origin.type as conversation_origin,
    try_cast(item.errors[1].code as integer) as error_code,
    problem,
    case when problem is not null then item_path_of(entry_number, change_number, 'status', item_number) end as item_path
from judged;
