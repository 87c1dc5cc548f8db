-- Inboxes as a file shows them. A list is kept as it came; around messages, one row for each thing told of one, with
-- the last time of it.
with shown as (
    select
        workspace, landing_file, landing_line, received_at, item_account as account,
        true as is_index,
        item as inbox
    from items
    where item_kind = 'inbox'

    union all by name

    select
        workspace, landing_file, landing_line, received_at, account,
        false as is_index,
        told.inbox as inbox
    from readable_messages
    where told.inbox is not null
),

opened as (
    select
        * exclude (inbox),
        from_json(
            inbox,
            '{"id":"VARCHAR","name":"VARCHAR","channel_type":"VARCHAR","phone_number":"VARCHAR",'
            || '"provider_config":{"phone_number":"VARCHAR","phone_number_id":"VARCHAR"},'
            || '"lock_to_single_conversation":"VARCHAR"}'
        ) as told
    from shown
)

select
    workspace,
    landing_file,
    min(landing_line) as landing_line,
    0::bigint as position,
    max(received_at) as received_at,
    account,
    told.id as inbox_id,
    is_index,
    max(received_at) as observed_at,
    told.name as inbox_name,
    told.channel_type as channel_type,
    phone_digits(coalesce(told.phone_number, told.provider_config.phone_number)) as phone,
    told.provider_config.phone_number_id as phone_number_id,
    try_cast(told.lock_to_single_conversation as boolean) as is_locked_to_single_conversation
from opened
where try_cast(told.id as bigint) is not null
group by workspace, landing_file, account, is_index, told, case when is_index then landing_line end
