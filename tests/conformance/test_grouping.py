"""Cases with published groups: every one of them must come out the same, through the command's own path."""

import csv
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401

from settlement.grouper.by_hand import group_file
from settlement.grouper.schemes import import_scheme

Groups = dict[str, dict[str, str]]
GroupFile = Callable[[str, str, str], Groups]

pytestmark = pytest.mark.slow


def read(path: Path) -> Groups:
    with path.open(encoding="utf-8", newline="") as source:
        return {row["case_id"]: row for row in csv.DictReader(source)}


@pytest.fixture
def grouped(prepared: PreparedWarehouse, conformance_data: Path, tmp_path: Path) -> GroupFile:  # noqa: F811
    """Group a file of the conformance data by a scheme of it; gives the rows by case."""

    def group(kind: str, scheme: str, cases: str) -> Groups:
        import_scheme(
            kind, conformance_data / scheme, version=kind, valid_from=date(2020, 1, 1), imported_by="conformance"
        )  # type: ignore[arg-type]
        group_file(kind, conformance_data / cases, tmp_path / "groups.csv")
        return read(tmp_path / "groups.csv")

    return group


def test_ten_thousand_cases_have_the_groups_of_the_reference_grouper(grouped, conformance_data):
    file = "drg/cases_with_expected_group_10000.csv"
    found = grouped("drg", "drg/chs_drg_11", file)
    expected = read(conformance_data / file)
    columns = {"exp_mdc": "mdc", "exp_adrg": "adrg", "exp_drg": "group", "exp_status": "status"}
    wrong = [
        (case_id, row[wanted], found[case_id][column])
        for case_id, row in expected.items()
        for wanted, column in columns.items()
        if row[wanted] != found[case_id][column]
    ]
    assert len(expected) == len(found) == 10_000
    assert wrong == []


def test_published_cases_have_their_published_groups(grouped, conformance_data):
    found = grouped("drg", "drg/chs_drg_11", "drg/published_cases_30.csv")
    expected = {
        case_id: row["published_expected_drg"]
        for case_id, row in read(conformance_data / "drg/published_cases_30.csv").items()
        if row["published_expected_drg"]
    }
    assert {case_id: found[case_id]["group"] for case_id in expected} == expected
    assert len(expected) == 24


def test_dip_cases_have_their_groups(grouped, conformance_data):
    found = grouped("dip", "dip", "dip/dip_cases_expected.csv")
    expected = read(conformance_data / "dip/dip_cases_expected.csv")
    assert {case_id: row["group"] for case_id, row in found.items()} == {
        case_id: row["exp_group"] for case_id, row in expected.items()
    }
    assert len(expected) == 20
