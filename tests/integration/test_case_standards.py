"""What a case of a group is worth: by level of hospital, same pay everywhere, and by routes of Chinese medicine."""

from decimal import Decimal
from typing import Any

import pytest
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.pricing import FUND, MONTH, REFERENCE, SCHEME, set_scheme
from tests.fixtures.proposals import AREA

from settlement.warehouse import dbt

pytestmark = pytest.mark.slow

DAY = "2026-03-10"
# group, level, weight, mean cost, basic, priced as, least share of Chinese medicine
STANDARDS: list[tuple[Any, ...]] = [
    ("*", None, None, 10000, 0, None, None),
    ("A", None, "1.2000", 12000, 0, None, None),
    ("A", "3", "1.3000", 13500, 0, None, None),
    ("B", None, "0.4000", 4000, 1, None, None),
    ("TCM", None, "0.9000", 9000, 0, "A", "0.5"),
]
# case: institution, level, group, cost, of it Chinese medicine → priced as, weight, level's mean, coefficient
CASES: dict[str, tuple[Any, ...]] = {
    "all levels": ("H01", "2", "A", 11000, 0, "A", "1.2000", None, "1.1000"),
    "a level of its own": ("H02", "3", "A", 11000, 0, "A", "1.3000", "13500.00", "1.0000"),
    "the same pay everywhere": ("H01", "2", "B", 4000, 0, "B", "0.4000", None, "1.0000"),
    "mostly Chinese medicine": ("H01", "2", "TCM", 8000, 4000, "A", "1.2000", None, "1.1000"),
    "too little Chinese medicine": ("H01", "2", "TCM", 8000, 3999, "TCM", "0.9000", None, "1.1000"),
    "a group nobody priced": ("H01", "2", "C", 8000, 0, "C", None, None, "1.1000"),
}


@pytest.fixture
def priced(prepared: PreparedWarehouse) -> dict[str, tuple[Any, ...]]:  # noqa: F811
    """The cases with what the models find them worth."""
    set_scheme(prepared, "drg")
    prepared.execute("select raw.ensure_partitions(%s::date, %s::date)", [DAY, DAY])
    prepared.execute(f"insert into reference.institution_factor values ('H01', %s, 2026, 1.1, 95{REFERENCE})", [SCHEME])
    for standard in STANDARDS:
        prepared.execute(
            f"insert into reference.group_standard values (%s, %s, %s, %s, %s, %s, %s, %s, %s, 'test'{REFERENCE})",
            [AREA, SCHEME, *standard],
        )
    for number, (case, (institution, level, group, cost, chinese, *_)) in enumerate(CASES.items()):
        prepared.execute(
            "insert into intermediate.int_inpatient_cases (fixmedins_code, setl_id, area_code, business_date,"
            " settlement_month, fund_pay_type, method, scheme_version, scheme_id, hosp_lv, total_cost_amount,"
            " accrued_amount, other_paid_amount, has_list)"
            " select %s, %s, %s, %s, %s, %s, 'drg', version, scheme_id, %s, %s, 0, 0, true from grouper.scheme",
            [institution, case, AREA, DAY, MONTH, FUND, level, cost],
        )
        prepared.execute(
            "insert into intermediate.int_listed_cases (case_no, case_id, fixmedins_code) values (%s, %s, %s)",
            [number, case, institution],
        )
        prepared.execute(
            "insert into intermediate.int_cases__grouped (case_no, case_id, group_code, status)"
            " values (%s, %s, %s, '分组成功')",
            [number, case, group],
        )
        for category, amount in (("10", chinese), ("09", cost - chinese)):
            prepared.execute(
                "insert into raw.settlement_list_item (fixmedins_code, setl_id, med_chrgitm, amt, area_code,"
                " business_date, batch_id, accepted_batch_id, file_no, line_no, row_hash)"
                " values (%s, %s, %s, %s, %s, %s, 'B', 'B', 1, 1, gen_random_uuid())",
                [institution, case, category, amount, AREA, DAY],
            )
    dbt.build("int_cases__to_price", {"booked_month": MONTH, "area_code": AREA})
    rows = prepared.rows(
        "select setl_id, priced_group_code, weight, level_mean_cost_amount, coefficient, is_pooled"
        " from intermediate.int_cases__to_price"
    )
    return {row[0]: row[1:] for row in rows}


def test_a_case_is_worth_what_its_group_its_level_and_its_institution_say(priced):
    expected = {
        case: (group, weight and Decimal(weight), mean and Decimal(mean), Decimal(coefficient), True)
        for case, (*_, group, weight, mean, coefficient) in CASES.items()
    }
    assert priced == expected
