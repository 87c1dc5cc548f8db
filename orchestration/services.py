"""Dagster's services one by one, where something else than `salwa dev` starts and restarts them: compose.yaml, systemd.

The code server holds assets and jobs and runs them. The page and the daemon ask it where DAGSTER_CODE_HOST says.
"""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path

from ingestion.settings import Settings
from orchestration.dagster_home import dagster_home

ROOT = Path(__file__).parents[1]


class Service(StrEnum):
    """A part of Dagster that is a process of its own."""

    code = "code"
    webserver = "webserver"
    daemon = "daemon"


def command_of(service: Service, host: str, port: int) -> list[str]:
    """The program of a service and its arguments; the daemon listens nowhere."""
    address = ["-h", host, "-p", str(port)]
    workspace = ["-w", str(ROOT / "deploy" / "workspace.yaml")]
    match service:
        case Service.code:
            return ["dagster", "code-server", "start", "-m", "orchestration.definitions", "--location-name", "salwa", *address]
        case Service.webserver:
            return ["dagster-webserver", *workspace, *address]
        case Service.daemon:
            return ["dagster-daemon", "run", *workspace]


def become(settings: Settings, service: Service, host: str, port: int) -> None:
    """Replace this process by the service."""
    os.environ["SALWA_DATA"] = str(settings.data.resolve())
    dagster_home(settings)
    os.environ.setdefault("DAGSTER_CODE_HOST", "localhost")
    os.chdir(ROOT)
    program, *arguments = command_of(service, host, port)
    os.execv(Path(sys.executable).with_name(program), [program, *arguments])  # noqa: S606
