"""Meta's Graph in memory: one business account, its numbers, templates and counts, with the moods of the real one.

Written from its description: lists by cursor, counts within a year in points that are not sorted and may be told twice,
costs that may be hidden, errors with codes.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fakes.chatwoot import Moods, SlowAnswer

Json = dict[str, Any]
TOKEN = "token-of-a-system-user"
ACCOUNT = "700000000000001"
START = datetime(2026, 9, 21, 8, tzinfo=UTC)
GRANULARITIES = {
    "analytics": ("HALF_HOUR", "DAY", "MONTH"),
    "conversation_analytics": ("HALF_HOUR", "DAILY", "MONTHLY"),
    "pricing_analytics": ("HALF_HOUR", "DAILY", "MONTHLY"),
}
CATEGORIES = ("MARKETING", "SERVICE", "UTILITY")


@dataclass
class FakeGraph:
    """`answer` takes a question and gives (status, headers, body)."""

    seed: int = 1
    moods: Moods = field(default_factory=Moods)
    now: datetime = START
    templates: int = 230
    is_expired: bool = False
    lacks_right: bool = False
    hides_cost: bool = False
    throttles: int = 0  # so many of the next questions
    throttle_code: int = 80007
    closed_for: str = ""  # seconds, told in Retry-After
    lacks: str = ""  # a field that this account has not
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.late: dict[tuple[str, str], int] = {}

    def volume(self, day: datetime, category: str) -> int:
        """What happened on a day; the last two days still grow."""
        settled = random.Random(f"{self.seed} {day:%Y-%m-%d} {category}").randint(0, 90)
        age = self.now - day
        return settled if age > timedelta(days=2) else int(settled * min(1.0, age / timedelta(days=2)))

    def truth(self) -> dict[tuple[datetime, str], int]:
        """{(day, category): volume} of the last year."""
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        days = [midnight - timedelta(days=n) for n in range(365)]
        return {(day, category.lower()): self.volume(day, category) for day in days for category in CATEGORIES}

    def answer(self, url: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        """What GET of an address gives. Raises SlowAnswer where nothing comes in time."""
        parts = urlsplit(url)
        params = dict(parse_qsl(parts.query))
        self.asked.append(url)
        self.now += timedelta(milliseconds=50)
        mood = self.random.random
        if mood() < self.moods.error:
            return 500, {}, b'{"error":{"message":"An unknown error occurred","type":"OAuthException","code":1}}'
        if mood() < self.moods.slow:
            raise SlowAnswer
        if self.closed_for:
            return 503, {"Retry-After": self.closed_for}, b""
        if self.throttles:
            self.throttles -= 1
            return self.refused(400, self.throttle_code, "rate limit")
        if headers.get("Authorization") != f"Bearer {TOKEN}" or self.is_expired:
            return self.refused(401, 190, "Error validating access token: Session has expired")
        if self.lacks_right:
            return self.refused(403, 200, "Permissions error")
        status, body = self.route(parts.path.strip("/").split("/")[1:], params)
        return status, {}, json.dumps(body).encode()

    def refused(self, status: int, code: int, message: str, **more: Any) -> tuple[int, dict[str, str], bytes]:
        error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code, "fbtrace_id": "DEMO"} | more
        return status, {}, json.dumps({"error": error}).encode()

    def route(self, parts: list[str], params: dict[str, str]) -> tuple[int, Json]:
        match parts:
            case [account, *_] if account != ACCOUNT:
                error = {
                    "message": "Unsupported get request",
                    "type": "GraphMethodException",
                    "code": 100,
                    "error_subcode": 33,
                }
                return 400, {"error": error}
            case [_, "phone_numbers"]:
                number = {
                    "id": "800000000000001",
                    "display_phone_number": "+966 11 000 0001",
                    "verified_name": "Demo Store",
                }
                return 200, self.listed([number | {"quality_rating": "GREEN"}], params, parts)
            case [_, "message_templates"]:
                rows = [
                    {"id": str(710000000000000 + n), "name": f"offer_{n}", "language": "ar", "status": "APPROVED",
                     "category": "MARKETING", "components": []}
                    for n in range(self.templates)
                ]  # fmt: skip
                return 200, self.listed(rows, params, parts)
            case [_, "subscribed_apps"]:
                return 200, {"data": [{"whatsapp_business_api_data": {"id": "1", "name": "Demo"}}]}
            case [_]:
                return self.counted(params.get("fields", ""))
        return 404, {"error": {"message": "Unknown path", "code": 2500}}

    def listed(self, rows: list[Json], params: dict[str, str], parts: list[str]) -> Json:
        start = int(params.get("after", "c0")[1:])
        limit = int(params.get("limit", 25))
        shown = [] if self.random.random() < self.moods.empty else rows[start : start + limit]
        paging: Json = {"cursors": {"before": f"c{start}", "after": f"c{start + limit}"}}
        if start + limit < len(rows):
            # the real one writes the token into the address of the next page
            paging["next"] = (
                f"https://graph.facebook.com/v26.0/{'/'.join(parts)}?access_token={TOKEN}&after=c{start + limit}"
            )
        return {"data": shown, "paging": paging}

    def counted(self, asked: str) -> tuple[int, Json]:
        found = re.match(r"(\w+)\.start\((\d+)\)\.end\((\d+)\)\.granularity\((\w+)\)", asked)
        wrong = {"message": "(#100) Invalid parameter", "type": "OAuthException", "code": 100, "fbtrace_id": "DEMO"}
        if not found or found[4] not in GRANULARITIES.get(found[1], ()) or found[1] == self.lacks:
            return 400, {"error": wrong}
        start, end = (datetime.fromtimestamp(int(found[n]), UTC) for n in (2, 3))
        if start < self.now - timedelta(days=365) or end <= start:
            return 400, {"error": wrong | {"message": "(#100) start is too long ago"}}
        points = []
        day = start.replace(hour=0, minute=0, second=0, microsecond=0)
        while day < end:
            points += self.points(found[1], day)
            day += timedelta(days=1)
        self.random.shuffle(points)
        if points and self.random.random() < self.moods.repeated:
            points.append(self.random.choice(points))
        if found[1] == "analytics":
            return 200, {"analytics": {"granularity": "DAY", "data_points": points}, "id": ACCOUNT}
        return 200, {found[1]: {"data": [{"data_points": points}]}, "id": ACCOUNT}

    def points(self, name: str, day: datetime) -> list[Json]:
        at = {"start": int(day.timestamp()), "end": int((day + timedelta(days=1)).timestamp())}
        volumes = {category: self.volume(day, category) for category in CATEGORIES}
        if name == "analytics":
            return [at | {"sent": sum(volumes.values()), "delivered": sum(volumes.values())}]
        noun, kind = ("volume", "pricing") if name == "pricing_analytics" else ("conversation", "conversation")
        return [
            at
            | {noun: volume, f"{kind}_category": category, f"{kind}_type": "REGULAR", "country": "SA"}
            | ({} if self.hides_cost else {"cost": volume * 0.05})
            for category, volume in volumes.items()
        ]
