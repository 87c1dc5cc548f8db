"""The growth plot: seconds by messages, both logarithmic, as a small SVG file."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

LINES = {
    "full": ("Full refresh", "#1f6f5c"),
    "limit": ("Limit: one DuckDB script", "#8a8f98"),
    "hour": ("An hour's worth", "#c2571a"),
    "start": ("Start-up (nothing landed)", "#b9bdc4"),
}
WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 420, 64, 40, 210, 48
FONT = 'font-family="system-ui, sans-serif" font-size="13"'


def write_growth(history: Path, target: Path) -> None:
    """Draw the newest measurement of each size."""
    newest: dict[int, dict[str, Any]] = {}
    for line in history.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        # a later run that measured less does not hide what an earlier one measured
        newest.setdefault(told["messages"], {}).update(told["seconds"])
    target.write_text(growth_svg(newest), encoding="utf-8")


def growth_svg(seconds: dict[int, dict[str, float]]) -> str:
    """The plot.

    Args:
        seconds: by number of messages, by name of line.
    """
    sizes = sorted(seconds)
    values = [told[name] for told in seconds.values() for name in LINES if name in told]
    x_low, x_high = math.floor(math.log10(sizes[0])), max(math.ceil(math.log10(sizes[-1])), math.floor(math.log10(sizes[0])) + 1)
    y_low, y_high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def x_of(messages: float) -> float:
        return LEFT + (math.log10(messages) - x_low) / (x_high - x_low) * (WIDTH - LEFT - RIGHT)

    def y_of(value: float) -> float:
        return HEIGHT - BOTTOM - (math.log10(value) - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" {FONT} fill="#333">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="22" font-weight="600">Seconds by number of messages</text>',
    ]
    for power in range(x_low, x_high + 1):
        x = x_of(10**power)
        parts.append(f'<line x1="{x:.0f}" y1="{TOP}" x2="{x:.0f}" y2="{HEIGHT - BOTTOM}" stroke="#e6e6e6"/>')
        parts.append(f'<text x="{x:.0f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{10**power:,}</text>')
    for power in range(y_low, y_high + 1):
        y = y_of(10**power)
        parts.append(f'<line x1="{LEFT}" y1="{y:.0f}" x2="{WIDTH - RIGHT}" y2="{y:.0f}" stroke="#e6e6e6"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 4:.0f}" text-anchor="end">{10.0**power:g} s</text>')
    labels = TOP + 14
    for name, (label, colour) in LINES.items():
        points = [(x_of(size), y_of(seconds[size][name])) for size in sizes if name in seconds[size]]
        if not points:
            continue
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in points]
        parts.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{labels - 9}" width="14" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{WIDTH - RIGHT + 34}" y="{labels - 3}" font-size="12">{label}</text>')
        labels += 22
    return "\n".join([*parts, "</svg>", ""])
