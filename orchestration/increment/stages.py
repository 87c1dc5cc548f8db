"""The steps from new rows to figures, and the order of everything in them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Compiled = dict[str, Any]  # a node of dbt's manifest
TOUCHED = re.compile(r'"touched"\."(\w+)"\."(\w+)"')


@dataclass(frozen=True)
class Stage:
    """A step from the new rows to the figures.

    queries_see, models_see: stages whose slices stand for a relation, for the queries that find what is touched and for
    the models; the first that has one counts.
    """

    queries_see: tuple[str, ...] = ()
    models_see: tuple[str, ...] = ()
    keeps_touched_only: bool = False  # a slice also makes rows of other keys, which are not to be kept


STAGES: dict[str, Stage] = {
    "news": Stage(),  # rows told since the last build
    "told": Stage(queries_see=("news",)),  # the messages and people they name
    "evidence": Stage(models_see=("evidence",)),  # all that was ever told of these messages
    "identity": Stage(models_see=("identity",)),  # everybody who belongs together with these people
    "persons": Stage(models_see=("persons", "identity")),
    "people": Stage(models_see=("people", "persons")),  # their messages, from where on threads are cut anew
    "customers": Stage(models_see=("customers",), keeps_touched_only=True),
    "days": Stage(models_see=("days",), keeps_touched_only=True),  # the days on which anything of it differs
    "periods": Stage(models_see=("periods",)),  # the last three months, which the summary is about
}


def queries(nodes: Mapping[str, Compiled]) -> dict[str, Compiled]:
    """The queries that find what is touched, by unique id."""
    return {key: node for key, node in nodes.items() if node["resource_type"] == "analysis"}


def stage_of(node: Compiled) -> str | None:
    """The stage of a query or of a model that can be sliced."""
    if node["resource_type"] == "analysis":
        return str(node["name"]).split("__", 1)[0]
    return node["config"].get("meta", {}).get("stage")


def order_of(nodes: Mapping[str, Compiled]) -> dict[str, list[str]]:
    """What must be done before each model and query.

    A query that reads a model of its own stage reads it as the last build left it: the models of a stage wait for all
    its queries. What one reads of the slices waits for whoever makes them.
    """
    makers = {slice_made(node): key for key, node in nodes.items() if stage_of(node)}
    of_stage: dict[str, list[str]] = {stage: [] for stage in STAGES}
    for key, node in queries(nodes).items():
        of_stage[stage_of(node) or ""].append(key)
    order: dict[str, list[str]] = {}
    for key, node in nodes.items():
        stage = stage_of(node)
        parents = [parent for parent in node["depends_on"]["nodes"] if parent in nodes]
        if node["resource_type"] == "analysis":
            parents = [parent for parent in parents if stage_of(nodes[parent]) != stage]
            parents += [makers[found] for found in TOUCHED.findall(node["compiled_code"])]
            parents += [query for seen in STAGES[stage or ""].queries_see for query in of_stage[seen]]
        elif stage:
            parents += [query for seen in {stage, *STAGES[stage].models_see} for query in of_stage[seen]]
        order[key] = parents
    return order


def slice_made(node: Compiled) -> tuple[str, str]:
    """The stage and name of the relation in memory that a query or sliced model makes."""
    stage = stage_of(node) or ""
    name = str(node["name"])
    return stage, name.removeprefix(f"{stage}__") if node["resource_type"] == "analysis" else name


def needs_comparing(nodes: Mapping[str, Compiled]) -> set[str]:
    """The models without slices, by unique id, that sliced ones read: whether they changed decides."""
    found: set[str] = set()

    def visit(node: Compiled) -> None:
        for parent in node["depends_on"]["nodes"]:
            model = nodes.get(parent)
            if model is None or stage_of(model) or model["config"].get("meta", {}).get("covered"):
                continue
            if model["config"]["materialized"] == "view":
                visit(model)
            else:
                found.add(parent)

    for node in nodes.values():
        if node["resource_type"] == "model" and stage_of(node):
            visit(node)
    return found
