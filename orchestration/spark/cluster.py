"""A real Spark on this machine's loopback: one master, two workers and a Thrift server, each a process of its own.

For trying and for tests: `make spark`, `make spark-stop`. Who has a cluster points SALWA_SPARK_HOST at it instead.
Its processes get SALWA_PHONE_KEY in their environment, where keyed_hash() finds it.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ingestion.errors import SalwaError
from ingestion.settings import load_settings

HOST = "127.0.0.1"
OLDEST_JAVA = 17
QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=400m -XX:+UseSerialGC"
READY_SECONDS = 180.0
JAVA_HELP = "Spark needs Java 17 or newer: apt-get install default-jre-headless (or set JAVA_HOME)"


@dataclass(frozen=True)
class Cluster:
    """Where a cluster lives and how large it is."""

    folder: Path = Path("build/spark")
    thrift_port: int = 10000
    master_port: int = 7077
    workers: int = 2
    worker_memory: str = "1g"
    driver_memory: str = "2g"
    catalog: str = "hive"  # "in-memory" forgets all tables when it stops, and answers much sooner

    @property
    def master(self) -> str:
        return f"spark://{HOST}:{self.master_port}"


def start(cluster: Cluster, key: str) -> None:
    """Start the cluster and wait until it answers; one that answers already stays.

    Args:
        key: what keyed_hash() hashes with, in the environment of all its processes.

    Raises:
        SalwaError: no Java, or a process ended; its log is named.
    """
    if answers(cluster.thrift_port):
        return
    home = spark_home()
    java = java_command()
    cluster.folder.mkdir(parents=True, exist_ok=True)
    environment = environment_of(cluster, home, java, key)
    spark_class, submit = str(home / "bin" / "spark-class"), str(home / "bin" / "spark-submit")
    deploy = "org.apache.spark.deploy"
    run(cluster, "master", environment, [
        spark_class, f"{deploy}.master.Master", "--host", HOST, "--port", str(cluster.master_port), "--webui-port", "0",
    ])  # fmt: skip
    wait_for(cluster, "master", cluster.master_port)
    for number in range(1, cluster.workers + 1):
        run(cluster, f"worker-{number}", environment, [
            spark_class, f"{deploy}.worker.Worker", "--host", HOST, "--webui-port", "0", "--cores", "1",
            "--memory", cluster.worker_memory, "--work-dir", str((cluster.folder / f"work-{number}").resolve()),
            cluster.master,
        ])  # fmt: skip
    run(cluster, "thrift", environment, [
        submit, "--master", cluster.master, "--driver-memory", cluster.driver_memory,
        "--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2",
        *(part for name, value in spark_settings(cluster).items() for part in ("--conf", f"{name}={value}")),
        "spark-internal",
        "--hiveconf", f"hive.server2.thrift.bind.host={HOST}",
        "--hiveconf", f"hive.server2.thrift.port={cluster.thrift_port}",
    ])  # fmt: skip
    wait_for(cluster, "thrift", cluster.thrift_port)


def spark_settings(cluster: Cluster) -> dict[str, str]:
    """What suits one small machine; a cluster of one's own has its own."""
    metastore = (cluster.folder / "metastore").resolve()
    return {
        "spark.driver.host": HOST,
        "spark.driver.bindAddress": HOST,
        "spark.ui.enabled": "false",
        "spark.executor.memory": cluster.worker_memory,
        "spark.sql.shuffle.partitions": str(cluster.workers),
        # planning anew after each stage costs more here than it saves
        "spark.sql.adaptive.enabled": "false",
        "spark.log.level": "WARN",
        "spark.sql.session.timeZone": "UTC",
        "spark.sql.warehouse.dir": str((cluster.folder / "warehouse").resolve()),
        "spark.sql.catalogImplementation": cluster.catalog,
        "spark.hadoop.javax.jdo.option.ConnectionURL": f"jdbc:derby:;databaseName={metastore};create=true",
        # statements are many and short: compiling them to the fastest code costs more than running them
        "spark.driver.extraJavaOptions": QUICK_JAVA,
        "spark.executor.extraJavaOptions": QUICK_JAVA,
        "spark.scheduler.mode": "FAIR",
        "spark.locality.wait": "0",
    }


def environment_of(cluster: Cluster, home: Path, java: str, key: str) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))}
    java_home = str(Path(java).resolve().parents[1])
    local = str((cluster.folder / "local").resolve())
    return own | {
        "SPARK_HOME": str(home), "JAVA_HOME": java_home, "SPARK_LOCAL_IP": HOST, "SPARK_LOCAL_DIRS": local,
        "SALWA_PHONE_KEY": key, "PYSPARK_PYTHON": sys.executable,
    }  # fmt: skip


