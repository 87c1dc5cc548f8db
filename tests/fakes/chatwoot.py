"""A Chatwoot in memory: an account that lives while it is asked, with the moods of a real one.

Written from the API's description, not from its code: pages of 25 conversations, 100 messages and 15 contacts whose
rows move while they are read; `updated_within` without pages; reads that change no `updated_at`; times that are ints,
floats and ISO, null as 0; refusals, hiccups and limits.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from requests.adapters import BaseAdapter

Json = dict[str, Any]
START = datetime(2026, 9, 21, 8, tzinfo=UTC)
TOKEN = "token-of-an-administrator"
PAGE, MESSAGE_PAGE, CONTACT_PAGE = 25, 100, 15
STATUSES = ("open", "resolved", "pending", "snoozed")
LABELS = ("vip", "exchange", "شحن", "complaint")


class SlowAnswer(Exception):
    """No answer in time."""


@dataclass
class Moods:
    """How likely each trouble is, of each answer, and what happens between two questions."""

    limit: float = 0.0
    error: float = 0.0
    slow: float = 0.0
    empty: float = 0.0
    no_json: float = 0.0
    repeated: float = 0.0
    drift: float = 0.0
    touches: bool = True  # whether a message, or a change of one, moves its conversation's updated_at


@dataclass
class FakeChatwoot:
    """One account. `answer` takes a question and gives (status, headers, body)."""

    seed: int = 1
    account: int = 3
    moods: Moods = field(default_factory=Moods)
    now: datetime = START
    conversations: dict[int, Json] = field(default_factory=dict)
    messages: dict[int, list[Json]] = field(default_factory=dict)
    contacts: dict[int, Json] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    graves: dict[int, tuple[Json, list[Json]]] = field(default_factory=dict)  # what was deleted, should it come back
    questions: int = 0
    retry_after: str = "7"
    is_expired: bool = False
    is_admin: bool = True
    before_answer: Callable[[str], None] = lambda path: None
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.next_message = 900
        self.next_conversation = 1
        self.lock = threading.RLock()

    # --- life ---------------------------------------------------------------------------------------------------

    def live(self, events: int, seconds: float = 30.0) -> None:
        """So many things happen, one after another."""
        with self.lock:
            for _ in range(events):
                self.now += timedelta(seconds=self.random.random() * seconds)
                self.happen()

    def happen(self) -> None:
        chances = {
            self.begin: 3, self.write: 10, self.deliver: 6, self.look: 3, self.tag: 3, self.turn: 3, self.assign: 1,
            self.delete_message: 1, self.rename: 1,
        }  # fmt: skip
        self.random.choices(list(chances), list(chances.values()))[0]()

    def any_conversation(self) -> Json | None:
        # mostly a recent one
        ids = sorted(self.conversations)
        if not ids:
            return None
        return self.conversations[ids[-1 - min(int(self.random.expovariate(1 / 30)), len(ids) - 1)]]

    def begin(self) -> int:
        """A contact's first message opens a conversation."""
        contact = self.random.randint(1, max(2, len(self.contacts) + 1))
        if contact not in self.contacts:
            contact = 500 + len(self.contacts)
            self.contacts[contact] = {
                "id": contact,
                "name": f"Demo {contact}",
                "phone": f"+9665000{contact:05d}",
                "at": self.stamp(),
            }
        number = self.next_conversation
        self.next_conversation += 1
        self.conversations[number] = {
            "id": number, "contact": contact, "status": "open", "labels": [], "assignee": None, "created_at": self.stamp(),
            "updated_at": self.now.timestamp(), "last_activity_at": self.stamp(), "seen_at": 0, "waiting_since": self.stamp(),
        }  # fmt: skip
        self.messages[number] = []
        self.say(number, 0, "hi")
        return number

    def stamp(self) -> int:
        return int(self.now.timestamp())

    def say(self, conversation: int, kind: int, text: str) -> None:
        told = self.conversations[conversation]
        self.next_message += self.random.randint(1, 4)
        self.messages[conversation].append(
            {
                "id": self.next_message,
                "kind": kind,
                "text": text,
                "status": "sent",
                "at": self.stamp(),
                "deleted": False,
                "updated_at": self.now.timestamp(),
                "private": False,
            }
        )
        told["last_activity_at"] = self.stamp()
        self.contacts[told["contact"]]["at"] = self.stamp() if kind == 0 else self.contacts[told["contact"]]["at"]
        self.touch(told)

    def touch(self, told: Json) -> None:
        if self.moods.touches:
            told["updated_at"] = self.now.timestamp()

    def write(self) -> None:
        if told := self.any_conversation():
            kind = self.random.choice((0, 0, 1, 1, 1, 3))
            if kind == 0 and told["status"] == "resolved":
                self.change(told, status="open")
            self.say(told["id"], kind, f"text {self.random.random():.3f}")

    def deliver(self) -> None:
        """A delivery moves a message on; the conversation does not say so."""
        if told := self.any_conversation():
            for one in reversed(self.messages[told["id"]]):
                if one["kind"] in (1, 3) and one["status"] in ("sent", "delivered"):
                    one["status"] = {"sent": self.random.choice(("delivered", "failed")), "delivered": "read"}[
                        one["status"]
                    ]
                    one["updated_at"] = self.now.timestamp()
                    self.touch(told)
                    return

    def look(self) -> None:
        """An agent reads: nothing but the time of it changes."""
        if told := self.any_conversation():
            told["seen_at"] = self.stamp()

    def change(self, told: Json, **what: Any) -> None:
        told.update(what)
        told["updated_at"] = self.now.timestamp()

    def tag(self) -> None:
        if told := self.any_conversation():
            label = self.random.choice(LABELS)
            is_on = label in told["labels"]
            labels = [one for one in told["labels"] if one != label] if is_on else [*told["labels"], label]
            self.change(told, labels=labels)
            self.say(told["id"], 2, f"Sara {'removed' if is_on else 'added'} {label}")

    def turn(self) -> None:
        if told := self.any_conversation():
            self.change(told, status=self.random.choice(STATUSES))

    def assign(self) -> None:
        if told := self.any_conversation():
            self.change(told, assignee=self.random.choice((None, 11, 12)))

    def delete_message(self) -> None:
        """An agent deletes a message: the row stays, the text does not. Not only a young one."""
        if told := self.any_conversation():
            one = self.random.choice(self.messages[told["id"]])
            if one["kind"] == 1:
                one.update(deleted=True, text="This message was deleted", updated_at=self.now.timestamp())
                told["updated_at"] = self.now.timestamp()

    def rename(self) -> None:
        if self.contacts:
            self.random.choice(list(self.contacts.values()))["name"] = f"Renamed {self.random.random():.4f}"

    def vanish(self, conversation: int) -> None:
        self.graves[conversation] = self.conversations.pop(conversation), self.messages.pop(conversation)
        self.deleted.add(conversation)

    # --- how it looks -------------------------------------------------------------------------------------------

    def contact_object(self, number: int) -> Json:
        told = self.contacts[number]
        return {
            "id": number, "name": told["name"], "phone_number": told["phone"], "email": None, "identifier": None,
            "additional_attributes": {}, "custom_attributes": {}, "blocked": False, "thumbnail": "",
            "availability_status": self.random.choice(("online", "offline")), "last_activity_at": told["at"],
            "created_at": told["at"],
        }  # fmt: skip

    def message_object(self, conversation: int, one: Json) -> Json:
        found = {
            "id": one["id"], "content": one["text"], "inbox_id": 7, "conversation_id": conversation,
            "message_type": one["kind"], "content_type": "text", "status": one["status"],
            "content_attributes": {"deleted": True} if one["deleted"] else {}, "created_at": one["at"],
            "private": one["private"], "source_id": None,
        }  # fmt: skip
        if one["kind"] == 0:
            contact = self.conversations[conversation]["contact"]
            found["sender"] = {"id": contact, "name": self.contacts[contact]["name"], "type": "contact"}
        elif one["kind"] == 1:
            found["sender"] = {"id": 11, "name": "Sara", "type": "user"}
        return found

    def nested_message(self, conversation: int, one: Json) -> Json:
        updated = (
            datetime.fromtimestamp(one["updated_at"], UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        )
        return self.message_object(conversation, one) | {"account_id": self.account, "updated_at": updated}

    def conversation_object(self, number: int) -> Json:
        told, messages = self.conversations[number], self.messages[number]
        talk = [one for one in messages if one["kind"] != 2]
        unread = [one for one in messages if one["kind"] == 0 and one["at"] > told["seen_at"]]
        meta: Json = {
            "sender": self.contact_object(told["contact"]),
            "channel": "Channel::Whatsapp",
            "hmac_verified": False,
        }
        if told["assignee"]:
            meta["assignee"] = {
                "id": told["assignee"],
                "name": f"Agent {told['assignee']}",
                "availability_status": "online",
            }
        return {
            "meta": meta, "id": number, "messages": [self.nested_message(number, messages[-1])],
            "last_non_activity_message": self.nested_message(number, talk[-1]), "account_id": self.account,
            "uuid": f"00000000-0000-4000-8000-{number:012d}", "inbox_id": 7, "labels": list(told["labels"]),
            "status": told["status"], "created_at": told["created_at"], "updated_at": told["updated_at"],
            "timestamp": told["last_activity_at"], "last_activity_at": told["last_activity_at"],
            "first_reply_created_at": 0, "waiting_since": told["waiting_since"], "agent_last_seen_at": told["seen_at"],
            "assignee_last_seen_at": told["seen_at"], "contact_last_seen_at": 0, "unread_count": min(10, len(unread)),
            "priority": None, "snoozed_until": None, "custom_attributes": {}, "can_reply": self.random.random() < 0.5,
        }  # fmt: skip

    # --- questions ----------------------------------------------------------------------------------------------

    def answer(self, url: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """What GET of an address gives. Raises SlowAnswer where nothing comes in time."""
        with self.lock:
            return self._answer(url, headers)

    def _answer(self, url: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(url)
        params = dict(parse_qsl(parts.query))
        self.questions += 1
        self.asked.append(f"{parts.path}?{parts.query}")
        self.now += timedelta(milliseconds=37)
        self.before_answer(parts.path)
        moods, mood = self.moods, self.random.random
        if mood() < moods.drift:
            self.live(1, seconds=1.0)
        if mood() < moods.limit:
            return 429, {"Retry-After": self.retry_after}, b"Retry later\n"
        if mood() < moods.error:
            return self.random.choice((500, 502, 503)), {}, b"<html>We're sorry</html>"
        if mood() < moods.slow:
            raise SlowAnswer
        if mood() < moods.no_json:
            return 200, {}, b"<html>maintenance</html>"
        if headers.get("api_access_token") != TOKEN or self.is_expired:
            return 401, {}, b'{"error":"Invalid Access Token"}'
        status, body = self.route(parts.path, params)
        return status, {}, json.dumps(body, ensure_ascii=False).encode()

    def route(self, path: str, params: dict[str, str]) -> tuple[int, Any]:  # noqa: PLR0911, PLR0912 - one line a path
        if path == "/api/v1/profile":
            role = "administrator" if self.is_admin else "agent"
            return 200, {
                "id": 11,
                "name": "Sara",
                "access_token": TOKEN,
                "accounts": [{"id": self.account, "name": "Demo", "role": role}],
            }
        parts = path.strip("/").split("/")
        if parts[2:4] != ["accounts", str(self.account)]:
            return 404, {"error": "Resource could not be found"}
        match parts[1], parts[4:]:
            case "v1", ["agents"]:
                return 200, [
                    {"id": one, "account_id": self.account, "name": f"Agent {one}", "role": "agent"} for one in (11, 12)
                ]
            case "v1", ["inboxes"]:
                secret = {"provider_config": {"api_key": "a-secret-of-meta", "phone_number_id": "800000000000001"}}
                return 200, {
                    "payload": [{"id": 7, "name": "WhatsApp SA", "channel_type": "Channel::Whatsapp"} | secret]
                }
            case "v1", ["teams"]:
                return 200, [{"id": 3, "name": "sales", "account_id": self.account}]
            case "v1", ["labels"]:
                return 200, {"payload": [{"id": n, "title": title} for n, title in enumerate(LABELS, 1)]}
            case "v1", ["webhooks"]:
                return (200, {"payload": {"webhooks": []}}) if self.is_admin else (403, {"error": "forbidden"})
            case "v2", ["live_reports", "conversation_metrics"]:
                return 200, {
                    "open": self.count("open"),
                    "unattended": 0,
                    "unassigned": 0,
                    "pending": self.count("pending"),
                }
            case "v1", ["conversations", "meta"]:
                return 200, {"meta": self.counts(self.selected(params.get("status", "open")))}
            case "v1", ["conversations"]:
                return 200, self.conversation_page(params)
            case "v1", ["conversations", number]:
                if int(number) not in self.conversations:
                    return 404, {"error": "Resource could not be found"}
                return 200, self.conversation_object(int(number))
            case "v1", ["conversations", number, "messages"]:
                if int(number) not in self.conversations:
                    return 404, {"error": "Resource could not be found"}
                return 200, self.message_page(int(number), params)
            case "v1", ["contacts"]:
                return 200, self.contact_page(params)
        return 404, {"error": "no such path"}

    def count(self, status: str) -> int:
        return len(self.selected(status))

    def counts(self, rows: list[Json]) -> Json:
        return {"mine_count": 0, "assigned_count": 0, "unassigned_count": len(rows), "all_count": len(rows)}

    def selected(self, status: str) -> list[Json]:
        return [one for one in self.conversations.values() if status in ("all", one["status"])]

    def conversation_page(self, params: dict[str, str]) -> Json:
        rows = self.selected(params.get("status", "open"))
        meta = self.counts(rows)
        key, _, order = params.get("sort_by", "last_activity_at_desc").rpartition("_")
        rows.sort(key=lambda one: (one[key], one["id"]), reverse=order == "desc")
        if within := params.get("updated_within"):
            rows = [one for one in rows if one["updated_at"] > self.now.timestamp() - int(within)]
        else:
            rows = rows[(int(params.get("page", 1)) - 1) * PAGE :][:PAGE]
        return {"data": {"meta": meta, "payload": self.moody([self.conversation_object(one["id"]) for one in rows])}}

    def message_page(self, number: int, params: dict[str, str]) -> Json:
        rows = sorted(self.messages[number], key=lambda one: one["at"])
        after, before = int(params.get("after", 0)), int(params.get("before", 0))
        if before:
            rows = [one for one in rows if after <= one["id"] < before][:1000]
        else:
            rows = [one for one in rows if one["id"] > after][:MESSAGE_PAGE]
        told = self.conversations[number]
        meta = {
            "labels": list(told["labels"]),
            "contact": self.contact_object(told["contact"]),
            "agent_last_seen_at": None,
        }
        return {"meta": meta, "payload": self.moody([self.message_object(number, one) for one in rows])}

    def contact_page(self, params: dict[str, str]) -> Json:
        rows = sorted(
            self.contacts.values(),
            key=lambda one: (one["at"], one["id"]),
            reverse=params.get("sort", "").startswith("-"),
        )
        page = int(params.get("page", 1))
        inbox = {"id": 7, "name": "WhatsApp SA", "channel_type": "Channel::Whatsapp"}
        shown = [
            self.contact_object(one["id"]) | {"contact_inboxes": [{"source_id": one["phone"][1:], "inbox": inbox}]}
            for one in rows[(page - 1) * CONTACT_PAGE :][:CONTACT_PAGE]
        ]
        return {"meta": {"count": len(rows), "current_page": page}, "payload": self.moody(shown)}

    def moody(self, rows: list[Json]) -> list[Json]:
        """The rows, now and then none of them or one of them twice."""
        if self.random.random() < self.moods.empty:
            return []
        if rows and self.random.random() < self.moods.repeated:
            return [*rows, self.random.choice(rows)]
        return rows

    # --- the truth ----------------------------------------------------------------------------------------------

    def truth(self) -> tuple[dict[int, tuple], dict[int, tuple]]:
        """({conversation: (status, labels, assignee, seen at)}, {message: (conversation, kind, status, is deleted)})"""
        conversations = {
            n: (one["status"], tuple(sorted(one["labels"])), one["assignee"], one["seen_at"])
            for n, one in self.conversations.items()
        }
        messages = {
            one["id"]: (n, one["kind"], one["status"], one["deleted"])
            for n, rows in self.messages.items()
            for one in rows
        }
        return conversations, messages


class Adapter(BaseAdapter):
    """Answers a requests session without a network. `before` may raise, as a kill would come."""

    def __init__(self, fake: Any, before: Callable[[str], None] = lambda url: None) -> None:
        super().__init__()
        self.fake = fake
        self.before = before

    def send(self, request: requests.PreparedRequest, **_: Any) -> requests.Response:
        self.before(str(request.url))
        try:
            status, headers, body = self.fake.answer(str(request.url), dict(request.headers))
        except SlowAnswer:
            raise requests.ReadTimeout(str(request.url)) from None
        answer = requests.Response()
        answer.status_code, answer._content, answer.url, answer.request = status, body, str(request.url), request
        answer.headers.update(headers)
        answer.encoding = "utf-8"
        return answer

    def close(self) -> None:
        """Nothing is open."""


def session_of(fake: Any, before: Callable[[str], None] = lambda url: None) -> requests.Session:
    """A session whose every question the fake answers."""
    session = requests.Session()
    session.trust_env = False
    for scheme in ("http://", "https://"):
        session.mount(scheme, Adapter(fake, before))
    return session


@contextmanager
def served(fake: Any) -> Iterator[str]:
    """The fake at an address of its own, for other processes to ask."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer is one packet

        def do_GET(self) -> None:
            try:
                status, headers, body = fake.answer(self.path, dict(self.headers))
            except SlowAnswer:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in (headers | {"Content-Length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: Any) -> None:
            """A killed asker is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
