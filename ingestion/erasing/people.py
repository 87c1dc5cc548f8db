"""From one id to everything that is known of a person: asked of the warehouse, which knows who is who.

A person is one or more person keys of the identity model. More than one where a customer of the store, or a contact of
the inbox, has had several numbers. Numbers that went on to somebody else are the person's for their time only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import duckdb
import phonenumbers

from ingestion.erasing.register import ENDLESS, Id
from ingestion.errors import SalwaError
from ingestion.settings import Settings, Workspace

KINDS = ("phone", "user", "contact", "customer", "email", "hash")
REGIONS = {"SAR": "SA", "AED": "AE", "KWD": "KW", "BHD": "BH", "QAR": "QA", "OMR": "OM", "EGP": "EG", "JOD": "JO"}
MOST_KEYS = 10  # of one person: more are many people who share a number
SHORTEST_HASH = 6
FIRST, LAST = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)
IDS = tuple[str, str]  # kind, value

# whom a contact, a customer or a conversation stands for, at the time of each conversation or order
LINKS = """
create or replace temp table links as
select t.workspace, 'contact' as kind, t.account || ':' || c.contact_id as id, t.person_key, c.customer_phone as phone
from intermediate.int_tickets as t
inner join intermediate.int_chatwoot__conversations as c
    on t.workspace = c.workspace and t.account = c.account and t.ticket_id = c.ticket_id
where t.source = 'chatwoot' and c.contact_id is not null

union

select c.workspace, 'contact', c.account || ':' || c.contact_id, coalesce(u.person_key, p.person_key), c.phone
from intermediate.int_chatwoot__contacts as c
left join intermediate.int_user_ids as u on c.workspace = u.workspace and c.user_id = u.user_id
left join intermediate.int_phone_periods as p
    on c.workspace = p.workspace and c.phone = p.phone and p.to_at = timestamptz '9999-12-31 00:00:00+00'
where coalesce(u.person_key, p.person_key) is not null
    and not exists (
        select 1 from intermediate.int_chatwoot__conversations as t
        where t.workspace = c.workspace and t.account = c.account and t.contact_id = c.contact_id
    )

union

select t.workspace, 'person', 'inbox ' || t.account || ':' || c.contact_id, t.person_key, c.customer_phone
from intermediate.int_tickets as t
inner join intermediate.int_inbox__conversations as c
    on t.workspace = c.workspace and t.account = c.account and t.ticket_id = c.ticket_id
where t.source = 'inbox' and c.contact_id is not null

union

select o.workspace, 'customer', o.customer_id, coalesce(p.person_key, 'salla|' || o.customer_id), o.phone
from (
    select workspace, customer_id, phone, ordered_at as at from intermediate.int_salla__orders
    union all
    select workspace, customer_id, phone, created_at from intermediate.int_salla__carts
    union all
    select workspace, customer_id, phone, first_seen_at from intermediate.int_salla__customers as c
    where not exists (
        select 1 from intermediate.int_salla__orders as o where o.workspace = c.workspace and o.customer_id = c.customer_id
    )
) as o
left join intermediate.int_phone_periods as p
    on o.workspace = p.workspace and o.phone = p.phone and o.at >= p.from_at and o.at < p.to_at
where o.customer_id is not null
"""
HASHED = "left(sha256(getvariable('hash_key') || '|' || {kind} || '|' || workspace || '|' || {id}), 32)"


@dataclass
class Person:
    """Somebody, with all their ids."""

    keys: set[str]
    ids: list[Id] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many ids there are of each kind."""
        return dict(Counter(kind for kind, _ in {(one.kind, one.value) for one in self.ids}))


