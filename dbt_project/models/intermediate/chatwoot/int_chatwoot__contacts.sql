-- One row per contact: the newest phone and the newest business-scoped id that were told of it.
with contacts as (select * from {{ ref('stg_chatwoot__contacts') }}),

contact_inboxes as (select * from {{ ref('stg_chatwoot__contact_inboxes') }}),

told as (
    select
        workspace, account, contact_id, observed_at, phone, null as user_id,
        received_at, landing_file, landing_line, position
    from contacts
    union all
    select
        workspace, account, contact_id, observed_at, null as phone, user_id,
        received_at, landing_file, landing_line, position
    from contact_inboxes
),

ordered as (
    select
        *,
        row_number() over (
            partition by workspace, account, contact_id
            order by
                observed_at desc nulls last, received_at desc nulls last,
                landing_file desc, landing_line desc, position desc,
                phone desc nulls last, user_id desc nulls last
        ) as age
    from told
)

select
    workspace,
    account,
    contact_id,
    min_by(phone, age) filter (where phone is not null) as phone,
    min_by(user_id, age) filter (where user_id is not null) as user_id
from ordered
group by workspace, account, contact_id
