-- What the sources themselves count, beside what we have of the same stretch of time, and whether the two agree.
with chatwoot as (
    select * from {{ ref('int_source_counts__chatwoot') }}
),

whatsapp as (
    select * from {{ ref('int_source_counts__whatsapp') }}
),

salla as (
    select * from {{ ref('int_source_counts__salla') }}
),

counts as (
    select
        'chatwoot' as source,
        workspace,
        account,
        counted,
        cast(null as {{ instant_type() }}) as from_at,
        told_at as to_at,
        told_at,
        own_count,
        our_count,
        false as is_approximate
    from chatwoot

    union all

    select
        'whatsapp' as source,
        workspace,
        business_account as account,
        counted,
        starts_at as from_at,
        ends_at as to_at,
        told_at,
        own_count,
        our_count,
        true as is_approximate
    from whatsapp

    union all

    select
        'salla' as source,
        workspace,
        cast(null as string) as account,
        counted,
        from_at,
        coalesce(to_at, told_at) as to_at,
        told_at,
        own_count,
        our_count,
        false as is_approximate
    from salla
),

compared as (
    select
        *,
        our_count - own_count as difference,
        -- what Meta declares approximate may be off by two percent, or by a handful where there is little
        case when is_approximate then greatest(5, cast(ceil(own_count * 0.02) as bigint)) else 0 end as tolerance
    from counts
)

select
    source,
    workspace,
    account,
    counted,
    from_at,
    to_at,
    told_at,
    own_count,
    our_count,
    cast(difference as bigint) as difference,
    cast(tolerance as bigint) as tolerance,
    abs(difference) <= tolerance as is_in_agreement
from compared
