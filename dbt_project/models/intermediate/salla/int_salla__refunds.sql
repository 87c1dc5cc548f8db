-- What went back to customers: credit notes of counted orders, on the note's date. A `restored` order without one is
-- refunded in full at its change to `restored`, until a note arrives. Notes, once there, are all that counts.
with invoices as (
    select * from {{ ref('stg_salla__invoices') }}
),

orders as (
    select * from {{ ref('int_salla__orders') }}
    where is_counted
),

stores as (
    select * from {{ ref('stg_salla__stores') }}
),

-- a list gives the note's day, an event its time: the time is worth more
ranked as (
    select
        *,
        row_number() over (
            partition by workspace, invoice_id
            order by observed_at nulls first, object_hash, landing_file, landing_line, position
        ) as freshness
    from invoices
),

notes as (
    select
        workspace,
        invoice_id,
        max_by(order_id, freshness) filter (where order_id is not null) as order_id,
        max_by(is_credit_note, freshness) filter (where is_credit_note is not null) as is_credit_note,
        coalesce(
            max_by(issued_at, freshness) filter (where issued_at is not null and has_clock_time),
            max_by(issued_at, freshness) filter (where issued_at is not null)
        ) as issued_at,
        max_by(abs(total), freshness) filter (where total is not null) as total,
        max_by(currency, freshness) filter (where total is not null and currency is not null) as currency
    from ranked
    group by workspace, invoice_id
),

-- in the store's currency; a note in the order's own takes the order's rate
credit_notes as (
    select
        notes.workspace,
        'credit note|' || notes.invoice_id as refund_key,
        notes.order_id,
        notes.issued_at as refunded_at,
        cast(
            case
                when coalesce(notes.currency, orders.order_currency) = orders.store_currency then notes.total
                when notes.currency = orders.order_currency and orders.order_total > 0
                    then round(cast(notes.total * orders.store_total as double) / orders.order_total, 4)
            end
            as decimal(18, 4)
        ) as amount,
        'credit_note' as evidence
    from notes
    inner join orders
        on
            notes.workspace = orders.workspace
            and notes.order_id = orders.order_id
    inner join stores
        on notes.workspace = stores.workspace
    where
        notes.is_credit_note
        and notes.issued_at < stores.as_of
        and orders.ordered_at < stores.as_of
),

restored_orders as (
    select
        orders.workspace,
        'restored|' || orders.order_id as refund_key,
        orders.order_id,
        orders.restored_at as refunded_at,
        orders.store_total as amount,
        'restored_status' as evidence
    from orders
    inner join stores
        on orders.workspace = stores.workspace
    where
        orders.status_slug = 'restored'
        and orders.restored_at < stores.as_of
        and orders.ordered_at < stores.as_of
        and not exists (
            select 1
            from credit_notes
            where credit_notes.workspace = orders.workspace and credit_notes.order_id = orders.order_id
        )
)

select * from credit_notes
union all
select * from restored_orders
