"""Settings: SALWA_* variables or a .env file for one workspace, workspaces.toml for several."""

from __future__ import annotations

import re
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, available_timezones

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ingestion.errors import SalwaError

WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
MINUTES_OF = {"m": 1, "h": 60, "d": 1440}
DAY_MINUTES = 1440
# Published on purpose: the example's people do not exist. It is used only in the folder that the example made.
SHORTEST_KEY = 16
EXAMPLE_KEY = "the-example-shop-hides-nobody-so-its-key-is-published"
EXAMPLE_MARKER = "example-made-up-to"


def duration(value: Any) -> Any:
    """'24h', '90m' or '3d' as a timedelta; anything else is left to pydantic."""
    if isinstance(value, str) and (found := re.fullmatch(r"\s*(\d+)\s*([mhd])\s*", value)):
        return timedelta(minutes=int(found[1]) * MINUTES_OF[found[2]])
    return value


def words(value: Any) -> Any:
    """'friday, saturday' as a tuple of lower-case words."""
    if isinstance(value, str):
        return tuple(word.strip().lower() for word in value.split(",") if word.strip())
    return value


Duration = Annotated[timedelta, BeforeValidator(duration)]
Weekday = Literal["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]


class WorkingHours(BaseModel):
    """Opening hours of some weekdays. A close at or before the opening is past midnight, as in Ramadan."""

    model_config = ConfigDict(extra="forbid")

    days: Annotated[tuple[Weekday, ...], BeforeValidator(words)]
    opens: str
    closes: str
    valid_from: date = date(2009, 1, 1)
    valid_to: date = date(2099, 12, 31)

    @field_validator("opens", "closes")
    @classmethod
    def clock_time(cls, value: str) -> str:
        if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d|24:00", value):
            raise ValueError(f"{value!r} is not a time like 09:00")
        return value

    def minutes(self) -> tuple[int, int]:
        """(opening, closing) in minutes after local midnight of the opening day; closing may pass 1440."""
        opens, closes = (int(clock[:2]) * 60 + int(clock[3:]) for clock in (self.opens, self.closes))
        return opens, closes if closes > opens else closes + DAY_MINUTES


class WhatsAppNumber(BaseModel):
    """What is known of a business number, by its phone_number_id."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = None
    untagged_sends_are: Literal["agent", "automation"] = "agent"


class Workspace(BaseModel):
    """One business: its clock, its calendar and the accounts that are its own."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    timezone: str = "Asia/Riyadh"
    week_start: Weekday = "sunday"
    weekend: Annotated[tuple[Weekday, ...], BeforeValidator(words)] = ("friday", "saturday")
    currency: str = "SAR"
    session_gap: Duration = timedelta(hours=24)
    attribution_window: Duration = timedelta(days=3)
    working_hours: tuple[WorkingHours, ...] = ()
    holidays: Annotated[tuple[date, ...], BeforeValidator(words)] = ()
    whatsapp_numbers: dict[str, WhatsAppNumber] = {}
    chatwoot_url: str | None = None
    chatwoot_account: str | None = None
    chatwoot_token: SecretStr | None = None
    whatsapp_graph_token: SecretStr | None = None
    whatsapp_business_account: Annotated[tuple[str, ...], BeforeValidator(words)] = ()
    # what proves a webhook; where one is not set here, the SALWA_ variable of that name counts
    whatsapp_app_secret: SecretStr | None = None
    whatsapp_verify_token: SecretStr | None = None
    chatwoot_webhook_secret: SecretStr | None = None
    chatwoot_webhook_path_token: SecretStr | None = None
    salla_webhook_secret: SecretStr | None = None

    @field_validator("timezone")
    @classmethod
    def known_zone(cls, value: str) -> str:
        if value not in available_timezones():
            raise ValueError(f"{value!r} is not a time zone; take an IANA name such as Asia/Riyadh")
        return value

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)


