-- Sightings of customers, the phone as E.164 digits.
-- Salla writes numbers in four ways: an integer beside a code, one text with "+", digits with the code, local with a 0.
with source as (
    select * from {{ source('salla', 'customers') }}
),

workspaces as (
    select * from {{ ref('stg_settings__workspaces') }}
),

-- mobiles of the countries Salla's merchants sell to: how long they are after the code, and how they begin
countries (code, country_code, currency, national_length, first_digit) as (
    values
    ('966', 'SA', 'SAR', 9, '5'),
    ('971', 'AE', 'AED', 9, '5'),
    ('965', 'KW', 'KWD', 8, ''),
    ('973', 'BH', 'BHD', 8, ''),
    ('974', 'QA', 'QAR', 8, ''),
    ('968', 'OM', 'OMR', 8, ''),
    ('20', 'EG', 'EGP', 10, '1'),
    ('962', 'JO', 'JOD', 9, '7'),
    ('967', 'YE', 'YER', 9, '7'),
    ('970', 'PS', 'ILS', 9, '5')
),

in_time as (
    select
        s.workspace,
        s.landing_file,
        s.landing_line,
        s.position,
        s.received_at,
        s.object_hash,
        s.event,
        s.seen_in,
        s.seen_in_id,
        s.customer_id,
        s.full_name,
        s.email,
        s.city,
        s.country,
        s.country_code,
        s.is_notifications_enabled,
        s.mobile,
        s.mobile_code,
        w.currency as store_currency,
        {{ instant_of_local('cast(s.created_local as timestamp)', 'coalesce(s.created_zone, w.timezone)') }}
            as created_at,
        {{ instant_of_local('cast(s.updated_local as timestamp)', 'coalesce(s.updated_zone, w.timezone)') }}
            as updated_at,
        {{ instant_of_local('cast(s.told_local as timestamp)', 'coalesce(s.told_zone, w.timezone)') }} as told_at,
        {{ instant_of_local('cast(s.object_local as timestamp)', 'coalesce(s.object_zone, w.timezone)') }} as object_at
    from source as s
    inner join workspaces as w
        on s.workspace = w.workspace
),

-- Arabic and Persian digits; a tool in between may have made the number a decimal
western as (
    select
        *,
        regexp_replace(translate(mobile, '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹', '01234567890123456789'), '[.]0+$', '') as mobile_text,
        {{ without_pattern(
            "translate(coalesce(mobile_code, ''), '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹', '01234567890123456789')", '[^0-9]|^[^0-9]*00'
        ) }} as code_digits
    from in_time
),

cleaned as (
    select
        *,
        {{ without_pattern('mobile_text', '[^0-9]') }} as digits,
        {{ without_pattern('mobile_text', '[^0-9+]') }} like '+%'
        or {{ without_pattern('mobile_text', '[^0-9+]') }} like '00%' as is_full,
        nullif(code_digits, '') as given_code
    from western
),

-- the code: as given, else the customer's country's, else the store's; never guessed across countries
coded as (
    select
        cleaned.*,
        case when is_full then regexp_replace(digits, '^00', '') else digits end as number_digits,
        coalesce(given_code, by_country.code, by_store.code) as code
    from cleaned
    left join countries as by_country
        on cleaned.country_code = by_country.country_code
    left join countries as by_store
        on cleaned.country_code is null and cleaned.store_currency = by_store.currency
),

-- a full number begins with its own country's code, whatever code stands beside it
fully_written as (
    select
        coded.*,
        own.code as own_code,
        own.national_length as own_length,
        own.first_digit as own_first_digit,
        regexp_replace(substr(number_digits, length(own.code) + 1), '^0+', '') as own_national,
        known.national_length,
        known.first_digit
    from coded
    left join countries as own
        on left(coded.number_digits, length(own.code)) = own.code
    left join countries as known
        on coded.code = known.code
),

judged as (
    select
        *,
        case
            when number_digits is null or regexp_replace(number_digits, '^0+', '') = '' then null
            -- the code is part of the number only where what is left has a mobile's length: a number of Kuwait may itself
            -- begin 965
            when
                own_code is not null
                and (is_full or own_code = code or given_code is null)
                and length(own_national) = own_length
                and left(own_national, length(own_first_digit)) = own_first_digit
                then own_code || own_national
            -- a bare national number, though someone put a plus before it
            when
                national_length is not null
                and length(regexp_replace(number_digits, '^0+', '')) = national_length
                and left(regexp_replace(number_digits, '^0+', ''), length(first_digit)) = first_digit
                then code || regexp_replace(number_digits, '^0+', '')
            -- countries we have no lengths for
            when is_full and own_code is null and length(number_digits) between 10 and 15 then number_digits
            when
                not is_full
                and code is not null
                and national_length is null
                and left(number_digits, length(code)) = code
                and length(number_digits) between 10 and 15
                then number_digits
            when
                not is_full
                and code is not null
                and national_length is null
                and length(code || regexp_replace(number_digits, '^0+', '')) between 10 and 15
                then code || regexp_replace(number_digits, '^0+', '')
        end as phone
    from fully_written
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    object_hash,
    event,
    seen_in,
    seen_in_id,
    customer_id,
    full_name,
    email,
    city,
    country,
    country_code,
    is_notifications_enabled,
    mobile,
    mobile_code,
    phone,
    case
        when phone is not null then null
        when number_digits is null or regexp_replace(number_digits, '^0+', '') = '' then 'no number'
        when code is null then 'no country code'
        else 'not a mobile of its country'
    end as phone_problem,
    created_at,
    updated_at,
    told_at,
    object_at,
    -- a number belongs to the moment of what it was written on
    case
        when seen_in = 'customer' then coalesce(told_at, updated_at, received_at, created_at)
        else coalesce(told_at, object_at, received_at)
    end as observed_at
from judged
