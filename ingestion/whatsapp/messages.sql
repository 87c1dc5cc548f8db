-- Everything that stands where messages stand, notices and edits among them; dbt says which are messages.
select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    waba_id,
    phone_number_id,
    display_phone_number,
    field,
    item_kind as origin,
    (item ->> '$.id') as wamid,
    happened_at as sent_at,
    (item ->> '$.type') as message_type,
    -- a business's own words in history and echoes: `from` is then the business
    (item_kind = 'echo' or (item_kind = 'history' and (item ->> '$.from') is distinct from thread_phone)) as is_from_business,
    case
        when item_kind = 'echo' then (item ->> '$.to')
        when item_kind = 'history' then thread_phone
        else (item ->> '$.from')
    end as customer_phone,
    case when item_kind = 'echo' then (item ->> '$.to_user_id') else (item ->> '$.from_user_id') end as customer_user_id,
    (item ->> '$.group_id') as group_id,
    length(coalesce(
        (item ->> '$.text.body'), (item ->> '$.image.caption'), (item ->> '$.video.caption'), (item ->> '$.document.caption'),
        (item ->> '$.button.text'), (item ->> '$.interactive.button_reply.title'), (item ->> '$.interactive.list_reply.title')
    )) as text_length,
    (item ->> '$.context.id') as reply_to_wamid,
    coalesce((item ->> '$.edit.original_message_id'), (item ->> '$.revoke.original_message_id'), (item ->> '$.reaction.message_id'))
        as target_wamid,
    (item ->> '$.history_context.status') as history_status,
    (item ->> '$.referral.source_id') as referral_source_id,
    (item ->> '$.referral.source_type') as referral_source_type,
    try_cast((item ->> '$.errors[0].code') as integer) as error_code
from readable_items
where item_kind in ('message', 'echo', 'history')