def find_person(settings: Settings, workspace: Workspace, text: str, kind: str | None = None) -> Person | None:
    """The person whose id it is; None where the warehouse knows no such id.

    Args:
        text: a phone in any spelling, a business-scoped id, a contact's or customer's number, an e-mail address, or the
            hashed customer_id of the dashboard, whole or its first characters.
        kind: which of these it is, where several are possible.

    Raises:
        SalwaError: several people are meant, or nothing was built yet.
    """
    if kind is not None and kind not in KINDS:
        raise SalwaError(f"--kind {kind}: there is {', '.join(KINDS)}")
    if not settings.restricted.exists():
        raise SalwaError(f"nothing has been loaded in {settings.data.resolve()} yet: run `salwa refresh` first")
    try:
        with duckdb.connect(str(settings.restricted), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("set variable hash_key = ?", [settings.key()])
            connection.execute(LINKS)
            connection.execute("set variable workspace = ?", [workspace.name])
            keys = chosen_keys(connection, workspace, text.strip(), kind)
            return known_of(connection, keys) if keys else None
    except duckdb.CatalogException:
        raise SalwaError("nothing has been built yet: run `salwa refresh` first") from None
    except duckdb.IOException:
        raise SalwaError("a run is writing at the moment: try again when it has ended (`salwa status`)") from None


def possible_ids(workspace: Workspace, text: str) -> list[IDS]:
    """What an id may be, by its looks: (kind, value)."""
    found: list[IDS] = []
    if "@" in text:
        return [("email", text)]
    if phone := phone_digits(workspace, text):
        found.append(("phone", phone))
    if len(text) > 3 and text[:2].isalpha() and text[2] == ".":
        found.append(("user", text))
    if text.isdigit():
        found += [("contact", text), ("customer", text)]
    hashed = text.lower().removeprefix("customer ").strip()
    if len(hashed) >= SHORTEST_HASH and all(c in "0123456789abcdef" for c in hashed):
        found.append(("hash", hashed))
    return found


def phone_digits(workspace: Workspace, text: str) -> str | None:
    """E.164 digits of a number however it is written; without a country's code it is of the workspace's country."""
    for told in (text, f"+{text}"):
        try:
            parsed = phonenumbers.parse(told, REGIONS.get(workspace.currency))
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164).lstrip("+")
    return None


def chosen_keys(connection: duckdb.DuckDBPyConnection, workspace: Workspace, text: str, kind: str | None) -> set[str]:
    """The person keys that an id leads to.

    Raises:
        SalwaError: it may mean several people.
    """
    by_kind: dict[str, set[str]] = {}
    digits = "".join(c for c in text if c.isdigit())
    options = possible_ids(workspace, text)
    if digits and ("phone", digits) not in options and len(digits) >= 7 and "@" not in text:
        options.append(("phone", digits))  # as it stands, should no country have such numbers
    for told, value in options:
        if kind in (None, told) and (found := keys_of(connection, told, value)):
            by_kind[told] = by_kind.get(told, set()) | found
    if len({frozenset(found) for found in by_kind.values()}) > 1:
        raise SalwaError(f"{text} is the {' and the '.join(by_kind)} of different people: say which with --kind")
    keys = next(iter(by_kind.values()), set())
    if len(keys) > 1 and "phone" in by_kind:
        raise SalwaError(several_holders(connection, keys, by_kind))
    if len(keys) > 1 and "hash" in by_kind:
        raise SalwaError(f"several customer_ids begin with {text}: give more of it")
    return closure(connection, keys)


def keys_of(connection: duckdb.DuckDBPyConnection, kind: str, value: str) -> set[str]:
    """The person keys of one id."""
    mine = "workspace = getvariable('workspace')"
    queries = {
        "phone": f"select person_key from intermediate.int_phone_periods where {mine} and phone = $1",
        "user": f"select person_key from intermediate.int_user_ids where {mine} and user_id = $1",
        "contact": f"select person_key from links where {mine} and kind = 'contact' and split_part(id, ':', 2) = $1",
        "customer": f"select person_key from links where {mine} and kind = 'customer' and id = $1",
        "email": f"""
            select person_key from links where {mine} and (kind, id) in (
                select 'customer', customer_id from staging.stg_salla__customers where {mine} and lower(email) = lower($1)
                union all
                select 'contact', account || ':' || contact_id from staging.stg_chatwoot__contacts
                where {mine} and lower(email) = lower($1)
            )""",
        "hash": f"""
            select person_key from (
                select workspace, person_key from intermediate.int_user_ids
                union select workspace, person_key from intermediate.int_phone_periods
                union select workspace, person_key from intermediate.int_tickets
                union select workspace, person_key from links
            ) where {mine} and starts_with({HASHED.format(kind="'customer'", id="person_key")}, $1)
            union
            select person_key from links
            where {mine} and kind = 'customer' and starts_with({HASHED.format(kind="'store customer'", id="id")}, $1)""",
    }
    return {key for (key,) in connection.execute(queries[kind], [value]).fetchall() if key}


