-- How a delivery is read: once for each list that it has, by one from_json() straight to the columns that are kept.
-- (To take it apart piece by piece would copy every piece; to ask for path after path would read it again for each.)
-- All is read as text, which takes whatever stands there; where an object or a list should be and is not, there is
-- null.
set variable message_shape =
'{"id":"VARCHAR","timestamp":"VARCHAR","type":"VARCHAR","from":"VARCHAR","from_user_id":"VARCHAR",'
|| '"to":"VARCHAR","to_user_id":"VARCHAR","group_id":"VARCHAR","text":{"body":"VARCHAR"},"image":{"caption":"VARCHAR"},'
|| '"video":{"caption":"VARCHAR"},"document":{"caption":"VARCHAR"},"button":{"text":"VARCHAR"},'
|| '"interactive":{"button_reply":{"title":"VARCHAR"},"list_reply":{"title":"VARCHAR"}},"context":{"id":"VARCHAR"},'
|| '"edit":{"original_message_id":"VARCHAR"},"revoke":{"original_message_id":"VARCHAR"},'
|| '"reaction":{"message_id":"VARCHAR"},'
|| '"history_context":{"status":"VARCHAR"},"referral":{"source_id":"VARCHAR","source_type":"VARCHAR"},'
|| '"errors":[{"code":"VARCHAR"}],"system":{"type":"VARCHAR","user_id":"VARCHAR","wa_id":"VARCHAR"}}';

set variable status_shape = '{"id":"VARCHAR","status":"VARCHAR","timestamp":"VARCHAR","recipient_type":"VARCHAR",'
|| '"recipient_id":"VARCHAR","recipient_user_id":"VARCHAR","biz_opaque_callback_data":"VARCHAR",'
|| '"pricing":{"pricing_model":"VARCHAR","type":"VARCHAR","category":"VARCHAR","billable":"VARCHAR"},'
|| '"conversation":{"origin":{"type":"VARCHAR"}},"errors":[{"code":"VARCHAR"}]}';

set variable contact_shape =
'{"wa_id":"VARCHAR","user_id":"VARCHAR","profile":{"name":"VARCHAR","username":"VARCHAR"}}';

-- a delivery of which so much of each change's value is read
create temp macro delivery_shape(value_shape) as
    '{"entry":[{"id":"VARCHAR","time":"VARCHAR","changes":[{"field":"VARCHAR","value":' || value_shape || '}]}]}';

-- seconds as text; a number in an older shape reads the same; what no calendar holds is no time
create temp macro time_of(shown) as
    to_timestamp(
        case when try_cast(shown as bigint) between -62135596800 and 253402300799 then try_cast(shown as bigint) end
    );

-- the order in which one delivery tells things
create temp macro position_of(entry_number, change_number, item_number) as
    (entry_number * 1000 + change_number) * 100000 + item_number;

create temp macro item_path_of(entry_number, change_number, item_kind, item_number) as
    format('entry[{}].changes[{}].{}[{}]', entry_number - 1, change_number - 1, item_kind, item_number - 1);

-- Whether an object stands there: one that has an id is, the others are looked at again.
create temp macro is_object(id, body, entry_number, change_number, list_name, item_number) as
    case
        when id is not null then true
        else
            json_type(
                body,
                format(
                    '$.entry[{}].changes[{}].value.{}[{}]',
                    entry_number - 1, change_number - 1, list_name, item_number - 1
                )
            ) is not distinct from 'OBJECT'
    end;

-- why an item that must have an id, a time and a number cannot be used; null where it can
create temp macro item_problem(item_kind, is_object, id, happened_at, received_at, phone_number_id, status) as
    case
        when not is_object then item_kind || ' is not an object'
        when id is null then item_kind || ' without an id'
        when happened_at is null then item_kind || ' without a readable timestamp'
        when happened_at < timestamptz '2009-01-01' then item_kind || ' dated before WhatsApp existed'
        -- intervals are slow, and hardly any item comes before its time
        when case when happened_at > received_at then happened_at > received_at + interval 1 day end
            then item_kind || ' dated more than a day after it was received'
        when phone_number_id is null then item_kind || ' without metadata.phone_number_id'
        when item_kind = 'status' and status is null then 'status without a status'
    end;
