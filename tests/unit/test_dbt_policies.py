"""What a reader of the dbt project may rely on, checked over its manifest: layers, names, texts, contracts, tests.

These are the checks of dbt-project-evaluator that matter here, without its models in the warehouse. No model is
excepted.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2] / "dbt_project"

# What each layer may read. Marts read marts (a report on facts), never staging's sources directly.
READS = {
    "staging": {"source"},
    "intermediate": {"seed", "staging", "intermediate"},
    "entries": {"seed", "staging", "intermediate"},
    "marts": {"seed", "staging", "intermediate", "marts"},
}
PREFIXES = {"staging": ("stg_",), "intermediate": ("int_",), "entries": ("entry_",), "marts": ("fct_", "dim_", "rpt_")}
STAGES = {"reconciliation", "proposal", "publication", "booking"}

# Grouping's tables hold the work of one run; its rules are proved case by case in tests/integration/test_grouping.py.
WORK = {"drg_grouping", "dip_grouping", "case_booking"}


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The parsed project; parsing needs no database."""
    target = tmp_path_factory.mktemp("dbt")
    variables = dict.fromkeys(("DBT_HOST", "DBT_USER", "DBT_PASSWORD", "DBT_DBNAME"), "none") | {"DBT_PORT": "5432"}
    subprocess.run(
        [sys.executable, "-m", "dbt.cli.main", "--quiet", "parse", "--project-dir", PROJECT, "--profiles-dir", PROJECT],
        env={**os.environ, **variables, "DBT_TARGET_PATH": str(target), "DBT_LOG_PATH": str(target)},
        check=True,
    )
    return dict(json.loads((target / "manifest.json").read_text()))