def several_holders(connection: duckdb.DuckDBPyConnection, keys: set[str], by_kind: dict[str, set[str]]) -> str:
    rows = connection.execute(
        f"select {HASHED.format(kind=chr(39) + 'customer' + chr(39), id='person_key')}, min(from_at), max(to_at) "
        "from intermediate.int_phone_periods where workspace = getvariable('workspace') "
        "and person_key in (select unnest($1)) group by all order by 2",
        [sorted(keys)],
    ).fetchall()
    told = "; ".join(f"{name}, until {to_at:%Y-%m-%d}" if to_at < LAST else f"{name}, now" for name, _, to_at in rows)
    return f"that number had {len(rows)} holders. Say whom you mean by the customer_id: {told}"


def closure(connection: duckdb.DuckDBPyConnection, keys: set[str]) -> set[str]:
    """With those whom the same customer of the store, or contact, was under another number.

    Raises:
        SalwaError: so many that they cannot be one person.
    """
    while keys:
        more = connection.execute(
            """
            with own_ids as (
                select kind, id from links
                where workspace = getvariable('workspace') and person_key in (select unnest($1))
            ),

            own_phones as (
                select phone from intermediate.int_phone_periods
                where workspace = getvariable('workspace') and person_key in (select unnest($1))
            )

            select distinct person_key from links
            where
                workspace = getvariable('workspace')
                and (kind, id) in (select kind, id from own_ids)
                and person_key not in (select unnest($1))
                and phone is not null
                and phone not in (select phone from own_phones)
            """,
            [sorted(keys)],
        ).fetchall()
        if not more:
            return keys
        keys = keys | {key for (key,) in more}
        if len(keys) > MOST_KEYS:
            raise SalwaError(
                f"this leads to more than {MOST_KEYS} people who share numbers or accounts: it is not one person. "
                "Give the id of one of them, such as a customer_id of the dashboard"
            )
    return keys


def known_of(connection: duckdb.DuckDBPyConnection, keys: set[str]) -> Person:
    """Everything that is known of a person."""
    own = [sorted(keys)]
    users = [row[0] for row in connection.execute(of_person("user_id", "intermediate.int_user_ids"), own).fetchall()]
    ids = [Id("user", one) for one in users]
    phones = connection.execute(of_person("phone, from_at, to_at", "intermediate.int_phone_periods"), own).fetchall()
    ids += [
        Id("phone", phone, instant(from_at, FIRST, -ENDLESS), instant(to_at, LAST, ENDLESS), has_user=bool(users))
        for phone, from_at, to_at in phones
    ]
    linked = connection.execute(
        """
        select kind, id, bool_or(person_key not in (select unnest($1))) as is_shared
        from links
        where workspace = getvariable('workspace')
        group by kind, id
        having bool_or(person_key in (select unnest($1)))
        """,
        own,
    ).fetchall()
    ids += [Id(kind, found, is_shared=bool(is_shared)) for kind, found, is_shared in linked]
    tickets = connection.execute(of_person("source, account, ticket_id", "intermediate.int_tickets"), own).fetchall()
    ids += [
        Id("conversation", f"inbox {account}:{ticket}" if source == "inbox" else f"{account}:{ticket}")
        for source, account, ticket in tickets
    ]
    for key in keys:  # who has no number is known by the id of the source alone
        source, _, rest = key.partition("|")
        account, _, named = rest.partition("|")
        what, _, found = named.partition("|")
        if what == "contact":
            ids.append(Id("person" if source == "inbox" else "contact", f"{'inbox ' * (source == 'inbox')}{account}:{found}"))
    customers = [found for kind, found, is_shared in linked if kind == "customer" and not is_shared]
    contacts = [found for kind, found, is_shared in linked if kind == "contact" and not is_shared]
    ids += told_of(connection, own, customers, contacts, users)
    return Person(keys, sorted(with_single_account(connection, ids), key=lambda one: (one.kind, one.value, str(one))))


