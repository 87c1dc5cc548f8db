insert into findings
select
    d.workspace,
    d.landing_file,
    d.landing_line,
    null,
    'not a WhatsApp delivery: no entry[].changes[]'
from documents as d
where
    d.kind <> 'graph' and d.kind not like 'GET %'
    and d.document_number not in (select w.document_number from whole_changes as w)
    and d.document_number not in (select m.document_number from told_messages as m)
    and d.document_number not in (select s.document_number from told_statuses as s)
    and d.document_number not in (select o.document_number from other_items as o);

insert into findings
select
    workspace,
    landing_file,
    landing_line,
    item_path,
    problem as reason
from (
    select workspace, landing_file, landing_line, item_path, problem from told_messages
    union all
    select workspace, landing_file, landing_line, item_path, problem from told_statuses
    union all
    select workspace, landing_file, landing_line, item_path, 'user_id_update without a readable timestamp' as problem
    from other_items
    where item_kind = 'user_id_update' and happened_at is null
)
where problem is not null;

-- A message of a history that cannot be read takes those of its place in other threads with it: their paths are one.
create temp table readable_messages as
select m.*
from told_messages as m
where
    m.problem is null
    and not (
        m.origin = 'history'
        and (m.document_number, m.item_path) in (
            select (f.document_number, f.item_path)
            from told_messages as f
            where f.origin = 'history' and f.problem is not null
        )
    );
