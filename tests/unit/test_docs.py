"""What the documents promise about the repository: links that lead somewhere, and every dependency with its reason."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from settlement.web.problems import STATUSES

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
DEPENDENCIES = ROOT / "docs" / "decisions" / "0016-dependencies.md"
STATUS_ROW = re.compile(r"^\| ([45]\d\d) \| (.+) \|$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


def direct_dependencies() -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["dependency-groups"]
    named = [*project["project"]["dependencies"], *groups["local"], *groups["dev"]]
    named = [requirement for requirement in named if isinstance(requirement, str)]  # dev includes local
    return {re.split(r"[^A-Za-z0-9.-]", requirement, maxsplit=1)[0].lower() for requirement in named}


def test_there_are_pages() -> None:
    assert len(PAGES) > 10


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files_that_exist(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert not missing


def test_marts_that_pages_name_exist() -> None:
    named = {
        name for page in PAGES for name in re.findall(r"\b(?:fct|rpt|dim)_[a-z_]+", page.read_text(encoding="utf-8"))
    }
    models = {path.stem for path in (ROOT / "dbt_project" / "models" / "marts").rglob("*.sql")}
    assert named
    assert named - models == set()


def test_every_dag_has_its_runbook() -> None:
    dags = sorted(path.stem for path in (ROOT / "dags").glob("*.py"))
    assert dags
    assert [dag for dag in dags if not (ROOT / "docs" / "runbook" / f"{dag}.md").exists()] == []


def error_codes_of_runs() -> set[str]:
    """Collect the codes of errors that a run of a DAG can end with, from the calls that make them."""
    sources = [
        path
        for path in (ROOT / "plugins" / "settlement").rglob("*.py")
        if path.relative_to(ROOT / "plugins" / "settlement").parts[0] not in ("cli", "local", "sample", "web")
    ]
    calls = [node for path in sources for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.Call)]
    return {
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Name)
        and call.func.id in ("SettlementError", "BankMessageError", "UnpublishedYear")
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }


def test_every_error_a_run_can_end_with_is_explained_in_a_runbook() -> None:
    explained = set()
    for page in [*(ROOT / "docs" / "runbook").glob("*.md"), ROOT / "docs" / "accounting.md"]:
        explained |= set(re.findall(r"`([a-z_]+)`", page.read_text(encoding="utf-8")))
    codes = error_codes_of_runs()
    assert len(codes) > 30
    assert codes - explained == set(), "say in docs/runbook what these mean and what to do"


def test_the_page_of_the_api_lists_every_code_under_the_status_it_answers_with() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    rows = {int(status): set(re.findall(r"`([a-z_]+)`", codes)) for status, codes in STATUS_ROW.findall(page)}
    assert {code: status for code, status in STATUSES.items() if code not in rows[status]} == {}


def test_every_direct_dependency_has_a_licence_and_a_reason() -> None:
    rows = re.findall(r"^\| ([a-z0-9-]+) \| ([^|]+) \| ([^|]+) \|$", DEPENDENCIES.read_text(encoding="utf-8"), re.M)
    explained = {name for name, licence, reason in rows if licence.strip() and len(reason) > 10}
    assert explained - {"package"} == direct_dependencies()


def test_decisions_have_their_four_parts() -> None:
    parts = ["Situation", "Choice", "Alternatives", "What would change our mind"]
    for record in sorted((ROOT / "docs" / "decisions").glob("*.md")):
        found = re.findall(r"^## (.+)$", record.read_text(encoding="utf-8"), re.M)
        assert found == parts, record.name
