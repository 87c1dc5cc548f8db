-- Which labels a conversation carried when it was seen; a row without a label where it carried none.
with seen as (
    select
        workspace, landing_file, landing_line, position, received_at, account, conversation_id, observed_at,
        told.labels as labels
    from readable_conversations

    union all by name

    select
        workspace, landing_file, landing_line, 1 as position, received_at, account,
        path_conversation_id as conversation_id,
        received_at as observed_at,
        coalesce((body -> '$.meta.labels'), (body -> '$.payload')) as labels
    from calls
    where
        path_conversation_id is not null
        and received_at is not null
        and (resource = 'conversation_labels' or (resource = 'messages' and json_type(body, '$.meta.labels') = 'ARRAY'))
),

lists as (
    select
        * exclude (labels),
        titles(labels) as labels
    from seen
    where json_type(labels) = 'ARRAY'
)

select
    workspace,
    landing_file,
    landing_line,
    position::bigint as position,
    received_at,
    account,
    conversation_id,
    observed_at,
    len(labels)::bigint as label_count,
    array_to_string(list_sort(list_distinct(labels)), ', ') as label_set,
    -- one null, and so one row, where there is none
    trim(unnest(case when len(labels) = 0 then [null] else list_sort(list_distinct(labels)) end)) as label
from lists
