"""compose.yaml, the image and what starts them, read as text: nothing here needs Docker."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
import typer
import yaml
from psycopg.conninfo import make_conninfo

from benchmarks.postgres import server_binaries
from dashboards.metabase.wanted import database_of
from ingestion.settings import Settings
from orchestration.cli import app
from orchestration.services import ROOT, Service, command_of

COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service.get("build")]
VARIABLE = re.compile(r"\$\{(\w+)(?:(:-|:\?)([^${}]*))?\}")
SECRET = re.compile(r"SECRET|PASSWORD|PASS$|TOKEN|KEY|_URL$")
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def interpolated(value: Any, environment: dict[str, str]) -> Any:
    """A value of compose.yaml as Compose reads it. Refuses a variable that must be set and is not."""
    if isinstance(value, dict):
        return {key: interpolated(each, environment) for key, each in value.items()}
    if isinstance(value, list):
        return [interpolated(each, environment) for each in value]
    if not isinstance(value, str):
        return value

    def filled(found: re.Match[str]) -> str:
        name, operator, words = found.groups()
        if not environment.get(name) and operator == ":?":
            raise KeyError(f"{name} {words}")
        return environment.get(name) or (words if operator == ":-" else "")

    while VARIABLE.search(value):  # a default may name another variable
        value = VARIABLE.sub(filled, value)
    return value


@pytest.fixture
def env_file(tmp_path: Path) -> Path:
    """What `make secrets` makes of a fresh checkout."""
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "secrets.sh", tmp_path / "deploy")
    shutil.copy(ROOT / ".env.example", tmp_path)
    subprocess.run(["sh", tmp_path / "deploy" / "secrets.sh"], check=True, stdout=subprocess.DEVNULL)
    return tmp_path / ".env"


def variables_of(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_every_image_is_pinned() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert bases
    for image in [*bases, *(service["image"] for service in SERVICES.values())]:
        assert re.search(r":v?\d+\.\d+\.?\d*[\w.-]*$", image), image
    assert all("image" in service for service in SERVICES.values())


def test_ports_are_open_to_this_machine_only() -> None:
    published = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == 3
    assert all(re.fullmatch(r"127\.0\.0\.1:\$\{\w+_PORT:-\d+\}:\d+", port) for port in published)
    assert "ports" not in SERVICES["postgres"]
    assert not any(service.get("network_mode") for service in SERVICES.values())


def test_no_secret_is_written_down() -> None:
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            if SECRET.search(variable) and not variable.endswith(("_URL", "_API")):
                assert re.fullmatch(r"\$\{\w+:(\?.+|-)\}", value), (name, variable)
            # a user and a password in an address
            for password in re.findall(r"//[^:/@]+:([^@]*)@", value):
                assert re.fullmatch(r"\$\{\w+:\?.+\}", password), (name, variable)
    given = [variables_of(ROOT / ".env.example").get(name) for name in required()]
    assert set(given) == {None}


def required() -> set[str]:
    """Variables without which Compose does not start."""
    return set(re.findall(r"\$\{(\w+):\?", (ROOT / "compose.yaml").read_text(encoding="utf-8")))


def test_without_env_nothing_starts_and_with_make_secrets_everything_does(env_file: Path) -> None:
    with pytest.raises(KeyError, match="run make secrets"):
        interpolated(SERVICES, {})
    made = variables_of(env_file)
    assert required() <= {name for name, value in made.items() if value}
    found = interpolated(SERVICES, made)
    assert not VARIABLE.search(json.dumps(found))


def test_secrets_are_made_once_and_are_private(env_file: Path) -> None:
    first = env_file.read_text(encoding="utf-8")
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    secrets = [value for name, value in variables_of(env_file).items() if name in required() and "USER" not in name]
    assert len(set(secrets)) == len(secrets) == 8
    assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in secrets)

    def again() -> str:
        subprocess.run(["sh", env_file.parent / "deploy" / "secrets.sh"], check=True, stdout=subprocess.DEVNULL)
        return env_file.read_text(encoding="utf-8")

    assert again() == first
    # a person's own values stay, also on a last line that has no end
    env_file.write_text("SALWA_REFRESH_SECRET=\nSALWA_PHONE_KEY=mine", encoding="utf-8")
    kept = again()
    assert "SALWA_PHONE_KEY=mine\n" in kept
    assert kept.count("SALWA_PHONE_KEY=") == 1
    assert len(variables_of(env_file)["SALWA_REFRESH_SECRET"]) == 48


def test_every_setting_reaches_our_containers() -> None:
    expected = {f"SALWA_{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        given = SERVICES[name]["environment"]
        assert {variable for variable in given if variable.startswith("SALWA_")} == expected
        # what passes through bears the same name on both sides
        for variable, value in given.items():
            if found := re.fullmatch(r"\$\{(\w+):-\}", value):
                assert found[1] == variable
    elsewhere = re.findall(r"\$\{(SALWA_\w+)", (ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert set(elsewhere) <= expected


@pytest.mark.parametrize("file", [".env.example", "docs/configuration.md"])
def test_every_setting_is_told(file: str) -> None:
    named = set(re.findall(r"\bSALWA_[A-Z_]+\b", (ROOT / file).read_text(encoding="utf-8")))
    assert {f"SALWA_{name.upper()}" for name in Settings.model_fields} <= named


def test_the_settings_can_be_read_as_compose_gives_them(env_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in interpolated(SERVICES["receiver"]["environment"], variables_of(env_file)).items():
        monkeypatch.setenv(variable, value)
    settings = Settings()
    assert settings.timezone == "Asia/Riyadh"
    assert settings.refresh_min_seconds == 120
    assert settings.metabase_api_key is None
    assert settings.public_url == "http://localhost:8080"
    details = database_of(settings)[0]["details"]
    assert (details["host"], details["dbname"], details["user"]) == ("postgres", "salwa", "metabase_reader")
    (workspace,) = settings.workspaces()
    assert workspace.name == "default"


def test_every_service_says_how_it_is_and_comes_back() -> None:
    for name, service in SERVICES.items():
        if service["healthcheck"] == {"disable": True}:
            assert (service["profiles"], service["restart"]) == (["tools"], "no")  # runs and ends
            continue
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["restart"] == "unless-stopped"
        assert service["security_opt"] == ["no-new-privileges:true"]
    for service in SERVICES.values():
        for other, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"}
            assert SERVICES[other]["healthcheck"].get("test")


def test_our_containers_cannot_do_more_than_they_need() -> None:
    assert set(OURS) == set(SERVICES) - {"postgres", "metabase"}
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["volumes"] == ["data:/data"]
        assert "POSTGRES_PASSWORD" not in json.dumps(service)
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert dockerfile.rindex("\nUSER salwa") < dockerfile.rindex("\nENTRYPOINT")
    assert "://" not in dockerfile  # packages come from wherever pip is told


def test_commands_and_options_exist() -> None:
    for name in OURS:
        command = SERVICES[name].get("command")
        if command is None:
            continue
        options = {option for parameter in COMMANDS[command[0]].params for option in parameter.opts}
        assert {word for word in command if word.startswith("--")} <= options
    parts = {SERVICES[name]["command"][1] for name in OURS if name.startswith("dagster-")}
    assert parts == {each.value for each in Service}
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for words in re.findall(r"run --rm salwa (.+)", makefile):
        command: Any = COMMANDS
        for word in words.split():
            command = command[word].commands if hasattr(command[word], "commands") else command[word]
        assert isinstance(command, typer.core.TyperCommand)


def test_dagsters_services_meet_where_compose_says() -> None:
    location = yaml.safe_load((ROOT / "deploy" / "workspace.yaml").read_text(encoding="utf-8"))["load_from"][0]["grpc_server"]
    code = SERVICES["dagster-code"]["command"]
    assert str(location["port"]) == code[code.index("--port") + 1]
    local = yaml.safe_load((ROOT / "workspace.yaml").read_text(encoding="utf-8"))["load_from"][0]["python_module"]
    assert location["location_name"] == local["location_name"]
    for name in ("dagster-webserver", "dagster-daemon"):
        assert SERVICES[name]["environment"]["DAGSTER_CODE_HOST"] == "dagster-code"
        assert location["host"] == {"env": "DAGSTER_CODE_HOST"}
    for service in Service:
        program = command_of(service, "127.0.0.1", 4000)[0]
        assert shutil.which(program, path=str(Path(sys.executable).parent))


def test_the_image_holds_what_runs_and_no_secret() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    kept = [line[1:] for line in lines if line.startswith("!")]
    assert lines[1] == "*"
    assert all((ROOT / path).exists() for path in kept)
    assert not {path for path in kept if path.startswith((".", "data", "tests"))}
    assert {"ingestion", "dashboards", "orchestration", "dbt_project", "pyproject.toml", "requirements.lock"} <= set(kept)


@pytest.mark.parametrize("script", sorted((ROOT / "deploy").glob("*.sh")), ids=lambda path: path.name)
def test_scripts_can_be_read(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)


def test_the_check_removes_nobody_elses_volumes(tmp_path: Path) -> None:
    """The script with a docker that only writes down what it is asked."""
    docker = tmp_path / "docker"
    docker.write_text(f'#!/bin/sh\necho "$METABASE_PORT [$SALWA_METABASE_API_KEY] $*" >> {tmp_path}/asked\n', encoding="utf-8")
    docker.chmod(0o700)
    environment = {"PATH": f"{tmp_path}:{os.defpath}", "SALWA_METABASE_API_KEY": "mb_mine", "COMPOSE_PROJECT_NAME": "salwa"}
    subprocess.run(["sh", ROOT / "deploy" / "smoke-metabase.sh"], check=True, env=environment)
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert [line.split("salwa-smoke ")[1].split()[0] for line in asked] == ["down", "up", "run", "down"]
    assert all(line.startswith("13001 [] compose --project-name salwa-smoke ") for line in asked)


def test_the_database_is_set_up_as_compose_expects(env_file: Path, postgres_server: str) -> None:
    """init.sql as the image runs it; then who may go where."""
    made = interpolated(SERVICES["postgres"]["environment"], variables_of(env_file))
    with psycopg.connect(postgres_server, autocommit=True) as server:
        known = {name for (name,) in server.execute("select rolname from pg_roles").fetchall()}
        # those of other tests
        before = sorted(known & {"metabase_reader", "metabase", "salwa", "salwa_reader"})
        for role in before:
            server.execute(f"alter role {role} rename to {role}_before")  # type: ignore[arg-type]
        try:
            subprocess.run(
                [
                    *(server_binaries() / "bin" / "psql", "--dbname", postgres_server, "--no-psqlrc", "--quiet"),
                    *("-v", "ON_ERROR_STOP=1", "-f", ROOT / "deploy" / "postgres" / "init.sql"),
                ],
                check=True,
                env=made | {"PATH": os.defpath},
            )

            def may(user: str, database: str) -> bool:
                return server.execute("select has_database_privilege(%s, %s, 'connect')", [user, database]).fetchone()[0]  # type: ignore[index]

            users, databases = ("salwa", "metabase_reader", "metabase"), ("salwa", "metabase", "postgres")
            assert [(user, database) for user in users for database in databases if may(user, database)] == [
                ("salwa", "salwa"),
                ("metabase_reader", "salwa"),
                ("metabase", "metabase"),
            ]
            for user in ("salwa", "metabase"):
                with psycopg.connect(make_conninfo(postgres_server, user=user, dbname=user), autocommit=True) as owner:
                    owner.execute("create schema facts_next")
            with (
                psycopg.connect(make_conninfo(postgres_server, user="metabase_reader", dbname="salwa")) as reader,
                pytest.raises(psycopg.errors.InsufficientPrivilege),
            ):
                reader.execute("create table public.mine (a int)")
            (stored,) = server.execute("select rolpassword from pg_authid where rolname = 'metabase_reader'").fetchone()  # type: ignore[misc]
            assert stored.startswith("SCRAM-SHA-256$")
        finally:
            for database in ("salwa", "metabase"):
                server.execute(f"drop database if exists {database} with (force)")  # type: ignore[arg-type]
            server.execute("grant connect on database postgres to public")
            for role in ("metabase_reader", "metabase", "salwa", "salwa_reader"):
                server.execute(f"drop role if exists {role}")  # type: ignore[arg-type]
            for role in before:
                server.execute(f"alter role {role}_before rename to {role}")  # type: ignore[arg-type]
