-- Who was seen when: a phone and a business-scoped id of one contact, told together, belong to one person.
with contacts as (select * from {{ ref('stg_chatwoot__contacts') }}),

contact_inboxes as (select * from {{ ref('stg_chatwoot__contact_inboxes') }}),

newest_contacts as (select * from {{ ref('int_chatwoot__contacts') }}),

sightings as (
    select
        workspace,
        cast(null as string) as user_id,
        phone,
        observed_at as seen_at
    from contacts

    union all

    select
        seen.workspace,
        seen.user_id,
        -- the phone shown beside the id; where none is shown, the one the contact has otherwise
        case when seen.user_id is null then seen.phone else coalesce(seen.phone, newest.phone) end as phone,
        seen.observed_at as seen_at
    from contact_inboxes as seen
    left join newest_contacts as newest
        on
            seen.workspace = newest.workspace
            and seen.account = newest.account
            and seen.contact_id = newest.contact_id
)

select
    workspace,
    user_id,
    phone,
    seen_at
from sightings
where (user_id is not null or phone is not null) and seen_at is not null
group by workspace, user_id, phone, seen_at
