"""The parameters of pricing: what the gate takes of an area is what the seed has a default and a text for."""

import csv
from pathlib import Path

import duckdb
import pytest
from tests.fixtures.gate import GOOD

from settlement.gate import context_columns, load_suite, projection, reasons
from settlement.gate.suites import IN_SET

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
SUITE = load_suite("pricing_parameter")

# Of each type of value what the gate takes, and what it refuses.
TAKEN = {"number": "0.5", "share": "0.5", "multiple": "1.01", "flag": "1"}
REFUSED = {"choice": "7", "number": "many", "share": "1.01", "multiple": "1", "flag": "2"}


def seed(name: str) -> list[dict[str, str]]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


PARAMETERS = seed("pricing_parameters")


def refused_for(parameter: str, value: str) -> set[str]:
    """The columns that the gate refuses a row of this parameter and value for."""
    row = {**GOOD["pricing_parameter"], "parameter": parameter, "value": value}
    context = context_columns(SUITE)
    names = [column.name for column in SUITE.table.columns]
    connection = duckdb.connect()
    declared = [*(f'"{name}" VARCHAR' for name in names), *(f"{name} {kind}" for name, kind in context.items())]
    connection.execute(f"create table delivered ({', '.join(declared)})")
    connection.execute(
        f"insert into delivered values ({', '.join('?' * len(declared))})",
        [row.get(name) for name in (*names, *context)],
    )
    items = ", ".join([*projection(SUITE), *context])
    judged = connection.execute(
        f"with judged as (select {items} from delivered) select {reasons(SUITE)} from judged"
    ).fetchone()
    assert judged is not None
    return {reason["field"] for reason in judged[0]}


def test_the_gate_and_the_seed_know_the_same_parameters() -> None:
    rule = SUITE.of_column("parameter", IN_SET)
    assert rule is not None
    assert set(rule.kwargs["value_set"]) == {row["parameter"] for row in PARAMETERS}


def test_a_parameter_has_one_row_a_method_and_day_and_one_type() -> None:
    keys = [(row["parameter"], row["applies_to"], row["valid_from"]) for row in PARAMETERS]
    assert len(set(keys)) == len(keys)
    assert {row["applies_to"] for row in PARAMETERS} == {"drg", "dip", ""}
    types = {(row["parameter"], row["value_type"]) for row in PARAMETERS}
    assert len(types) == len({parameter for parameter, _ in types})
    assert {value_type for _, value_type in types} == REFUSED.keys()


def test_what_stands_for_both_methods_stands_beside_no_row_of_one() -> None:
    both = {row["parameter"] for row in PARAMETERS if not row["applies_to"]}
    assert not both & {row["parameter"] for row in PARAMETERS if row["applies_to"]}


@pytest.mark.parametrize("row", PARAMETERS, ids=lambda row: f"{row['parameter']}-{row['applies_to'] or 'both'}")
def test_the_gate_judges_a_value_by_the_type_the_seed_gives(row: dict[str, str]) -> None:
    taken = [value for value in (row["default_value"], TAKEN.get(row["value_type"])) if value]
    assert taken
    assert [value for value in taken if refused_for(row["parameter"], value)] == []
    assert refused_for(row["parameter"], REFUSED[row["value_type"]]) == {"value"}


def test_every_month_has_a_share_of_the_budget() -> None:
    months = [int(row["month_no"]) for row in seed("budget_month_shares") if not row["area_code"]]
    assert months == list(range(1, 13))
