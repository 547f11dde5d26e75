"""docker-compose.yml keeps its promises: nothing by default secret-less, unpinned, unhealthy or root."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from settlement.warehouse.connect import ROLES

HOME = Path(__file__).parents[2]
TEXT = (HOME / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EXAMPLE = (HOME / ".env.example").read_text()
ONE_SHOT = {"prepare", "superset-prepare"}

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES.keys())


@every_service
def test_images_are_pinned(service: dict[str, Any]) -> None:
    assert re.fullmatch(r"[a-z/]+:\d+\.\d+(\.\d+)?(-[a-z]+)?(@sha256:[0-9a-f]{64})?", service["image"])


@every_service
def test_nobody_is_root_or_may_become_it(service: dict[str, Any]) -> None:
    assert service["user"].split(":")[0] not in ("", "0", "root")
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONE_SHOT))
def test_long_running_services_have_health_checks(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - {"postgres", "valkey"}))
def test_services_wait_for_what_they_need(name: str) -> None:
    needed = SERVICES[name]["depends_on"]
    assert all(other in SERVICES for other in needed)
    for other, wait in needed.items():
        expected = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert wait["condition"] == expected


def test_secrets_have_no_default() -> None:
    variables = re.findall(r"\$\{(\w+)(:[-?][^}]*)?\}", TEXT)
    secrets = {name for name, _ in variables if re.search("PASSWORD|KEY|SECRET", name)}
    assert secrets
    for name in secrets:
        uses = [rest for other, rest in variables if other == name]
        assert not any(rest.startswith(":-") for rest in uses), name
        assert any(rest.startswith(":?") for rest in uses), name


@pytest.mark.parametrize(
    "setting",
    [
        "SETTLEMENT_APPROVERS",
        "SETTLEMENT_MASTER_DATA_RELEASERS",
        "SETTLEMENT_RELEASERS",
        "SETTLEMENT_USER_KINDS",
    ],
)
def test_nothing_starts_before_it_is_said_who_may_bring_in_and_whose_answers_count(setting: str) -> None:
    uses = re.findall(rf"\$\{{{setting}([^}}]*)\}}", TEXT)
    assert uses == [":?see .env.example"]
    assert re.search(f"^{setting}=$", EXAMPLE, re.MULTILINE)


def test_each_service_reaches_the_warehouse_by_the_roles_of_its_duty_only() -> None:
    web = (HOME / "plugins" / "settlement" / "web").glob("*.py")
    asked = {role for path in web for role in re.findall(r'connect\("(\w+)"', path.read_text())}
    tasks = set(ROLES)
    assert {name: roles for name in SERVICES if (roles := _roles_of(name))} == {
        "prepare": tasks,
        "api-server": asked,
        "scheduler": tasks,
        "worker": tasks,
        "superset-prepare": {"bi_reader"},
        "superset": {"bi_reader"},
    }
    assert asked.isdisjoint({"transformer", "poster", "decider"})


def test_only_what_runs_tasks_holds_the_key_of_persons() -> None:
    holders = {name for name in SERVICES if "SETTLEMENT_PERSON_KEY" in SERVICES[name].get("environment", {})}
    assert holders == {"scheduler", "worker"}


def test_no_anchor_shared_by_services_opens_the_warehouse() -> None:
    shared = COMPOSE["x-airflow"]["environment"]
    assert [name for name in shared if name.endswith("_DSN") or name == "SETTLEMENT_DATABASE_URL"] == []


def _roles_of(service: str) -> set[str]:
    environment = SERVICES[service].get("environment", {})
    return {name[len("SETTLEMENT_") : -len("_DSN")].lower() for name in environment if name.endswith("_DSN")}


def test_example_names_every_variable_and_gives_no_secret() -> None:
    for name in set(re.findall(r"(?<!\$)\$\{(\w+)", TEXT)):
        assert re.search(rf"^(# )?{name}=", EXAMPLE, re.MULTILINE), name
    for name, value in re.findall(r"^(\w+)=(.*)$", EXAMPLE, re.MULTILINE):
        assert value == "", name


def test_pages_listen_on_this_machine_only() -> None:
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert ports
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_volumes_and_configs_are_declared() -> None:
    used = {mount.split(":")[0] for service in SERVICES.values() for mount in service.get("volumes", [])}
    assert used == COMPOSE["volumes"].keys()


def test_plain_start_needs_neither_celery_nor_superset() -> None:
    started = {name for name, service in SERVICES.items() if "profiles" not in service}
    assert started == {"postgres", "prepare", "api-server", "scheduler", "dag-processor", "triggerer"}


def test_image_contains_what_the_checkout_needs() -> None:
    dockerfile = (HOME / "Dockerfile").read_text()
    copied = re.findall(r"^COPY ([\w.]+) ", dockerfile, re.MULTILINE)
    assert all((HOME / path).exists() for path in copied)
    allowed = (HOME / ".dockerignore").read_text().splitlines()
    assert all(f"!{path}" in allowed for path in copied)
    assert dockerfile.count("\nUSER ") >= 2


def test_no_role_that_people_outside_hold_may_change_a_dag() -> None:
    roles = json.loads((HOME / "deploy" / "roles.json").read_text())
    rights = {(role["name"], role["resource"]): set(role["action"].split(",")) for role in roles}
    assert not [of for of in rights if of[0] == "Platform" and not of[1].startswith("DAG Run:")]
    assert [of[0] for of, actions in rights.items() if of[1] == "DAGs" and "can_edit" in actions] == ["Operator"]


def test_the_service_account_writes_the_notes_of_every_dag() -> None:
    roles = json.loads((HOME / "deploy" / "roles.json").read_text())
    noted = {role["resource"] for role in roles if role["name"] == "Service" and role["action"] == "can_read,can_edit"}
    assert {f"DAG:{path.stem}" for path in (HOME / "dags").glob("*.py")} <= noted


def test_roles_name_dags_that_exist() -> None:
    roles = json.loads((HOME / "deploy" / "roles.json").read_text())
    named = {role["resource"].split(":")[1] for role in roles if ":" in role["resource"]}
    assert named <= {path.stem for path in (HOME / "dags").glob("*.py")}


def test_every_pool_a_task_asks_for_exists() -> None:
    sources = (HOME / "plugins" / "settlement" / "tasks").glob("*.py")
    asked = {pool for path in sources for pool in re.findall(r'pool="(\w+)"', path.read_text())}
    assert asked <= json.loads((HOME / "deploy" / "pools.json").read_text()).keys()


def _has_compose() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "compose", "version"], capture_output=True).returncode == 0


if _has_compose():

    def test_docker_compose_accepts_the_file(tmp_path: Path) -> None:
        filled = re.sub(r"^(\w+)=$", r"\1=secret", EXAMPLE, flags=re.MULTILINE)
        (tmp_path / "env").write_text(filled)
        command = ["docker", "compose", "--env-file", str(tmp_path / "env"), "--profile", "*", "config", "--quiet"]
        finished = subprocess.run(command, cwd=HOME, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stderr


def test_limits_that_an_operator_sets_reach_every_process_of_airflow():
    assert COMPOSE["x-airflow"]["env_file"] == [{"path": "limits.env", "required": False}]
    overridden = [
        name
        for name, service in SERVICES.items()
        if "AIRFLOW_HOME" in service.get("environment", {})
        and service.get("env_file") != COMPOSE["x-airflow"]["env_file"]
    ]
    assert overridden == []
