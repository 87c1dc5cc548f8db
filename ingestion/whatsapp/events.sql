-- What is told of templates, accounts and preferences, and whatever kind we do not know yet: kept and counted.
with listed_kinds as (
    select
        workspace,
        landing_file,
        landing_line,
        position,
        received_at,
        waba_id,
        phone_number_id,
        coalesce(field, 'unknown') as field,
        item_kind as event,
        happened_at,
        item as details
    from items
    where item_kind in ('state_sync', 'user_preference', 'error', 'history_error')
),

whole_changes as (
    select
        c.workspace,
        c.landing_file,
        c.landing_line,
        (c.entry_number * 1000 + c.change_number) * 100000 as position,
        c.received_at,
        c.waba_id,
        c.phone_number_id,
        coalesce(c.field, 'unknown') as field,
        coalesce((c.value ->> '$.event'), c.field, 'unknown') as event,
        to_timestamp(case when c.entry_time between -62135596800 and 253402300799 then c.entry_time end) as happened_at,
        c.value as details
    from changes as c
    where
        c.value is not null
        and not exists (
            select 1
            from items as i
            where
                i.landing_file = c.landing_file
                and i.landing_line = c.landing_line
                and i.position // 100000 = c.entry_number * 1000 + c.change_number
                and i.item_kind <> 'contact'  -- a contact alone tells nothing: the change is kept whole
        )
)

select
    *,
    field in (
        'messages', 'smb_message_echoes', 'history', 'smb_app_state_sync', 'user_id_update', 'user_preferences',
        'business_username_updates', 'message_template_status_update', 'message_template_quality_update',
        'message_template_components_update', 'template_category_update', 'account_update', 'account_alerts',
        'account_review_update', 'automatic_events', 'business_capability_update', 'phone_number_quality_update',
        'phone_number_name_update', 'security', 'partner_solutions', 'payment_configuration_update', 'calls'
    ) as is_known_kind
from (select * from listed_kinds union all by name select * from whole_changes)
