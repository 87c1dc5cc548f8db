-- One row per sighting of an inbox: in the list of inboxes, or as where a message or a contact is.
with told as (
    select
        workspace, landing_file, landing_line, received_at, item_number * 1000 as position, item_account as account,
        true as is_index, item as inbox
    from items
    where item_kind = 'inbox'

    union all by name

    select
        workspace, landing_file, landing_line, received_at, position, account, false as is_index,
        (item -> '$.inbox') as inbox
    from readable_messages
    where json_type(item, '$.inbox') = 'OBJECT'
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    account,
    (inbox ->> '$.id') as inbox_id,
    is_index,
    received_at as observed_at,
    (inbox ->> '$.name') as inbox_name,
    (inbox ->> '$.channel_type') as channel_type,
    phone_digits(coalesce((inbox ->> '$.phone_number'), (inbox ->> '$.provider_config.phone_number'))) as phone,
    coalesce((inbox ->> '$.provider_config.phone_number_id'), (inbox ->> '$.channel.provider_config.phone_number_id'))
        as phone_number_id,
    try_cast((inbox ->> '$.lock_to_single_conversation') as boolean) as is_locked_to_single_conversation
from told
where try_cast((inbox ->> '$.id') as bigint) is not null
