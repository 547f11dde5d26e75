"""What a waiver gives back, and what it leaves to the finding after it, through the books.

A line of 25.00 yuan is charged twice (V01), and its price is 5.00 above the ceiling (V02). The fund paid 100.00 of the
settlement's 200.00 insured yuan. Both appeal windows end on 16 March 2026.
"""

from decimal import Decimal

import pytest
from tests.fixtures.prepared_warehouse import prepared  # noqa: F401
from tests.fixtures.proposals import AREA, INSTITUTION

from settlement.ledger.posting import post
from settlement.warehouse import connect, dbt

pytestmark = pytest.mark.slow

DUPLICATE, ABOVE_CEILING = f"{INSTITUTION}:V01:S1:1", f"{INSTITUTION}:V02:S1:1"
FINDINGS = ((DUPLICATE, "V01", "25.00", "25.00", "12.50"), (ABOVE_CEILING, "V02", "5.00", "0.00", "0.00"))


@pytest.fixture
def found(prepared):  # noqa: F811
    """Both findings as the review stores them: V01 takes the whole line."""
    for finding_id, rule_code, refused_by_rule, refused, at_stake in FINDINGS:
        prepared.execute(
            "insert into intermediate.int_findings__deducted (finding_id, rule_code, refused_by_rule_amount,"
            " refused_inscp_amount, amount_at_stake, area_code, fixmedins_code, setl_id, feedetl_sn, fund_pay_type,"
            " severity, business_date, found_on, line_inscp_amount, settlement_inscp_amount, fund_paid_amount,"
            " evidence, day_version) values (%s, %s, %s, %s, %s, %s, %s, 'S1', '1', '310100', 'clear', '2026-03-02',"
            " '2026-03-02', 25, 200, 100, '{}', 'v')",
            [finding_id, rule_code, refused_by_rule, refused, at_stake, AREA, INSTITUTION],
        )
    return prepared


def waive(warehouse, finding_id, day):
    warehouse.execute(
        "insert into raw.review_decision values (%s, 'waive', null, 'reviewer', %s::timestamptz, '两次使用', 'appeal',"
        " %s, 'R1', 'R1', 1, 1, gen_random_uuid())",
        [finding_id, f"{day} 10:00:00+08", AREA],
    )


def settle(warehouse, pay_date):
    """Propose and post the deductions of a pay date; gives what it booked, by event."""
    before = set(booked(warehouse))
    dbt.build("entry_deducted entry_restored", {"pay_date": pay_date, "area_code": AREA})
    with connect("poster") as connection:
        for event in ("deducted", "restored"):
            post(connection, f"entries.entry_{event}", area_code=AREA, purpose="entries", posted_by="test")
    return sorted(set(booked(warehouse)) - before)


def booked(warehouse):
    return warehouse.rows(
        "select event, source_id, amount from ledger.entry inner join ledger.entry_line"
        " using (fixmedins_code, business_event_id) where account = 'payable_institution'"
    )


def test_a_waiver_after_the_windows_gives_back_one_deduction_and_books_what_it_kept_from_the_other(found):
    assert settle(found, "2026-03-17") == [("deducted", DUPLICATE, Decimal("12.50"))]

    waive(found, DUPLICATE, "2026-04-10")
    assert settle(found, "2026-04-13") == [
        ("deducted", ABOVE_CEILING, Decimal("2.50")),
        ("restored", DUPLICATE, Decimal("12.50")),
    ]
    assert settle(found, "2026-04-14") == []
    assert found.rows(
        "select rule_code, refused_inscp_amount, amount_at_stake, deducted_amount, status"
        " from marts.fct_review_findings order by 1"
    ) == [
        ("V01", Decimal("25.00"), Decimal("12.50"), Decimal("0.00"), "waived"),
        ("V02", Decimal("5.00"), Decimal("2.50"), Decimal("2.50"), "deducted"),
    ]