def of_person(columns: str, table: str) -> str:
    return f"select distinct {columns} from {table} where workspace = getvariable('workspace') and person_key in (select unnest($1))"


def instant(told: datetime, bound: datetime, otherwise: float) -> float:
    return otherwise if told == bound else told.timestamp()


def told_of(
    connection: duckdb.DuckDBPyConnection, own: list[Any], customers: list[str], contacts: list[str], users: list[str]
) -> list[Id]:
    """Orders, messages, addresses and names."""
    at_their_time = """
        left join intermediate.int_phone_periods as p
            on s.workspace = p.workspace and s.{phone} = p.phone and s.{at} >= p.from_at and s.{at} < p.to_at
        where s.workspace = getvariable('workspace')
    """
    queries = {
        "order": (
            "select s.order_id from intermediate.int_salla__orders as s "
            + at_their_time.format(phone="phone", at="ordered_at")
            + " and (s.customer_id in (select unnest($2)) or p.person_key in (select unnest($1)))"
        ),
        "wamid": " union ".join(
            f"select s.wamid from staging.{table} as s "
            + at_their_time.format(phone="customer_phone", at=at)
            + " and case when s.customer_user_id is not null then s.customer_user_id in (select unnest($4)) "
            "else p.person_key in (select unnest($1)) end"
            for table, at in (("stg_whatsapp__messages", "sent_at"), ("stg_whatsapp__statuses", "happened_at"))
        ),
        "name": (
            "select full_name from staging.stg_salla__customers "
            "where workspace = getvariable('workspace') and customer_id in (select unnest($2)) "
            "union select contact_name from staging.stg_chatwoot__contacts "
            "where workspace = getvariable('workspace') and account || ':' || contact_id in (select unnest($3)) "
            "union select s.profile_name from staging.stg_whatsapp__contacts as s "
            + at_their_time.format(phone="phone", at="seen_at")
            + " and (s.user_id in (select unnest($4)) or p.person_key in (select unnest($1)))"
        ),
        "email": (
            "select email from staging.stg_salla__customers "
            "where workspace = getvariable('workspace') and customer_id in (select unnest($2)) "
            "union select email from staging.stg_chatwoot__contacts "
            "where workspace = getvariable('workspace') and account || ':' || contact_id in (select unnest($3))"
        ),
    }
    found = []
    for kind, query in queries.items():
        given = {str(place): value for place, value in enumerate([*own, customers, contacts, users], 1) if f"${place}" in query}
        rows = connection.execute(query, given).fetchall()
        found += [Id(kind, value) for (value,) in rows if value and value.strip()]
    return found


def with_single_account(connection: duckdb.DuckDBPyConnection, ids: Iterable[Id]) -> list[Id]:
    """Ids of an inbox also without its account, where it is the only one: some webhooks do not name it."""
    given = list(dict.fromkeys(ids))
    accounts = connection.execute(
        "select count(distinct account) from intermediate.int_tickets where workspace = getvariable('workspace') "
        "and source = 'chatwoot'"
    ).fetchone()
    if accounts and accounts[0] > 1:
        return given
    return [
        replace(one, also=(":" + one.value.partition(":")[2],))
        if one.kind in ("contact", "conversation") and not one.value.startswith("inbox ")
        else one
        for one in given
    ]
