"""Who may see our collections and query our database, as Metabase keeps it: two graphs with a revision each."""

from __future__ import annotations

from typing import Any

from dashboards.metabase.found import Ids
from dashboards.metabase.transport import Metabase


def found_permissions(metabase: Metabase, ids: Ids, groups: dict[str, int]) -> dict[str, Any]:
    """What each group may do with our collections, and whether it may query our database."""
    collections = metabase.get("/api/collection/graph")["groups"]
    data = metabase.get("/api/permissions/graph")["groups"]
    return {
        "collections": {
            name: {
                language: (collections.get(str(group)) or {}).get(str(identifier), "none")
                for language, identifier in ids.collections.items()
            }
            for name, group in groups.items()
        },
        "queries": {
            name: ((data.get(str(group)) or {}).get(str(ids.database)) or {}).get("create-queries", "no")
            for name, group in groups.items()
        },
    }


def write_permissions(metabase: Metabase, ids: Ids, groups: dict[str, int], wanted: dict[str, Any]) -> None:
    """Other groups and other collections stay as they are: only what is named is changed."""
    revision = metabase.get("/api/collection/graph")["revision"]
    body = {
        str(group): {str(ids.collections[language]): may for language, may in wanted["collections"][name].items()}
        for name, group in groups.items()
    }
    metabase.put("/api/collection/graph", {"revision": revision, "groups": body})
    revision = metabase.get("/api/permissions/graph")["revision"]
    database = str(ids.database)
    data = {
        str(group): {database: {"view-data": "unrestricted", "create-queries": wanted["queries"][name]}}
        for name, group in groups.items()
    }
    metabase.put("/api/permissions/graph", {"revision": revision, "groups": data})