@pytest.fixture(scope="module")
def models(manifest: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Models by name."""
    found = {node["name"]: node for node in manifest["nodes"].values() if node["resource_type"] == "model"}
    assert len(found) > 50, "the project was not found"
    return found


def layer_of(node: dict[str, Any]) -> str:
    """Layer of a node: its folder under models, or `seed` or `source`."""
    return str(node["fqn"][1]) if node["resource_type"] == "model" else str(node["resource_type"])


def is_table(model: dict[str, Any]) -> bool:
    """Whether the model stores rows beyond a run."""
    return model["config"]["materialized"] not in ("view", "work_table", "ephemeral")


def is_work(model: dict[str, Any]) -> bool:
    """Whether the model holds the work of one run of grouping or booking."""
    return bool(WORK & set(model["tags"]))


def test_layers_read_only_from_earlier_ones(manifest: dict[str, Any], models: dict[str, dict[str, Any]]) -> None:
    known = {**manifest["nodes"], **manifest["sources"]}
    wrong = [
        f"{name} reads {known[parent]['name']}"
        for name, model in models.items()
        for parent in model["depends_on"]["nodes"]
        if layer_of(known[parent]) not in READS[layer_of(model)]
    ]
    assert not wrong


def test_no_model_stands_without_parents(models: dict[str, dict[str, Any]]) -> None:
    assert not [name for name, model in models.items() if not model["depends_on"]["nodes"]]


def test_every_staging_model_is_of_one_source_table(models: dict[str, dict[str, Any]]) -> None:
    for name, model in models.items():
        if layer_of(model) != "staging":
            continue
        source, _, thing = name.removeprefix("stg_").partition("__")
        own = [parent for parent in model["depends_on"]["nodes"] if not parent.endswith(".intake.stopped_batch")]
        assert thing
        assert {parent.split(".")[2] for parent in own} <= {source}, name
        assert len(own) <= 1, name


def test_every_source_is_read_by_one_staging_model(manifest: dict[str, Any], models: dict[str, dict[str, Any]]) -> None:
    readers: dict[str, list[str]] = {unique_id: [] for unique_id in manifest["sources"]}
    for name, model in models.items():
        for parent in model["depends_on"]["nodes"]:
            if parent in readers and not parent.endswith(".intake.stopped_batch"):
                readers[parent].append(name)
    assert not {source: names for source, names in readers.items() if len(names) != 1 and "stopped" not in source}


def test_names_tell_the_layer(models: dict[str, dict[str, Any]]) -> None:
    assert not [name for name, model in models.items() if not name.startswith(PREFIXES[layer_of(model)])]


def test_models_stand_in_the_schema_of_their_layer(models: dict[str, dict[str, Any]]) -> None:
    assert not [name for name, model in models.items() if model["schema"] != layer_of(model)]


def test_every_model_says_what_a_row_is(models: dict[str, dict[str, Any]]) -> None:
    wrong = [
        name
        for name, model in models.items()
        if "One row per" not in model["description"] or not _is_bilingual(model["description"])
    ]
    assert not wrong


def test_every_column_is_documented_in_both_languages(models: dict[str, dict[str, Any]]) -> None:
    wrong = [
        f"{name}.{column['name']}"
        for name, model in models.items()
        for column in model["columns"].values()
        if not _is_bilingual(column["description"])
    ]
    assert not wrong


def _is_bilingual(text: str) -> bool:
    return any("一" <= character <= "鿿" for character in text) and " / " in text


def test_entries_and_marts_keep_a_contract(models: dict[str, dict[str, Any]]) -> None:
    wrong = [
        name
        for name, model in models.items()
        if (layer_of(model) in ("entries", "marts") or is_table(model)) and not model["config"]["contract"]["enforced"]
    ]
    assert not wrong


def test_every_table_has_a_primary_key(models: dict[str, dict[str, Any]]) -> None:
    wrong = [
        name
        for name, model in models.items()
        if is_table(model) and not any(constraint["type"] == "primary_key" for constraint in model["constraints"])
    ]
    assert not wrong


def test_every_table_is_replaced_by_period_and_belongs_to_a_stage(models: dict[str, dict[str, Any]]) -> None:
    for name, model in models.items():
        if is_table(model):
            assert model["config"]["materialized"] == "period_replace", name
            assert STAGES & set(model["tags"]), name
        else:
            assert not STAGES & set(model["tags"]), f"{name} is a view: a run need not build it again"


def test_work_tables_belong_to_grouping_and_booking_alone(models: dict[str, dict[str, Any]]) -> None:
    for name, model in models.items():
        assert (model["config"]["materialized"] == "work_table") == is_work(model), name


def test_every_decision_is_tested(manifest: dict[str, Any], models: dict[str, dict[str, Any]]) -> None:
    """Models with a case, a window, a rate or an allocation have a unit test."""
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    deciding = ("case\n", "case ", " over ", "distinct on", "round(", "yuan(", "entry_lines(", "touched_days(")
    wrong = [
        name
        for name, model in models.items()
        if any(word in model["raw_code"] for word in deciding) and name not in tested and not is_work(model)
    ]
    assert not wrong


def test_no_clock_and_no_variables_enter_a_model(manifest: dict[str, Any]) -> None:
    forbidden = (
        "now()",
        "current_date",
        "current_timestamp",
        "clock_timestamp",
        "localtimestamp",
        "var(",
        "run_started_at",
    )
    texts = {node["name"]: node["raw_code"] for node in manifest["nodes"].values() if "raw_code" in node}
    texts |= {macro["name"]: macro["macro_sql"] for macro in _own_macros(manifest)}
    assert not [name for name, text in texts.items() if any(word in text.lower() for word in forbidden)]


def _own_macros(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    return [macro for macro in manifest["macros"].values() if macro["package_name"] == "settlement"]


def test_every_exposure_names_marts_only(manifest: dict[str, Any]) -> None:
    exposures = manifest["exposures"].values()
    assert exposures
    assert not [
        parent
        for exposure in exposures
        for parent in exposure["depends_on"]["nodes"]
        if layer_of(manifest["nodes"][parent]) != "marts"
    ]
