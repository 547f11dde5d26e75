"""A day on which nothing arrives, through a real Airflow: what starting runs and tasks costs."""

import os
import statistics
import time
from collections.abc import Mapping
from datetime import timedelta

import psutil

from benchmarks.measure import MEGABYTE, Cost, Figure, server_cpu, watch_memory
from benchmarks.scene import PAY_DATE, Scene
from settlement.local import lifecycle
from settlement.local.airflow_api import AirflowApi
from settlement.local.postgres import EmbeddedPostgres, free_port
from settlement.local.processes import read_pid_file

RUN_SECONDS = 300.0


def run(scene: Scene, rows: int, repeats: int) -> list[Figure]:
    """Measure ``repeats`` empty days of one installation, whose warehouse is the scene's; the median day counts."""
    os.environ |= {
        "SETTLEMENT_LOCAL": str(scene.folder / "installation"),
        "SETTLEMENT_DATABASE_URL": scene.admin_dsn,
        "SETTLEMENT_PORT_AIRFLOW": str(free_port()),
        "SETTLEMENT_PORT_POSTGRES": str(free_port()),
    }
    installation = lifecycle.start(print)
    try:
        api = lifecycle.admin_api(installation)
        supervisor = read_pid_file(installation.run / "airflow.json")["supervisor"].pid
        metadata = EmbeddedPostgres(installation.postgres).data / "postmaster.pid"
        servers = (scene.server_pid, int(metadata.read_text().splitlines()[0]))
        with watch_memory(supervisor, scene.server_pid) as memory:
            days = [_day(api, number, supervisor, servers, memory) for number in range(repeats)]
    finally:
        lifecycle.stop(print)
    middle = statistics.median_low([figure.cost.wall_seconds for figure in days])
    figure = next(figure for figure in days if figure.cost.wall_seconds == middle)
    print(f"  project  {figure.name}: {middle:.1f} s, {figure.cost.cpu_seconds:.1f} CPU-s, {figure.outcome}")
    return [figure]


def _day(api: AirflowApi, number: int, supervisor: int, servers: tuple[int, ...], memory: Mapping[str, int]) -> Figure:
    """Look into the inbox, then settle the pay date."""
    pay_date = (PAY_DATE + timedelta(days=number)).isoformat()
    runs = {"receive_batch": f"empty-{pay_date}", "settle_day": f"pay-{pay_date}"}
    client_before, server_before = _airflow_cpu(supervisor), sum(map(server_cpu, servers))
    started = time.perf_counter()
    for dag_id, run_id in runs.items():
        api.trigger(dag_id, run_id, {"pay_date": pay_date} if dag_id == "settle_day" else {})
        state = [seen.state for seen in api.follow(dag_id, run_id, seconds=RUN_SECONDS, pause=0.1)][-1]
        if state != "success":
            raise RuntimeError(f"{dag_id} {run_id} ended as {state}")
    cost = Cost(
        wall_seconds=time.perf_counter() - started,
        client_cpu_seconds=_airflow_cpu(supervisor) - client_before,
        server_cpu_seconds=sum(map(server_cpu, servers)) - server_before,
        client_peak_mb=_airflow_memory(supervisor) / MEGABYTE,
        server_peak_mb=memory["server"] / MEGABYTE,
    )
    tasks = sum(len(api.tasks(dag_id, run_id)) for dag_id, run_id in runs.items())
    return Figure("an empty day through Airflow", "project", 1, 1, cost, {"tasks": tasks})


def _airflow_cpu(supervisor: int) -> float:
    """CPU-seconds of Airflow's processes; what a task used counts in the process that waited for its end."""
    return sum(float(sum(process.cpu_times()[:4])) for process in _airflow(supervisor))


def _airflow_memory(supervisor: int) -> float:
    """What the processes have, with what they share counted once each by its part (PSS)."""
    return float(sum(process.memory_full_info().pss for process in _airflow(supervisor)))


def _airflow(supervisor: int) -> list[psutil.Process]:
    root = psutil.Process(supervisor)
    return [root, *root.children(recursive=True)]
