-- What changed in a conversation, as webhooks tell it (values before and after) and as notices tell it (a sentence).
create temp macro first_change(changed, name) as (
    list_filter(list_transform(changed, lambda e: json_extract(e, name)), lambda v: json_type(v) = 'OBJECT')[1]
);

create temp macro titles(value) as (
    case
        when json_type(value) = 'ARRAY' then list_filter(from_json(value, '["VARCHAR"]'), lambda t: trim(t) <> '')
        when json_type(value) = 'VARCHAR' then list_filter(string_split(value ->> '$', ', '), lambda t: trim(t) <> '')
        else cast([] as varchar [])
    end
);

create temp table told_changes as
with changed as (
    select
        *,
        case json_type(told.changed_attributes)
            when 'ARRAY' then from_json(told.changed_attributes, '["JSON"]')
            when 'OBJECT' then [told.changed_attributes]
            else cast([] as json [])
        end as attributes
    from readable_conversations
    where event is not null and item_path is null
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    account,
    conversation_id,
    event,
    told.status as current_status,
    first_change(attributes, '$.label_list') as label_change,
    first_change(attributes, '$.status') as status_change,
    -- the save itself; the row's own updated_at is that of when the webhook was written
    coalesce(
        instant(first_change(attributes, '$.updated_at') ->> '$.current_value'), observed_at
    ) as changed_at,
    told.performed_by.type as performed_by_type,
    told.performed_by.id as performed_by_id,
    told.performed_by.name as performed_by_name
from changed;

-- Notices are sentences in the account's language: English, Arabic and French are read, from the locale files.
create temp table notices as
with sentences as (
    select
        *,
        trim(told.content) as sentence
    from readable_messages
    where message_type = 'activity'
),

read_sentences as (
    select
        *,
        regexp_matches(
            sentence,
            '^(Conversation was marked resolved by system due to|تم وضع علامة على المحادثة كمحلولة من قبل النظام|'
            || 'تم تحديد هذه المحادثة كمحلولة بواسطة النظام|'
            || 'La conversation a été marquée (comme )?résolue par le système en raison)'
        ) as is_closed_by_system,
        nullif(regexp_extract(sentence, '^Conversation was marked resolved by (.+) due to inactivity$', 1), '')
            as closing_assistant_en,
        nullif(regexp_extract(sentence, '^تم تحديد هذه المحادثة كمحلولة بواسطة (.+) بسبب عدم النشاط$', 1), '')
            as closing_assistant_ar,
        nullif(
            regexp_extract(
                sentence,
                '^(?:Conversation was marked resolved by|تم تحديث حالة المحادثة لـ.?مغلقة.? بواسطة|'
                || 'La conversation a été marquée (?:comme )?résolue par) (.+)$',
                1
            ),
            ''
        ) as closing_name,
        nullif(
            regexp_extract(
                sentence,
                '^(?:Conversation was resolved by|تم حل المحادثة بواسطة|La conversation a été résolue par) (.+)$',
                1
            ),
            ''
        ) as closing_customer,
        regexp_matches(
            sentence,
            '^(System reopened the conversation|Conversation was marked open (by system|automatically)|'
            || 'أعاد النظام فتح المحادثة|Le système a (ré-?|r)ouvert la conversation)'
        ) as is_opened_by_system,
        -- pending and snoozed are open
        nullif(
            regexp_extract(
                sentence,
                '^(?:Conversation was (?:reopened|marked open|marked as pending|marked pending|snoozed) by|'
                || 'تم إعادة فتح المحادثة بواسطة|تم تحديد هذه المحادثة كمفتوحة بواسطة|'
                || 'تم تحديث حالة المحادثة لـ.?معلقة.? بواسطة|تم تأجيل المحادثة بواسطة|'
                || 'La conversation a été (?:ré-?ouverte|rouverte|marquée comme en attente|reportée) par) (.+)$',
                1
            ),
            ''
        ) as opening_name,
        -- the same words tell of priorities, policies and participants
        regexp_matches(
            sentence,
            ' (added|removed) SLA policy | (added|removed) (a|.+ as a) participant$| removed the priority$'
            || '| (أضاف|أزال) سياسة مستوى الخدمة | أزال الأولوية$| a (ajouté|supprimé) (la|une|le|un) '
        ) as is_about_something_else,
        -- the last such word is the verb: the words before it are a name
        regexp_extract(
            sentence,
            '^(.*\S) (added|removed|أضاف|أزال|a ajouté|a supprimé) (.+)$',
            ['name', 'verb', 'labels']
        ) as labelling
    from sentences
),

understood as (
    select
        *,
        coalesce(closing_assistant_en, closing_assistant_ar) as closing_assistant,
        case
            when is_closed_by_system or coalesce(closing_name, closing_customer, closing_assistant_ar) is not null
                then 'closed'
            when is_opened_by_system or opening_name is not null then 'open'
        end as told_status
    from read_sentences
)

select
    workspace,
    landing_file,
    landing_line,
    position,
    received_at,
    account,
    conversation_id,
    message_id,
    created_at as changed_at,
    told_status,
    case
        when told_status is not null or is_about_something_else then null
        when labelling.verb in ('added', 'أضاف', 'a ajouté') then 'applied'
        when labelling.verb in ('removed', 'أزال', 'a supprimé') then 'removed'
    end as label_action,
    string_split(labelling.labels, ', ') as label_titles,
    case
        when is_closed_by_system or is_opened_by_system then 'system'
        when closing_assistant is not null then 'automation'
        when coalesce(closing_name, opening_name) is not null then 'named'
        when closing_customer is not null then 'customer'
        when labelling.name <> '' then 'named'
    end as actor_kind,
    case
        when is_closed_by_system or is_opened_by_system then null
        else coalesce(closing_assistant, closing_name, opening_name, closing_customer, nullif(labelling.name, ''))
    end as actor_name
from understood;
