-- Messages as an inbox keeps them, and the indexes that an inbox's own pages need.
create table messages (
    id bigint primary key,
    account_id integer not null,
    inbox_id integer not null,
    conversation_id integer not null,
    message_type integer not null, -- 0 from the customer, 1 to the customer
    content text,
    created_at timestamp not null,
    updated_at timestamp not null,
    private boolean not null,
    status integer,
    source_id varchar,
    content_type integer not null,
    content_attributes json,
    sender_type varchar,
    sender_id bigint,
    additional_attributes jsonb
);
