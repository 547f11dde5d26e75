"""Policies over all DAGs, read as Airflow itself reads them."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
READ_DAGS = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag(dag_folder=sys.argv[1])
print("READ" + json.dumps({
    "errors": {str(path): text for path, text in bag.import_errors.items()},
    "on_failure": {dag_id: getattr(dag.on_failure_callback, "__name__", None) for dag_id, dag in bag.dags.items()},
    "dags": {dag_id: DagSerialization.to_dict(dag) for dag_id, dag in bag.dags.items()},
}, default=str, sort_keys=True))
"""


def read_dags(folder: Path) -> dict:
    """Serialised DAGs and import errors, read in a fresh process with an Airflow home of its own."""
    import json

    environment = {
        **os.environ,
        "AIRFLOW_HOME": str(folder),
        "AIRFLOW__CORE__DAGS_FOLDER": str(HOME / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(HOME / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": str(HOME / "plugins"),
    }
    done = subprocess.run(
        [sys.executable, "-c", READ_DAGS, str(HOME / "dags")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("READ")]
    assert lines, done.stderr[-2000:]
    return json.loads(lines[0].removeprefix("READ"))


@pytest.fixture(scope="module")
def read(tmp_path_factory) -> dict:
    return read_dags(tmp_path_factory.mktemp("airflow"))


@pytest.fixture(scope="module")
def dags(read) -> dict[str, dict]:
    return {dag_id: serialised["dag"] for dag_id, serialised in read["dags"].items()}


def test_every_dag_file_loads_and_gives_the_dag_of_its_name(read, dags):
    assert read["errors"] == {}
    assert set(dags) == {path.stem for path in (HOME / "dags").glob("*.py")}
    assert len(dags) >= 4


def test_tags_come_from_the_closed_list_one_cycle_and_one_stage_each(dags):
    from settlement.tasks.tags import CYCLES, STAGES

    for dag_id, dag in dags.items():
        assert len(set(dag["tags"]) & set(CYCLES)) == 1, dag_id
        assert len(set(dag["tags"]) & set(STAGES)) == 1, dag_id
        assert len(dag["tags"]) == 2, dag_id


def test_documentation_says_what_is_read_and_written_and_what_to_do_on_failure(dags):
    for dag_id, dag in dags.items():
        for heading in ("**Runs**", "**Reads**", "**Writes**", "**On failure**"):
            assert heading in dag["doc_md"], f"{dag_id} lacks {heading}"
        for runbook in re.findall(r"docs/runbook/\w+\.md", dag["doc_md"]):
            assert (HOME / runbook).exists(), runbook


def test_nothing_catches_up_and_a_question_of_one_run_keeps_no_other_waiting(dags):
    assert not any(dag.get("catchup") for dag in dags.values())
    assert dags["record_receipts"]["max_active_runs"] == 1
    assert dags["settle_day"]["max_active_runs"] > 1


def test_every_dag_has_a_deadline(dags):
    assert all(dag.get("deadline") for dag in dags.values())


def test_every_dag_tells_monitoring_that_a_run_failed(dags, read):
    assert read["on_failure"] == dict.fromkeys(dags, "run_failed")
    assert all(dag["has_on_failure_callback"] for dag in dags.values())  # what the scheduler goes by


def test_task_names_are_verb_phrases(dags):
    for dag_id, dag in dags.items():
        for task in dag["tasks"]:
            assert re.fullmatch(r"[a-z]+(_[a-z]+)*", task["__var"]["task_id"]), (dag_id, task["__var"]["task_id"])


def test_a_dag_is_seen_at_a_glance(dags):
    assert all(len(dag["tasks"]) <= 15 for dag in dags.values())


def test_money_that_needs_no_answer_waits_for_none(dags):
    tasks = {task["__var"]["task_id"]: task["__var"] for task in dags["settle_day"]["tasks"]}
    assert downstream_of("ask_for_approval", tasks) == {
        "disburse_answered_request",
        "publish_answers",
        "report_outcome",
    }
    assert "ask_for_approval" in downstream_of("disburse_approved_requests", tasks)
    assert "ask_for_approval" in downstream_of("publish", tasks)


def test_what_was_asked_and_answered_passes_through_nothing_that_an_api_can_write(dags):
    """The words, the area and who caused it come from the warehouse; only the id of the thing is handed on."""
    for dag_id, task_id in (("settle_day", "ask_for_approval"), ("receive_batch", "ask_to_release_or_reject")):
        [task] = [each["__var"] for each in dags[dag_id]["tasks"] if each["__var"]["task_id"] == task_id]
        assert list(task["template_fields"]) == ["about"]


@pytest.mark.parametrize(
    ("dag_id", "first_to_read"),
    [
        ("settle_day", "propose_entries_and_payments"),
        ("book_month", "group_and_price_cases"),
        ("book_cases", "group_and_price_cases"),
    ],
)
def test_what_is_booked_was_judged_first(dags, dag_id, first_to_read):
    tasks = {task["__var"]["task_id"]: task["__var"] for task in dags[dag_id]["tasks"]}
    assert first_to_read in downstream_of("check_expectations", tasks)


def downstream_of(task_id: str, tasks: dict[str, dict]) -> set[str]:
    """All tasks that wait for this one."""
    direct = set(tasks[task_id].get("downstream_task_ids", ()))
    return direct.union(*(downstream_of(other, tasks) for other in direct))


def test_reading_twice_gives_the_same_dags_so_versions_do_not_pile_up(read, tmp_path):
    assert read_dags(tmp_path)["dags"] == read["dags"]


@pytest.mark.parametrize("path", sorted((HOME / "dags").glob("*.py")), ids=lambda path: path.stem)
def test_dag_files_hold_wiring_only(path):
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 110
    for forbidden in ("select ", "insert ", "Variable.get", "now()", "psycopg", "pandas"):
        assert forbidden not in text, forbidden


def test_a_held_batch_is_asked_about_although_another_could_not_be_loaded_and_the_run_fails(dags):
    tasks = {task["__var"]["task_id"]: task["__var"] for task in dags["receive_batch"]["tasks"]}
    assert tasks["list_held_batches"]["trigger_rule"] == "all_done"
    assert tasks["reconcile"]["trigger_rule"] == "all_done"
    assert tasks["report_outcome"]["trigger_rule"] == "none_failed"
    assert "report_outcome" in tasks["load_and_check"]["downstream_task_ids"]
    assert "downstream_task_ids" not in tasks["report_outcome"]


def test_every_step_ends_in_time_and_only_questions_wait_for_people(dags):
    endless = {
        f"{dag_id}.{task['__var']['task_id']}"
        for dag_id, dag in dags.items()
        for task in dag["tasks"]
        if not task["__var"].get("execution_timeout")
        and not (task["__var"].get("partial_kwargs") or {}).get("execution_timeout")
    }
    assert {name for name in endless if not name.rpartition(".")[2].startswith("ask_")} == set()
