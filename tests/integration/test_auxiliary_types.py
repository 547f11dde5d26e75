"""The auxiliary type of a DIP case: of those its group knows and it meets, the one that counts most."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401

from settlement.grouper.schemes import import_scheme
from settlement.warehouse import dbt

pytestmark = pytest.mark.slow

SMALL_DIP = Path(__file__).parents[2] / "examples/schemes/small_dip"
GALL_BLADDER, PNEUMONIA = "K80.1:51.2300", "J18:MEDICAL"

# group, age, days of the stay, way of discharge, diagnoses → type, coefficient
CASES = {
    "respiratory failure makes a stay severe": (GALL_BLADDER, 50, 9, "1", "K80.100|J96.000", "severe", "1.3000"),
    "a stay of two days is not severe": (GALL_BLADDER, 50, 2, "1", "K80.100|J96.000", None, None),
    "heart failure is moderate": (GALL_BLADDER, 50, 9, "1", "K80.100|I50.900", "moderate", "1.1000"),
    "diabetes counts more than heart failure": (
        GALL_BLADDER, 50, 9, "1", "K80.100|I50.900|E11.900", "1-2", "1.1200",
    ),
    "of one category the heaviest counts once": (GALL_BLADDER, 50, 9, "1", "K80.100|E11.900|E11.200", "1-2", "1.1200"),
    "an index of three is a type the group does not know": (
        GALL_BLADDER, 50, 9, "1", "K80.100|E11.900|N18.900", None, None,
    ),
    "eighty years and more": (PNEUMONIA, 80, 5, "1", "J18.900", "80+", "1.1500"),
    "seventy-nine years": (PNEUMONIA, 79, 5, "1", "J18.900", None, None),
    "death counts less than age": (PNEUMONIA, 91, 5, "5", "J18.900", "80+", "1.1500"),
    "death": (PNEUMONIA, 60, 5, "5", "J18.900", "death", "1.0500"),
}  # fmt: skip


def test_a_case_has_the_auxiliary_type_that_counts_most(prepared: PreparedWarehouse):  # noqa: F811
    import_scheme("dip", SMALL_DIP, version="small_dip", valid_from=date(2025, 1, 1), imported_by="test")
    for number, (case, (group, age, days, way, codes, *_)) in enumerate(CASES.items()):
        prepared.execute(
            "insert into intermediate.int_listed_cases (case_no, case_id, fixmedins_code, scheme_id, age_years,"
            " stay_days, discharge_way, dx_codes, op_codes)"
            " select %s, %s, 'H01', scheme_id, %s, %s, %s, %s, '{}' from grouper.scheme",
            [number, case, age, days, way, codes.split("|")],
        )
        prepared.execute(
            "insert into intermediate.int_dip_case_groups (case_no, case_id, scheme_id, group_code)"
            " select %s, %s, scheme_id, %s from grouper.scheme",
            [number, case, group],
        )
    dbt.build("int_cases__auxiliary", {"booked_month": "2026-03"})
    found = {
        case: (type_code, coefficient)
        for case, type_code, coefficient in prepared.rows(
            "select setl_id, type_code, coefficient from intermediate.int_cases__auxiliary"
        )
    }
    expected = {case: (row[-2], Decimal(row[-1])) for case, row in CASES.items() if row[-2]}
    assert found == expected
