"""Where Dagster keeps its runs: SALWA_DATA/dagster, without telemetry, one writer at a time."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ingestion.settings import Settings

DAGSTER_YAML = """\
nux:
  enabled: false
telemetry:
  enabled: false
concurrency:
  pools:
    default_limit: 1
  runs:
    max_concurrent_runs: 2
freshness:
  enabled: true
run_monitoring:
  enabled: true
event_log_storage:
  module: orchestration.event_log
  class: KeptOpenEventLog
  config:
    base_dir: {history}
retention:
  schedule:
    purge_after_days: 30
  sensor:
    purge_after_days: 7
"""


def dagster_home(settings: Settings) -> Path:
    """The folder, made ready, and named in DAGSTER_HOME."""
    home = (settings.data / "dagster").resolve()
    home.mkdir(parents=True, exist_ok=True)
    config = home / "dagster.yaml"
    wanted = DAGSTER_YAML.replace("{history}", json.dumps(str(home / "history" / "runs")))
    if not config.exists() or config.read_text(encoding="utf-8") != wanted:
        config.write_text(wanted, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "true"
    os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", "500")  # see event_log.py
    return home