def spark_home() -> Path:
    """Where the package pyspark is.

    Raises:
        SalwaError: it is not installed.
    """
    try:
        import pyspark
    except ImportError:
        raise SalwaError("pyspark is not installed here: `make spark` makes .venv-spark with it") from None
    return Path(pyspark.__file__).parent


def java_command() -> str:
    """The Java to use.

    Raises:
        SalwaError: there is none, or it is too old.
    """
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if java is None or not Path(java).exists():
        raise SalwaError(f"there is no Java here. {JAVA_HELP}")
    told = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr  # noqa: S603
    version = java_version(told)
    if version is None or version < OLDEST_JAVA:
        raise SalwaError(f"{java} is Java {version or 'of an unknown version'}. {JAVA_HELP}")
    return java


def java_version(told: str) -> int | None:
    """The major version in what `java -version` says: 17 of '17.0.15', 8 of '1.8.0_392'."""
    found = re.search(r'version "(\d+)(?:\.(\d+))?', told)
    if not found:
        return None
    return int(found[2]) if found[1] == "1" and found[2] else int(found[1])


def run(cluster: Cluster, name: str, environment: dict[str, str], command: list[str]) -> None:
    """Start a process that lives on, with its own log and pid file."""
    with (cluster.folder / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment,
            cwd=cluster.folder, start_new_session=True,
        )  # fmt: skip
    (cluster.folder / f"{name}.pid").write_text(str(process.pid), encoding="ascii")


def wait_for(cluster: Cluster, name: str, port: int) -> None:
    """Wait until a process answers at its port.

    Raises:
        SalwaError: it ended, or takes too long.
    """
    deadline = time.monotonic() + READY_SECONDS
    log = cluster.folder / f"{name}.log"
    pid = int((cluster.folder / f"{name}.pid").read_text(encoding="ascii"))
    while not answers(port):
        if not is_running(pid):
            raise SalwaError(f"Spark's {name} ended: {last_error(log)} (all of it: {log})")
        if time.monotonic() > deadline:
            raise SalwaError(f"Spark's {name} does not answer after {READY_SECONDS:.0f} s: see {log}")
        time.sleep(0.2)


def last_error(log: Path) -> str:
    lines = [line for line in log.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
    told = [line for line in lines if re.search(r"error|exception|cannot|failed", line, re.IGNORECASE)]
    return (told or lines or ["nothing was said"])[-1].strip()[:300]


def answers(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def is_running(pid: int) -> bool:
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)  # a child of ours that ended is no longer running
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def is_ours(pid: int) -> bool:
    """Whether the process of a pid file is still Spark's: pids are used again."""
    try:
        return b"spark" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return is_running(pid)


def stop(cluster: Cluster) -> int:
    """Stop what was started here; how many processes there were."""
    found = [
        int(path.read_text(encoding="ascii"))
        for name in ("thrift", *(f"worker-{n}" for n in range(cluster.workers, 0, -1)), "master")
        if (path := cluster.folder / f"{name}.pid").exists()
    ]
    ours = [pid for pid in found if is_running(pid) and is_ours(pid)]
    for pid in ours:
        os.killpg(pid, signal.SIGTERM)
    deadline = time.monotonic() + 20
    while any(is_running(pid) for pid in ours) and time.monotonic() < deadline:
        time.sleep(0.1)
    for pid in ours:
        if is_running(pid):
            os.killpg(pid, signal.SIGKILL)
    for path in cluster.folder.glob("*.pid"):
        path.unlink()
    return len(ours)


def main() -> None:
    parser = argparse.ArgumentParser(description="A Spark on loopback for trying and for tests.")
    parser.add_argument("what", choices=("start", "stop"))
    parser.add_argument("--port", type=int, default=10000, help="of the Thrift server")
    asked = parser.parse_args()
    cluster = Cluster(thrift_port=asked.port)
    try:
        if asked.what == "stop":
            print(f"stopped {stop(cluster)} processes")
            return
        began = time.monotonic()
        start(cluster, load_settings().key())
    except SalwaError as error:
        sys.exit(str(error))
    print(f"Spark answers at {HOST}:{asked.port}, {cluster.workers} workers, after {time.monotonic() - began:.0f} s; logs in {cluster.folder}")


if __name__ == "__main__":
    main()
