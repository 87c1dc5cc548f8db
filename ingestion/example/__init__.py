"""The example shop: a seeded story of a shop in Riyadh, in the sources' own wire formats.

story (who does what when) → whatsapp_wire, chatwoot_wire, salla_wire (events → payloads) → archive (files that
`salwa import` reads). All people and numbers are fictional, see shop.FICTIONAL_PHONES.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from ingestion.example.archive import write_archive
from ingestion.example.chatwoot_wire import chatwoot_arrivals
from ingestion.example.salla_wire import salla_arrivals
from ingestion.example.shop import FICTIONAL_PHONES
from ingestion.example.story import tell
from ingestion.example.truth import ChannelTruth, ExampleTruth, truth_of
from ingestion.example.whatsapp_wire import whatsapp_arrivals
from ingestion.example.workspace import EXAMPLE_WORKSPACE, example_workspaces_toml

__all__ = [
    "EXAMPLE_WORKSPACE",
    "FICTIONAL_PHONES",
    "ChannelTruth",
    "ExampleTruth",
    "example_workspaces_toml",
    "write_example",
]


def write_example(folder: Path, end: date, days: int = 60, seed: int = 7) -> ExampleTruth:
    """Write the example's archives: folder/whatsapp, folder/chatwoot and folder/salla, a file per day of receipt.

    The story covers `days` local days, the last of them `end` (whole). The same arguments give the same bytes.

    Returns:
        What a run over the archives must find as of the midnight after `end`.
    """
    story = tell(end, days, seed)
    rejects = {
        "whatsapp": write_archive(folder / "whatsapp", whatsapp_arrivals(story), seed),
        "chatwoot": write_archive(folder / "chatwoot", chatwoot_arrivals(story), seed + 1),
        "salla": write_archive(folder / "salla", salla_arrivals(story), seed + 2),
    }
    return truth_of(story, rejects)
