"""Who was erased: SALWA_DATA/secrets/erased.json, readable by its owner alone.

It holds no id, only keyed hashes of ids, each with the random id that stands in its place in the landed files and, of a
phone, from when until when it was theirs. With SALWA_PHONE_KEY, which is kept elsewhere, an arriving id is recognised;
without it nobody can tell who was erased. Ids that turn up later beside known ones (a changed number, a new contact of
the same phone) are added.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from ingestion.erasing.spelling import digits_of, inside_wamid
from ingestion.errors import SalwaError
from ingestion.settings import Settings
from ingestion.state import locked, read_state, write_state

# kinds of ids: phone (E.164 digits), national (the same without the country's code), user (business-scoped), email,
# name, wamid, contact and conversation (of an inbox, with its account), customer and order (of the store)
PHONE_PREFIX = "999"  # no country has it
NUMBER_BASE = 8 * 10**15  # above every id that is given in a row, below what JSON keeps exactly
ENDLESS = float("inf")


@dataclass(frozen=True)
class Id:
    """An id of a person. from_at, to_at: seconds since 1970, of a phone. is_shared: somebody else's too, so that it
    makes nothing theirs by itself. has_user: a business-scoped id is known of who holds the phone. also: other ways in
    which the same id is told."""

    kind: str
    value: str
    from_at: float = -ENDLESS
    to_at: float = ENDLESS
    is_shared: bool = False
    has_user: bool = False
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Known:
    """What the register says of an id: what stands in its place, and the rest as of Id."""

    stand_in: str
    from_at: float
    to_at: float
    is_shared: bool
    has_user: bool

    def holds(self, at: float | None) -> bool:
        return self.to_at == ENDLESS if at is None else self.from_at <= at < self.to_at


@dataclass
class People:
    """The erased people of one workspace. file: None where nothing is to be remembered, as in a rehearsal."""

    workspace: str
    keys: dict[str, bytes]  # by fingerprint; the first is the present one
    entries: dict[str, list[Known]] = field(default_factory=dict)
    file: Path | None = None
    _seen: dict[tuple[str, str], list[Known]] = field(default_factory=dict)

    def known(self, kind: str, value: str) -> list[Known]:
        """All that is said of an id; of a phone a row per time that it was theirs."""
        found = self._seen.get((kind, value))
        if found is None:
            hashes = (hashed(key, self.workspace, kind, value) for key in self.keys.values())
            found = next((self.entries[one] for one in hashes if one in self.entries), [])
            if len(self._seen) > 200_000:
                self._seen.clear()
            self._seen[kind, value] = found
        return found

    def owns(self, kind: str, value: Any) -> bool:
        """Whether an id, as text or number, is one erased person's and nobody else's."""
        text = scalar_text(value)
        return text is not None and any(not one.is_shared for one in self.known(kind, text))

    def phone(self, text: Any, at: float | None) -> Known | None:
        """Whose phone it was at an instant; without an instant, whose it is."""
        told = scalar_text(text)
        found = self.known("phone", digits_of(told)) if told else []
        return next((one for one in found if one.holds(at)), None)

    def wamid(self, value: str) -> bool:
        """Whether a message id is known as theirs, or holds their number."""
        if self.known("wamid", value):
            return True
        return any(self.phone(digits, None) for digits in inside_wamid(value))

    def stand_in(self, kind: str, value: str) -> str | None:
        """What stands in an id's place; the id itself where it stands in another's already; else None."""
        if is_stand_in(kind, value):
            return value
        found = self.known(kind, value)
        return found[-1].stand_in if found else None

    def adopt(self, one: Id) -> str:
        """Make an id theirs that stood beside known ones; what stands in its place."""
        known = self.stand_in(one.kind, one.value)
        if known is None:
            self.add([one])
            known = self.stand_in(one.kind, one.value)
        return known or ""

    def add(self, ids: Iterable[Id]) -> int:
        """Remember ids, on disk first; how many were new."""
        if self.file is None:
            return remember(self, ids)
        with locked(self.file):
            refresh(self)
            new = remember(self, ids)
            if new:
                save(self)
        return new

    def close(self, phone: str, at: float) -> None:
        """From an instant on somebody else has the phone."""
        for kind, value in spellings(Id("phone", phone)):
            found = self.known(kind, value)
            if not any(one.from_at < at < one.to_at for one in found):
                continue
            shorter = [replace(one, to_at=at) if one.from_at < at < one.to_at else one for one in found]
            name = next(
                one for one in (hashed(key, self.workspace, kind, value) for key in self.keys.values()) if one in self.entries
            )
            if self.file is not None:
                with locked(self.file):
                    refresh(self)
                    self.entries[name] = shorter
                    save(self)
            self.entries[name] = shorter
            self._seen.clear()


def hashed(key: bytes, workspace: str, kind: str, value: str) -> str:
    """The keyed hash of an id; e-mail addresses and names whatever their case."""
    text = value.strip().casefold() if kind in ("email", "name") else value
    told = f"{workspace}|{kind}|{text}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(told, key=key, digest_size=16, person=b"salwa erased").hexdigest()


def message_stand_in(people: People, value: str) -> str:
    """What stands in a message id's place: the same whenever the message is told of, so that its statuses join it."""
    if value.startswith("wamid.ERASED"):
        return value
    key = next(iter(people.keys.values()))
    return "wamid.ERASED" + hashed(key, people.workspace, "message", value)


