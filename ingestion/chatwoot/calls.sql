-- What each landed line answers: a webhook by its event, a page by the path of its call, whatever stands around it.

-- A time of Chatwoot's, shown as text: seconds or milliseconds, whole or not, or ISO; null is sometimes shown as 0.
-- Nothing before WhatsApp existed is a time of ours.
create temp macro instant(shown) as (
    list_transform(
        [
            case
                when try_cast(shown as double) is null then try_cast(shown as timestamptz)
                when try_cast(shown as double) between 1 and 99999999999
                    then make_timestamptz(round(try_cast(shown as double) * 1000000)::bigint)
                when try_cast(shown as double) between 100000000000 and 99999999999999
                    then make_timestamptz(round(try_cast(shown as double) * 1000)::bigint)
            end
        ],
        lambda moment: case
            when moment >= timestamptz '2009-01-01' and moment < timestamptz '2100-01-01' then moment
        end
    )[1]
);

-- An object, also where it came as the text of one (older rows keep content_attributes so).
create temp macro object_of(value) as (
    case
        when json_type(value) = 'OBJECT' then value
        when json_type(value) = 'VARCHAR' and json_valid(value ->> '$')
            then case when json_type((value ->> '$')::json) = 'OBJECT' then (value ->> '$')::json end
    end
);

-- A phone as E.164 digits; null where it is none.
create temp macro phone_digits(shown) as (
    nullif(regexp_extract(regexp_replace(shown, '[^0-9]', '', 'g'), '^(?:00)?([1-9][0-9]{6,14})$', 1), '')
);

-- What an inbox calls a contact is a phone's digits or a business-scoped id, by its look.
create temp macro source_phone(source_id) as (nullif(regexp_extract(source_id, '^\+?([1-9][0-9]{6,14})$', 1), ''));
create temp macro source_user_id(source_id) as (case when regexp_matches(source_id, '^[A-Z]{2}\.') then source_id end);

create temp table calls as
with paths as (
    select
        *,
        lower(trim(kind)) = 'webhook' as is_webhook,
        -- the method, the host and what is asked for by ? do not say what the body is
        regexp_replace(regexp_replace(trim(kind), '^[A-Za-z]+\s+', ''), '[?#].*$', '') as full_path
    from documents
),

resources as (
    select
        *,
        nullif(regexp_extract(full_path, '/accounts/([0-9]+)(/|$)', 1), '') as path_account,
        '/' || trim(
            regexp_replace(
                regexp_replace(
                    regexp_replace(full_path, '^https?://[^/]+', '', 'i'),
                    '^/?(public/)?(api/v[0-9]+)?(/?accounts/[^/]+)?',
                    ''
                ),
                '\.json$', ''
            ),
            '/'
        ) as path
    from paths
),

named as (
    select
        *,
        -- the whole body is read once: each path by itself would read it again
        from_json(
            body,
            '{"event":"VARCHAR","account_id":"VARCHAR","account":{"id":"VARCHAR"},"messages":[{"account_id":"VARCHAR"}],'
            || '"conversation":{"account_id":"VARCHAR","messages":[{"account_id":"VARCHAR"}]}}'
        ) as told,
        case
            when is_webhook then 'webhook'
            when path = '/tombstone' then 'tombstone'
            when regexp_matches(path, '^/conversations/[^/]+/messages(/[^/]+)?$') then 'messages'
            when regexp_matches(path, '^/conversations/[^/]+/labels$') then 'conversation_labels'
            when path = '/conversations/meta' then 'other'
            when regexp_matches(path, '^/conversations(/[^/]+)?$|^/contacts/[^/]+/conversations$') then 'conversations'
            when regexp_matches(path, '^/contacts(/[^/]+)?$') then 'contacts'
            when regexp_matches(path, '^/agents(/[^/]+)?$') then 'agents'
            when regexp_matches(path, '^/inboxes(/[^/]+)?$') then 'inboxes'
            when regexp_matches(path, '^/teams(/[^/]+)?$') then 'teams'
            when regexp_matches(path, '^/labels(/[^/]+)?$') then 'labels'
            else 'other'
        end as resource
    from resources
)

select
    workspace,
    landing_file,
    landing_line,
    received_at,
    kind,
    path,
    resource,
    body,
    case when is_webhook then told.event end as event,
    nullif(regexp_extract(path, '^/conversations/([0-9]+)(/|$)', 1), '') as path_conversation_id,
    coalesce(
        told.account.id, told.account_id, told.messages[1].account_id, told.conversation.account_id,
        told.conversation.messages[1].account_id, path_account, account
    ) as account
from named;
