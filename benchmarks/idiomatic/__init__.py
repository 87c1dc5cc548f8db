"""What a user would write first: a dlt resource that yields dictionaries, and a small dbt project of tables.

Simple and honest: defaults everywhere, as the first pages of both manuals have it. It knows no identities but the id or
the number in the payload, no late answers, no working hours, rejects nothing but cut lines, and publishes nothing.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).parent


def load(landing: Path, folder: Path) -> None:
    """Landed deliveries into nested tables of folder/idiomatic.duckdb."""
    import dlt

    @dlt.resource(name="deliveries", write_disposition="append")
    def deliveries() -> Iterator[dict[str, Any]]:
        for path in sorted(landing.glob("*/whatsapp/*/*.ndjson.gz")):
            with gzip.open(path, "rt", encoding="utf-8") as lines:
                for line in lines:
                    landed = json.loads(line)
                    try:
                        body = json.loads(landed["body"])
                    except ValueError:
                        continue
                    yield {"received_at": landed["received_at"], **body}

    dlt.pipeline(
        pipeline_name="idiomatic",
        pipelines_dir=str(folder / "dlt"),
        destination=dlt.destinations.duckdb(str(folder / "idiomatic.duckdb")),
        dataset_name="raw",
    ).run(deliveries())


def transform(folder: Path) -> None:
    """The dbt project, all models as tables.

    Raises:
        RuntimeError: a model failed.
    """
    from dbt.cli.main import dbtRunner

    os.environ["DBT_SEND_ANONYMOUS_USAGE_STATS"] = "false"
    os.environ["IDIOMATIC_FILE"] = str(folder / "idiomatic.duckdb")
    options = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(folder / "target")]
    done = dbtRunner().invoke(["build", *options, "--log-path", str(folder / "logs"), "--log-level", "none", "--no-version-check"])
    if not done.success:
        raise RuntimeError(f"the idiomatic project failed: {done.exception or done.result}")
