"""What was pushed last, so that an edit made by hand can be told from a change of ours: SALWA_DATA/metabase.json.

It is a memory, not the truth: ids in it are looked up again, and without the file a push still finds what is ours. Then
it cannot know who made a difference, and shows each one as made by hand.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

SCRYPT = {"n": 2**14, "r": 8, "p": 1}


@dataclass
class Pushed:
    """Of one thing: its id, and fingerprints of what was wanted and of what the server made of it."""

    id: int | None = None
    wanted: str = ""
    found: str = ""


@dataclass
class State:
    """Of one Metabase. `is_ours`: it was set up by salwa."""

    file: Path
    url: str
    is_ours: bool = False
    password: str = ""  # of the database, hashed with a salt: to see that it is another one
    things: dict[str, Pushed] = field(default_factory=dict)

    def save(self) -> None:
        self.file.parent.mkdir(parents=True, exist_ok=True)
        partial = self.file.with_suffix(".partial")
        body = {
            "url": self.url,
            "is_ours": self.is_ours,
            "password": self.password,
            "things": {key: asdict(thing) for key, thing in sorted(self.things.items())},
        }
        partial.write_text(json.dumps(body, indent=1), encoding="utf-8")
        partial.chmod(0o600)
        partial.replace(self.file)

    def id_of(self, key: str) -> int | None:
        return self.things[key].id if key in self.things else None

    def remember(self, key: str, identifier: int | None, wanted: Any, found: Any) -> None:
        self.things[key] = Pushed(identifier, fingerprint(wanted), fingerprint(found))
        self.save()

    def knows_password(self, password: str) -> bool:
        salt, _, digest = self.password.partition(":")
        return bool(salt) and secrets.compare_digest(digest, hashed(password, salt))

    def remember_password(self, password: str) -> None:
        salt = secrets.token_hex(16)
        self.password = f"{salt}:{hashed(password, salt)}"


def load_state(file: Path, url: str) -> State:
    """What is remembered of this Metabase; nothing where the file is missing, broken or of another one."""
    try:
        body = json.loads(file.read_text(encoding="utf-8"))
        if body["url"] != url:
            return State(file, url)
        things = {key: Pushed(**thing) for key, thing in body["things"].items()}
        return State(file, url, body["is_ours"], body["password"], things)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return State(file, url)


def fingerprint(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=False).encode()).hexdigest()[:32]


def hashed(password: str, salt: str) -> str:
    return base64.b64encode(hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), **SCRYPT)).decode()
