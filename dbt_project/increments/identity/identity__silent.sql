-- Messages after which a thread has been silent for long enough since the last build: that ends a conversation.
with messages as (
    select * from {{ ref('int_whatsapp__messages') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
)

select
    messages.workspace,
    messages.phone_number_id,
    messages.customer_user_id,
    messages.customer_phone,
    messages.sent_at
from messages
inner join workspaces
    on messages.workspace = workspaces.workspace
where
    messages.sent_at >= {{ silent_from() }}
    and messages.sent_at >= {{ last_as_of() }} - workspaces.session_gap_seconds * interval '1 second'
    and messages.sent_at < workspaces.as_of - workspaces.session_gap_seconds * interval '1 second'
