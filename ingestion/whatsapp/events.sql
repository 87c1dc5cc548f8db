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
    from other_items
    where item_kind <> 'user_id_update'
),

whole as (
    select
        workspace,
        landing_file,
        landing_line,
        position,
        received_at,
        waba_id,
        phone_number_id,
        coalesce(field, 'unknown') as field,
        coalesce((details ->> '$.event'), field, 'unknown') as event,
        to_timestamp(case when entry_time between -62135596800 and 253402300799 then entry_time end) as happened_at,
        details
    from whole_changes
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
from (select * from listed_kinds union all by name select * from whole)
