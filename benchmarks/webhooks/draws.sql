-- Every draw is a hash of the seed, the thing's own number and a word: a thing is the same whichever block makes it.
create or replace macro draw(thing, word) as (hash(getvariable('seed'), thing, word) >> 11) / 9007199254740992.0;

create or replace macro between_draw(thing, word, low, high) as low + cast(floor(draw(thing, word) * (high - low + 1)) as bigint);

create or replace macro wamid_of(message) as
    'wamid.HBgM' || printf('%016X', hash(getvariable('seed'), message, 'wamid') >> 1) || printf('%012d', message) || '=';

-- no number twice
create or replace macro phone_of(holder) as
    '9665' || lpad(cast((holder * 48271) % 100000007 % 100000000 as varchar), 8, '0');

create or replace macro user_of(holder) as
    'SA.' || lpad(cast(hash(getvariable('seed'), holder, 'user') % 1000000000000000 as varchar), 15, '0');

-- 5 % of the people show an id only, 7 % a number only, 3 % get another number and with it another id
create or replace macro is_username_only(person) as draw(person, 'shape') < 0.05;
create or replace macro is_phone_only(person) as draw(person, 'shape') between 0.05 and 0.12;
create or replace macro moves_at(person) as
    case
        when draw(person, 'shape') between 0.12 and 0.15
            then getvariable('begins_at') + cast(floor(draw(person, 'moves') * getvariable('seconds')) as bigint)
        else 253402300799
    end;
create or replace macro holder_at(person, happens_at) as person * 2 + case when happens_at >= moves_at(person) then 2 else 1 end;

-- as many people have written by a talk as a third of the talks before it
create or replace macro known_by(talk) as 1 + talk * 35 // 100;

-- how late a delivery is received, in microseconds: at once, or for four in a thousand hours or days later
create or replace macro lateness(thing, word) as
    between_draw(thing, word || ' at once', 200000, 3000000)
    + case
        when draw(thing, word || ' late') < 0.004
            then [1, 3, 8, 30, 100][between_draw(thing, word || ' how late', 1, 5)] * 3600000000
        else 0
    end;

create or replace macro iso(microseconds) as strftime(make_timestamp(microseconds), '%Y-%m-%dT%H:%M:%S.%f+00:00');

-- Meta's envelope around one change
create or replace macro envelope(field, number, members) as
    '{"object":"whatsapp_business_account","entry":[{"id":"1029384756","changes":[{"field":"' || field
    || '","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"9661' || right(number, 8)
    || '","phone_number_id":"' || number || '"},' || members || '}}]}]}';

-- the id and the number of a person, each only where the person shows it
create or replace macro person_members(person, happens_at, phone_key, id_key) as
    case
        when is_phone_only(person) then ''
        else '"' || id_key || '":"' || user_of(holder_at(person, happens_at)) || '",'
    end
    || case
        when is_username_only(person) then ''
        else '"' || phone_key || '":"' || phone_of(holder_at(person, happens_at)) || '",'
    end;

create or replace macro contacts(person, happens_at) as
    '"contacts":[{' || person_members(person, happens_at, 'wa_id', 'user_id')
    || '"profile":{"name":"Customer ' || person || '"}}],';
