{{ config(materialized='view') }}

-- Every landed line of every source.
with whatsapp as (
    select * from {{ source('whatsapp', 'landed_lines') }}
),

chatwoot as (
    select * from {{ source('chatwoot', 'landed_lines') }}
),

salla as (
    select * from {{ source('salla', 'landed_lines') }}
),

inbox as (
    select * from {{ source('inbox', 'landed_lines') }}
)

select 'whatsapp' as source, workspace, landing_file, landing_line, received_at, kind, body_sha256 from whatsapp
union all
select 'chatwoot' as source, workspace, landing_file, landing_line, received_at, kind, body_sha256 from chatwoot
union all
select 'salla' as source, workspace, landing_file, landing_line, received_at, kind, body_sha256 from salla
union all
select 'inbox' as source, workspace, landing_file, landing_line, received_at, kind, body_sha256 from inbox
