"""What dbt makes of the project: every model and test as plain SQL, compiled once per version of the project.

The SQL names no file and no secret, so that it serves any warehouse: transform.py runs it without starting dbt.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from ingestion.errors import SalwaError
from ingestion.state import locked, write_state

PROJECT = Path(__file__).parents[1] / "dbt_project"
QUIET = ("--log-level", "none", "--log-level-file", "none", "--no-version-check")
KEPT = (
    *("unique_id", "name", "alias", "resource_type", "database", "schema", "relation_name", "description", "config"),
    *("columns", "depends_on", "attached_node", "test_metadata", "compiled_code"),
)


def target_folder() -> Path:
    """Where dbt's artifacts are; dbt's own variable moves them, as the container image does."""
    return PROJECT / (os.environ.get("DBT_TARGET_PATH") or "target")


@cache
def manifest() -> dict[str, Any]:
    """dbt's manifest with compiled SQL: nodes and sources by unique id. Compiled anew where the project has changed.

    Raises:
        SalwaError: dbt cannot compile the project.
    """
    stamp = project_stamp()
    return known_manifest(stamp) or compiled_manifest(stamp)


def project_stamp() -> str:
    """Changes with every file of the dbt project and with dbt's version."""
    from importlib.metadata import version

    digest = hashlib.sha256(f"{version('dbt-core')} {version('dbt-duckdb')}".encode())
    for path in project_files():
        digest.update(path.relative_to(PROJECT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def project_files() -> list[Path]:
    folders = tuple(PROJECT / name for name in ("models", "macros", "tests", "increments"))
    nested = (path for folder in folders for path in sorted(folder.rglob("*")) if path.suffix in (".sql", ".yml"))
    return [PROJECT / "dbt_project.yml", PROJECT / "profiles.yml", *nested]


def manifest_file() -> Path:
    return target_folder() / "compiled.json"


def known_manifest(stamp: str) -> dict[str, Any] | None:
    """The manifest as it was compiled before; None where it was not, or from other files."""
    try:
        found = json.loads(manifest_file().read_text(encoding="utf-8"))
    except (FileNotFoundError, json.JSONDecodeError):
        return None
    return found if found["stamp"] == stamp else None


def compiled_manifest(stamp: str) -> dict[str, Any]:
    """Have dbt compile everything, and keep what it says."""
    with locked(target_folder() / "compiling"):
        if known := known_manifest(stamp):  # by another process, while this one waited
            return known
        compile_project()
        written = json.loads((target_folder() / "manifest.json").read_text(encoding="utf-8"))
        nodes = {key: {name: node.get(name) for name in KEPT} for key, node in written["nodes"].items()}
        if project_stamp() != stamp or any(not node["compiled_code"] for node in nodes.values()):
            raise SalwaError("the dbt project changed while it was compiled: run again")
        found = {"stamp": stamp, "nodes": nodes, "sources": written["sources"]}
        write_state(manifest_file(), found, mode=0o644)
        return found


def compile_project() -> None:
    """Run `dbt compile`, which leaves its artifacts in the target folder, against a warehouse that holds nothing.

    Raises:
        SalwaError: with dbt's own words.
    """
    with tempfile.TemporaryDirectory() as scratch:
        nothing = {
            "SALWA_RESTRICTED_FILE": str(Path(scratch) / "restricted.duckdb"),
            "SALWA_WAREHOUSE_FILE": str(Path(scratch) / "warehouse.duckdb"),
        }
        outcome = run_dbt(["compile", "--exclude", "test_type:unit", "--no-populate-cache", "--no-introspect"], nothing)
    if not outcome.success:
        told = [str(outcome.exception).strip()] if outcome.exception else failed_nodes(outcome)
        raise SalwaError(f"dbt cannot compile the project: {'; '.join(told)}")


def failed_nodes(outcome: Any) -> list[str]:
    """What dbt says of each node that it could not compile."""
    return [f"{found.node.name}: {found.message}" for found in outcome.result if str(found.status) == "error"]


def run_dbt(arguments: list[str], environment: dict[str, str]) -> Any:
    """Run one dbt command in this process, with these variables for profiles.yml; dbt's own result."""
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.cli.main import dbtRunner

    wanted = {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false", "DO_NOT_TRACK": "1", **environment}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        return dbtRunner().invoke([*arguments, "--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), *QUIET])
    finally:
        # the profile keeps the files open from node to node
        if DuckDBConnectionManager._ENV is not None:
            DuckDBConnectionManager._ENV.close()
            DuckDBConnectionManager.close_all_connections()
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


if __name__ == "__main__":
    manifest()
