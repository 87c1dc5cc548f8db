{{ config(materialized='table') }}

-- The account of a row that names none: a workspace has one, as a rule, and older webhooks do not say which.
with workspaces as (select * from {{ ref('stg_settings__workspaces') }}),

landed_lines as (select * from {{ source('chatwoot', 'landed_lines') }}),

conversations as (select * from {{ source('chatwoot', 'conversations') }}),

messages as (select * from {{ source('chatwoot', 'messages') }}),

contacts as (select * from {{ source('chatwoot', 'contacts') }}),

agents as (select * from {{ source('chatwoot', 'agents') }}),

inboxes as (select * from {{ source('chatwoot', 'inboxes') }}),

named_accounts as (
    select workspace, account from landed_lines
    union all
    select workspace, account from conversations
    union all
    select workspace, account from messages
    union all
    select workspace, account from contacts
    union all
    select workspace, account from agents
    union all
    select workspace, account from inboxes
    union all
    select workspace, null as account from workspaces
),

known_accounts as (
    select
        workspace,
        -- accounts are numbers: 2 comes before 10
        cast(min(try_cast(account as bigint)) as string) as account
    from named_accounts
    group by workspace
)

select
    known_accounts.workspace,
    coalesce(known_accounts.account, workspaces.chatwoot_account, '1') as account
from known_accounts
left join workspaces on known_accounts.workspace = workspaces.workspace