def hours_from_text(text: str) -> tuple[WorkingHours, ...]:
    """'sun-thu 09:00-13:00,14:00-18:00; sat 10:00-14:00' as working hours."""
    found = []
    for part in filter(None, (piece.strip().lower() for piece in text.split(";"))):
        match = re.fullmatch(r"([a-z]{3})(?:-([a-z]{3}))?\s+([\d:,\s-]+)", part)
        short = [day[:3] for day in WEEKDAYS]
        if not match or any(day and day not in short for day in match.groups()[:2]):
            raise ValueError(f"{part!r} is not like 'sun-thu 09:00-17:00'")
        first, last = short.index(match[1]), short.index(match[2] or match[1])
        days = tuple(WEEKDAYS[(first + n) % 7] for n in range((last - first) % 7 + 1))
        for span in match[3].split(","):
            opens, _, closes = span.strip().partition("-")
            found.append(WorkingHours(days=days, opens=opens.strip(), closes=closes.strip()))
    return tuple(found)


class Settings(BaseSettings):
    """Everything that can be set. Field names with SALWA_ in front are the variables' names."""

    model_config = SettingsConfigDict(env_prefix="SALWA_", env_file=".env", extra="ignore", env_ignore_empty=True)

    data: Path = Path("data")
    workspace: str = "default"
    timezone: str = "Asia/Riyadh"
    week_start: str = "sunday"
    weekend: str = "friday,saturday"
    currency: str = "SAR"
    session_gap: Duration = timedelta(hours=24)
    attribution_window: Duration = timedelta(days=3)
    working_hours: str = ""
    holidays: str = ""
    untagged_sends_are: Literal["agent", "automation"] = "agent"
    phone_key: SecretStr | None = None
    memory: str = Field(default="", pattern=r"^(\d+(\.\d+)?(MB|GB))?$")  # of a build; without it what DuckDB takes
    engine: Literal["duckdb", "spark"] = "duckdb"
    lake: str = ""  # Spark's tables: a folder or an object store's URL; without it a folder of data
    spark_host: str = "127.0.0.1"
    spark_port: int = 10000  # of the Thrift server
    former_phone_keys: SecretStr | None = None  # by which people were erased before the key was changed
    serving_url: SecretStr | None = None
    arabic_digits: Literal["latin", "arabic"] = "latin"
    serving_role: str = Field(default="salwa_reader", pattern=r"^[a-z_][a-z0-9_]{0,62}$")
    chatwoot_url: str | None = None
    chatwoot_account: str | None = None
    chatwoot_token: SecretStr | None = None
    whatsapp_graph_token: SecretStr | None = None
    whatsapp_business_account: str = ""
    whatsapp_graph_url: str = "https://graph.facebook.com/v26.0"
    salla_api: str = "https://api.salla.dev/admin/v2"
    salla_accounts: str = "https://accounts.salla.sa"
    salla_client_id: str | None = None
    salla_client_secret: SecretStr | None = None
    whatsapp_app_secret: SecretStr | None = None
    whatsapp_verify_token: SecretStr | None = None
    chatwoot_webhook_secret: SecretStr | None = None
    chatwoot_webhook_path_token: SecretStr | None = None  # for a Chatwoot too old to sign: /webhooks/chatwoot/<token>
    salla_webhook_secret: SecretStr | None = None
    metabase_url: str | None = None
    metabase_api_key: SecretStr | None = None
    metabase_user: str | None = None  # an administrator's e-mail address, where there is no key
    metabase_password: SecretStr | None = None
    metabase_database_url: SecretStr | None = None  # serving as Metabase reaches it, with a user that may only read
    refresh_secret: SecretStr | None = None  # signs the Refresh links of dashboards
    public_url: str = ""  # where readers reach the receiver, https://...
    receive_rotate_seconds: float = Field(default=60.0, gt=0)
    refresh_min_seconds: float = Field(default=120.0, ge=10)

    @property
    def landing(self) -> Path:
        return self.data / "landing"

    @property
    def restricted(self) -> Path:
        """Raw to intermediate: holds personal data."""
        return self.data / "restricted.duckdb"

    @property
    def warehouse(self) -> Path:
        """Facts and marts, without personal data."""
        return self.data / "warehouse.duckdb"

    @property
    def serving(self) -> Path:
        return self.data / "serving"

    def serving_database(self) -> str | None:
        """The URL of the PostgreSQL database that readers use; None where they use the DuckDB copy, as the example does."""
        if self.serving_url is None or (self.data / EXAMPLE_MARKER).exists():
            return None
        return self.serving_url.get_secret_value() or None

    def workspaces(self) -> list[Workspace]:
        """All workspaces: those of workspaces.toml, else the one that the variables describe."""
        path = self.data / "workspaces.toml"
        try:
            if path.exists():
                tables = tomllib.loads(path.read_text(encoding="utf-8")).get("workspaces", {})
                return [Workspace(name=name, **table) for name, table in tables.items()]
            return [self._single_workspace()]
        except (ValueError, TypeError) as error:
            where = path if path.exists() else "the SALWA_ settings"
            raise SalwaError(f"{where}: {plain(error)}") from None

    def _single_workspace(self) -> Workspace:
        return Workspace(
            name=self.workspace,
            timezone=self.timezone,
            week_start=self.week_start.lower(),  # type: ignore[arg-type]
            weekend=self.weekend,  # type: ignore[arg-type]
            currency=self.currency,
            session_gap=self.session_gap,
            attribution_window=self.attribution_window,
            working_hours=hours_from_text(self.working_hours),
            holidays=self.holidays,  # type: ignore[arg-type]
            whatsapp_numbers={"*": WhatsAppNumber(untagged_sends_are=self.untagged_sends_are)},
            chatwoot_url=self.chatwoot_url,
            chatwoot_account=self.chatwoot_account,
            whatsapp_business_account=self.whatsapp_business_account,  # type: ignore[arg-type]
        )

    def key(self) -> str:
        """The secret behind every hashed id.

        Raises:
            SalwaError: it is not set, or so short that it could be guessed.
        """
        if (self.data / EXAMPLE_MARKER).exists():
            return EXAMPLE_KEY
        if self.phone_key is None or not self.phone_key.get_secret_value():
            raise SalwaError(
                "SALWA_PHONE_KEY is not set. It keeps customers' numbers out of the dashboard; make one with "
                "`salwa keygen` and keep it: SALWA_PHONE_KEY=... in .env (only `salwa example` runs without it)"
            )
        key = self.phone_key.get_secret_value()
        if len(key) < SHORTEST_KEY:
            raise SalwaError(f"SALWA_PHONE_KEY is shorter than {SHORTEST_KEY} characters and could be guessed: `salwa keygen`")
        return key


def plain(error: Exception) -> str:
    """An error in one line; of pydantic's the first finding with the field's name."""
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {in_words(first)}"
    return str(error).splitlines()[0]


def in_words(finding: Any) -> str:
    """What pydantic found, as a person would say it."""
    kind, given = finding["type"], finding.get("input")
    if kind.startswith("time_delta"):
        return f"{given!r} is no duration; write it like 90m, 24h or 3d"
    if kind == "extra_forbidden":
        return "there is no such setting; .env.example lists them all"
    if kind == "string_pattern_mismatch":
        return f"{given!r} is not possible: small letters, digits, - and _ only"
    return str(finding["msg"]).removeprefix("Value error, ")


def load_settings(**overrides: Any) -> Settings:
    """Settings from the environment and .env; overrides win.

    Raises:
        SalwaError: a variable cannot be read.
    """
    try:
        return Settings(**overrides)
    except ValidationError as error:
        field = error.errors()[0]["loc"][0]
        raise SalwaError(f"SALWA_{str(field).upper()}: {in_words(error.errors()[0])}") from None