def new_stand_in(kind: str, value: str) -> str:
    """A random id that every reader takes for one of its kind, and that nobody has."""
    if kind == "phone":
        return PHONE_PREFIX + "".join(secrets.choice("0123456789") for _ in range(12))
    if kind == "user":
        return "ZZ." + "".join(secrets.choice("0123456789") for _ in range(19))
    if kind in ("contact", "customer"):
        return str(NUMBER_BASE + secrets.randbelow(10**15))
    return "erased-" + secrets.token_hex(8)


def is_stand_in(kind: str, value: str) -> bool:
    """Whether an id stands in another's place already."""
    if kind == "phone":
        return value.startswith(PHONE_PREFIX) and len(value) == 15
    if kind == "user":
        return value.startswith("ZZ.") and len(value) == 22
    if kind in ("contact", "customer"):
        number = value.rpartition(":")[2]
        return number.isdigit() and NUMBER_BASE <= int(number) < NUMBER_BASE + 10**15
    return value.rpartition(":")[2].startswith("erased-")


def scalar_text(value: Any) -> str | None:
    """A string or number as text; None where it is anything else, or empty."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return str(int(value) if isinstance(value, float) and value.is_integer() else value).strip() or None


def national_of(phone: str) -> str | None:
    """A number's digits without the country's code; None where nobody knows where the code ends."""
    import phonenumbers

    try:
        return str(phonenumbers.parse(f"+{phone}").national_number)
    except phonenumbers.NumberParseException:
        return None


def spellings(one: Id) -> list[tuple[str, str]]:
    """(kind, value) of all ways in which an id is told; of a phone also as people of its country write it."""
    national = national_of(one.value) if one.kind == "phone" else None
    found = [(one.kind, value) for value in (one.value, *one.also)]
    return [*found, ("national", national)] if national and len(national) >= 7 else found


# --- the file --------------------------------------------------------------------------------------------------------


def register_file(data: Path) -> Path:
    return data / "secrets" / "erased.json"


def read_register(data: Path) -> dict[str, Any]:
    """The register; empty where nobody was erased.

    Raises:
        SalwaError: it is damaged.
    """
    path = register_file(data)
    try:
        return read_state(path)
    except (OSError, ValueError):
        raise SalwaError(f"{path} is damaged: without it erased people would come back; restore it from a backup") from None


def people_of(settings: Settings, workspace: str, begin: bool = False) -> People | None:
    """The erased people of a workspace; None where there is none, unless begin.

    Raises:
        SalwaError: the register is damaged, or was made with a key that is not known any more.
    """
    told = read_register(settings.data)
    groups: dict[str, Any] = told.get("keys", {})
    if not begin and not any(group.get(workspace) for group in groups.values()):
        return None
    keys = keys_of(settings, set(groups))
    people = People(workspace, keys, file=register_file(settings.data))
    people.entries = entries_of(told, workspace)
    return people


def keys_of(settings: Settings, wanted: set[str]) -> dict[str, bytes]:
    """Hashing keys by fingerprint, the present one first, and then former ones that people were erased with."""
    former = settings.former_phone_keys.get_secret_value().split(",") if settings.former_phone_keys else []
    found = {}
    for text in (settings.key(), *former):
        if text.strip():
            found[fingerprint(text.strip())] = hashlib.sha256(b"erased people|" + text.strip().encode()).digest()
    if missing := wanted - found.keys():
        raise SalwaError(
            f"people were erased with another SALWA_PHONE_KEY ({len(missing)} of them not known here) and would come back "
            "with this one: put the former key into SALWA_FORMER_PHONE_KEYS"
        )
    present, *others = found
    return {name: found[name] for name in (present, *(one for one in others if one in wanted))}


@cache
def fingerprint(key: str) -> str:
    """Tells two keys apart without telling either."""
    return hashlib.scrypt(key.encode(), salt=b"salwa erased people", n=2**14, r=8, p=1, dklen=8).hex()


def entries_of(told: dict[str, Any], workspace: str) -> dict[str, list[Known]]:
    return {
        name: [Known(row[0], bound(row[1], -ENDLESS), bound(row[2], ENDLESS), bool(row[3]), bool(row[4])) for row in rows]
        for group in told.get("keys", {}).values()
        for name, rows in group.get(workspace, {}).items()
    }


def bound(told: float | None, otherwise: float) -> float:
    return otherwise if told is None else float(told)


def remember(people: People, ids: Iterable[Id]) -> int:
    """Put ids into the entries in memory; a phone keeps what stands in for it through all the times it was theirs."""
    key = next(iter(people.keys.values()))
    new = 0
    for one in ids:
        stand_in = people.stand_in(one.kind, one.value) or new_stand_in(one.kind, one.value)
        for kind, value in spellings(one):
            known = people.known(kind, value)
            row = Known(stand_in, one.from_at, one.to_at, one.is_shared, one.has_user)
            if any((k.from_at, k.to_at) == (row.from_at, row.to_at) for k in known):
                continue
            names = [hashed(k, people.workspace, kind, value) for k in people.keys.values()]
            name = next((found for found in names if found in people.entries), hashed(key, people.workspace, kind, value))
            people.entries[name] = [*known, row]
            people._seen.pop((kind, value), None)
            new += kind == one.kind
    return new


def refresh(people: People) -> None:
    """Take over what other processes added."""
    assert people.file is not None  # noqa: S101 - only called with a file
    told = read_register(people.file.parents[1])
    people.entries = people.entries | entries_of(told, people.workspace)
    people._seen.clear()


def save(people: People) -> None:
    """Write the entries into the register; the caller holds its lock."""
    assert people.file is not None  # noqa: S101 - only called with a file
    told = read_register(people.file.parents[1])
    groups = told.setdefault("keys", {})
    owner = {name: group for group in groups.values() for name in group.get(people.workspace, {})}
    present = groups.setdefault(next(iter(people.keys)), {})
    for name, rows in people.entries.items():
        group = owner.get(name, present)
        group.setdefault(people.workspace, {})[name] = [
            [r.stand_in, unbound(r.from_at), unbound(r.to_at), r.is_shared, r.has_user] for r in rows
        ]
    write_register(people.file, told)


def write_register(path: Path, told: dict[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_state(path, told, 0o600)


def unbound(at: float) -> float | None:
    return None if at in (ENDLESS, -ENDLESS) else at


# --- what is left to do ----------------------------------------------------------------------------------------------


def want_rebuild(settings: Settings) -> None:
    """The warehouse and the serving copies still show somebody who was erased."""
    path = register_file(settings.data)
    with locked(path):
        write_register(path, read_register(settings.data) | {"rebuild_since": datetime.now(UTC).isoformat()})


def rebuild_since(settings: Settings) -> str | None:
    """Since when a full rebuild is wanted; None where it is not."""
    return read_register(settings.data).get("rebuild_since")


def rebuilt(settings: Settings, since: str) -> None:
    """The rebuild that was wanted at that moment is done and published."""
    path = register_file(settings.data)
    with locked(path):
        told = read_register(settings.data)
        if told.get("rebuild_since") == since:
            write_register(path, {name: value for name, value in told.items() if name != "rebuild_since"})
