{{ config(meta={
    'stage': 'identity',
    'touched': {'identity.phones': ['workspace', 'phone'], 'identity.user_ids': ['workspace', 'user_id']},
}) }}

-- What any source has seen of ids and phones, up to now: of each id, phone or pair when it was seen first, and of a phone
-- that may have changed hands every time.
with whatsapp as (
    select * from {{ ref('int_whatsapp__identities') }}
),

inbox as (
    select * from {{ ref('int_inbox__identities') }}
),

chatwoot as (
    select * from {{ ref('int_chatwoot__identities') }}
),

salla as (
    select * from {{ ref('int_salla__identities') }}
),

changes as (
    select * from {{ ref('int_identity__changes') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

together as (
    select workspace, user_id, phone, seen_at from whatsapp
    union all
    select workspace, user_id, phone, seen_at from inbox
    union all
    select workspace, user_id, phone, seen_at from chatwoot
    union all
    select workspace, user_id, phone, seen_at from salla
),

seen_by_now as (
    select
        together.workspace,
        together.user_id,
        together.phone,
        together.seen_at
    from together
    inner join workspaces
        on together.workspace = workspaces.workspace
    where together.seen_at < workspaces.as_of
),

first_seen as (
    select workspace, user_id, phone, min(seen_at) as seen_at
    from seen_by_now
    group by workspace, user_id, phone
),

-- the number that a change names as left, and those that an id was seen with before it was given anew
changed_phones as (
    select workspace, previous_phone as phone
    from changes
    where previous_phone is not null

    union

    select first_seen.workspace, first_seen.phone
    from first_seen
    inner join changes
        on first_seen.workspace = changes.workspace and first_seen.user_id = changes.previous_user_id
    where first_seen.phone is not null
)

select workspace, user_id, phone, seen_at
from first_seen

union

select
    seen_by_now.workspace,
    seen_by_now.user_id,
    seen_by_now.phone,
    seen_by_now.seen_at
from seen_by_now
inner join changed_phones
    on seen_by_now.workspace = changed_phones.workspace and seen_by_now.phone = changed_phones.phone
