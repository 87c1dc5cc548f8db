"""What Dagster serves: assets, the jobs refresh and nightly, their schedules, the sensor that follows what lands, and
the log of runs."""

import dagster as dg

from ingestion.settings import load_settings
from orchestration import stages
from orchestration.assets import Watcher, all_assets, pulled_key
from orchestration.following import following_sensor
from orchestration.pulls import PULLED_SOURCES

HOURLY = "0 * * * *"
NIGHTLY = "30 2 * * *"
COMPACTION = dg.AssetSelection.assets(dg.AssetKey(["serving", "compaction"]))


@dg.run_failure_sensor(default_status=dg.DefaultSensorStatus.RUNNING)
def failed_runs(context: dg.RunFailureSensorContext) -> None:
    """Write failed runs into the log that `salwa status` shows; readers still have the last good copy."""
    stages.log_run(
        load_settings(),
        job=context.dagster_run.job_name,
        outcome="failed",
        run_id=context.dagster_run.run_id,
        message=failure_message(context),
    )


def failure_message(context: dg.RunFailureSensorContext) -> str:
    """The failed step's own words, such as the test that failed; else Dagster's."""
    for event in context.get_step_failure_events():
        told = event.step_failure_data.user_failure_data
        if told and told.description:
            return told.description
    return context.failure_event.message or ""


@dg.run_status_sensor(run_status=dg.DagsterRunStatus.SUCCESS, default_status=dg.DefaultSensorStatus.RUNNING)
def good_runs(context: dg.RunStatusSensorContext) -> None:
    """Write good runs into the log that `salwa status` shows."""
    stages.log_run(
        load_settings(), job=context.dagster_run.job_name, outcome="published", run_id=context.dagster_run.run_id
    )


def definitions() -> dg.Definitions:
    """Everything, built when the code location loads."""
    assets = all_assets()
    refresh = dg.define_asset_job(
        "refresh",
        selection=dg.AssetSelection.all() - COMPACTION,
        executor_def=dg.in_process_executor,
        description="Load what has landed, build, test, publish. What the Refresh button means.",
    )
    nightly = dg.define_asset_job(
        "nightly",
        selection=dg.AssetSelection.all(),
        executor_def=dg.in_process_executor,
        config={
            "ops": {
                "build_models": {"config": {"whole": True}},
                **{f"pulled__{source}": {"config": {"depth": "nightly"}} for source in PULLED_SOURCES},
            }
        },
        description="Everything refresh does, asking the sources in full depth, building and testing everything anew, "
        "and compaction of the database files.",
    )
    not_followed = {dg.AssetKey(["serving", "compaction"]), *(pulled_key(source) for source in PULLED_SOURCES)}
    followed = [key for asset in assets for key in asset.keys if key not in not_followed]
    zone = load_settings().workspaces()[0].timezone
    return dg.Definitions(
        assets=assets,
        jobs=[refresh, nightly],
        schedules=[
            dg.ScheduleDefinition(
                name=name,
                job=job,
                cron_schedule=cron,
                execution_timezone=zone,
                default_status=dg.DefaultScheduleStatus.RUNNING,
            )
            for name, job, cron in (("hourly_refresh", refresh, HOURLY), ("nightly", nightly, NIGHTLY))
        ],
        sensors=[following_sensor(followed), failed_runs, good_runs],
        resources={"watcher": Watcher()},
        executor=dg.in_process_executor,
    )


defs = definitions()
