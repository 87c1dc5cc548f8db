"""The settings the example shop needs, as a workspaces.toml."""

from __future__ import annotations

from datetime import date
from typing import Any

from ingestion.example.shop import CHATWOOT_ACCOUNT, SALES, SUPPORT
from ingestion.example.story import holiday_of

EXAMPLE_WORKSPACE: dict[str, Any] = {
    "name": "default",
    "timezone": "Asia/Riyadh",
    "week_start": "sunday",
    "weekend": ["friday", "saturday"],
    "currency": "SAR",
    "chatwoot_url": "https://inbox.example.test",
    "chatwoot_account": str(CHATWOOT_ACCOUNT),
    "working_hours": [
        {"days": ["sunday", "monday", "tuesday", "wednesday", "thursday"], "opens": "10:00", "closes": "15:00"},
        {"days": ["sunday", "monday", "tuesday", "wednesday", "thursday"], "opens": "16:30", "closes": "23:00"},
        {"days": ["friday", "saturday"], "opens": "16:00", "closes": "24:00"},
    ],
    "whatsapp_numbers": {line.phone_number_id: {"name": line.name} for line in (SALES, SUPPORT)},
}


def example_workspaces_toml(end: date) -> str:
    """The example's workspaces.toml for a story that ends on `end`, its day off included."""
    workspace = EXAMPLE_WORKSPACE
    name = workspace["name"]
    lines = [f"[workspaces.{name}]"]
    for key in ("timezone", "week_start", "weekend", "currency", "chatwoot_url", "chatwoot_account"):
        lines.append(f"{key} = {toml_value(workspace[key])}")
    lines.append(f"holidays = [{holiday_of(end).isoformat()}]")
    for hours in workspace["working_hours"]:
        lines += ["", f"[[workspaces.{name}.working_hours]]"]
        lines += [f"{key} = {toml_value(value)}" for key, value in hours.items()]
    for number_id, number in workspace["whatsapp_numbers"].items():
        lines += ["", f"[workspaces.{name}.whatsapp_numbers.{number_id}]"]
        lines += [f"{key} = {toml_value(value)}" for key, value in number.items()]
    return "\n".join(lines) + "\n"


def toml_value(value: str | list[str]) -> str:
    """Plain words only, which is all the example has."""
    if isinstance(value, list):
        return f"[{', '.join(map(toml_value, value))}]"
    return f'"{value}"'
