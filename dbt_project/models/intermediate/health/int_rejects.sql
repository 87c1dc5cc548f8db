{{ config(materialized='view') }}

-- What could not be read, of every source; a path is given where only an item of the line is meant.
with whatsapp as (
    select * from {{ source('whatsapp', 'rejects') }}
),

chatwoot as (
    select * from {{ source('chatwoot', 'rejects') }}
),

salla as (
    select * from {{ source('salla', 'rejects') }}
),

inbox as (
    select * from {{ source('inbox', 'rejects') }}
)

select 'whatsapp' as source, workspace, landing_file, landing_line, item_path, reason from whatsapp
union all
select 'chatwoot' as source, workspace, landing_file, landing_line, item_path, reason from chatwoot
union all
select 'salla' as source, workspace, landing_file, landing_line, item_path, reason from salla
union all
select 'inbox' as source, workspace, landing_file, landing_line, item_path, reason from inbox
