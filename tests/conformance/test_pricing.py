"""The worked examples of the formulas, through the models that price a month: to the fen, and with totals that tie."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.pricing import FUND, MONTH, REFERENCE, SCHEME, add_case, price, set_scheme
from tests.fixtures.proposals import AREA

pytestmark = pytest.mark.slow

Bookings = Mapping[str, Mapping[str, Any]]


@pytest.fixture
def examples(conformance_data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((conformance_data / "formulas/worked_examples.json").read_text(encoding="utf-8"))
    return found


def decimals(values: Mapping[str, str]) -> dict[str, Decimal]:
    return {key: Decimal(value) for key, value in values.items()}


def total(bookings: Bookings, column: str) -> dict[str, Decimal]:
    """Sums by institution."""
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for booking in bookings.values():
        sums[booking["fixmedins_code"]] += booking[column]
    return dict(sums)


def point_value(warehouse: PreparedWarehouse, column: str) -> Decimal:
    ((value,),) = warehouse.rows(f"select {column} from marts.fct_point_values")
    return value


def gross(warehouse: PreparedWarehouse) -> dict[str, Decimal]:
    return dict(warehouse.rows("select fixmedins_code, gross_amount from intermediate.int_institutions__allotted"))


def add_history(warehouse: PreparedWarehouse, years: Iterable[tuple[str, list[tuple[int, int]]]]) -> None:
    for group, figures in years:
        for year, (cases, mean) in enumerate(figures, 2023):
            warehouse.execute(
                f"insert into reference.group_history values (%s, %s, %s, %s, %s, %s, 'test'{REFERENCE})",
                [AREA, SCHEME, group, year, cases, mean],
            )


def test_weights_and_scores_come_from_three_years_of_costs(prepared, examples):  # noqa: F811
    expected = examples["EX1"]
    add_history(
        prepared,
        [
            ("G1", [(100, 8000), (110, 8200), (120, 8500)]),
            ("G2", [(50, 21000), (55, 20500), (60, 22000)]),
            ("G3", [(200, 3900), (210, 4000), (220, 4100)]),
        ],
    )
    rows = prepared.rows(
        "select group_code, mean_cost_amount, relative_weight, score, overall_mean_cost_amount, budget_year"
        " from marts.rpt_group_weights"
    )
    assert {row[0]: row[1] for row in rows} == decimals(expected["m"])
    assert {row[0]: row[2] for row in rows} == decimals(expected["RW"])
    assert {row[0]: row[3] for row in rows} == decimals(expected["DIP_score"])
    assert {row[4:] for row in rows} == {(Decimal(expected["M"]), 2026)}


def test_the_rate_is_the_fund_at_its_payment_ratio_over_all_weights(prepared, examples):  # noqa: F811
    expected = examples["EX2"]
    set_scheme(
        prepared,
        "drg",
        budget=str(Decimal(expected["fund"]) * 12),
        parameters={"pricing_method": "drg_rate", "payment_ratio": expected["ratio_p"]},
    )
    add_case(prepared, "all", "H01", method="drg", weight=Decimal(expected["sum_weights"]), total_cost_amount=1)
    price(prepared)
    assert prepared.rows("select rate from intermediate.int_drg_rates") == [(Decimal(expected["rate"]),)]


def test_cases_at_a_rate_are_paid_by_their_standard_unless_they_deviate(prepared, examples):  # noqa: F811
    expected = examples["EX2"]
    set_scheme(
        prepared,
        "drg",
        parameters={"pricing_method": "drg_rate", "value_mode": "fixed", "fixed_value": expected["rate"]},
    )
    for case in expected["cases"]:
        add_case(
            prepared,
            case["case"],
            "H01",
            method="drg",
            weight=case["rw"],
            coefficient=case["coef"],
            total_cost_amount=case["cost"],
            other_paid_amount=case["patient_paid"],
        )
    found = price(prepared)
    for case in expected["cases"]:
        booking = found[case["case"]]
        assert booking["standard_amount"] == Decimal(case["standard"])
        assert booking["cost_ratio"] == Decimal(case["ratio"])
        assert booking["deviation_type"] == case["type"]
        assert booking["booked_amount"] == Decimal(case["fund_payable"])


def test_drg_points_share_the_fund_and_what_patients_paid(prepared, examples):  # noqa: F811
    expected = examples["EX3"]
    means = {"FM39": 32000, "ES35": 6400, "GZ15": 4800}
    set_scheme(prepared, "drg", point_basis="total_cost", budget=str(Decimal(expected["fund_budget"]) * 12))
    unassigned = dict(expected["personal_paid"])
    for case in expected["cases"]:
        add_case(
            prepared,
            case["case"],
            case["hosp"],
            method="drg",
            group_code=case["drg"],
            mean_cost_amount=means[case["drg"]],
            overall_mean_cost_amount=10000,
            coefficient=case["diff_coef"],
            total_cost_amount=case["cost"],
            other_paid_amount=unassigned.pop(case["hosp"], "0"),
        )
    found = price(prepared)
    assert {case: row["points"] for case, row in found.items()} == {
        case["case"]: Decimal(case["points"]) for case in expected["cases"]
    }
    assert {case: row["deviation_type"] for case, row in found.items()} == {
        case["case"]: case["type"] for case in expected["cases"]
    }
    assert total(found, "points") == decimals(expected["hospital_points"])
    assert point_value(prepared, "point_value") == Decimal(expected["point_value_8dp"])
    assert point_value(prepared, "published_point_value") == Decimal(expected["point_value_published_4dp"])
    assert gross(prepared) == decimals(expected["hospital_gross(LR)"])
    assert total(found, "booked_amount") == decimals(expected["hospital_fund=gross-personal"])
    assert sum(total(found, "booked_amount").values()) == Decimal(expected["tie_check_fund"])


def test_dip_points_share_the_fund_from_area_to_institution_to_case(prepared, examples):  # noqa: F811
    expected = examples["EX4"]
    set_scheme(prepared, "dip", budget=str(Decimal(expected["fund_F"]) * 12), parameters={"deviation_scheme": "DIP2"})
    for case in expected["cases"]:
        add_case(
            prepared,
            case["case"],
            case["hosp"],
            method="dip",
            group_code=case["dip"],
            weight=case["score"],
            coefficient=case["coef"],
            auxiliary_coefficient=case["aux"],
            level_mean_cost_amount=case["same_level_avg"],
            total_cost_amount=case["cost"],
            accrued_amount=case["booked"],
        )
    found = price(prepared)
    for case in expected["cases"]:
        booking = found[case["case"]]
        assert booking["cost_ratio"] == Decimal(case["ratio"])
        assert booking["deviation_type"] == case["type"]
        assert booking["factor"] == Decimal(case["factor"])
        assert booking["points"] == Decimal(case["points"])
        assert booking["booked_amount"] == Decimal(expected["case_fund_nested_LR"][case["case"]])
    assert total(found, "points") == decimals(expected["hospital_points"])
    assert point_value(prepared, "payment_ratio") == Decimal(expected["payment_ratio_p_6dp"])
    assert point_value(prepared, "point_value") == Decimal(expected["settlement_point_value_8dp"])
    assert total(found, "booked_amount") == decimals(expected["hospital_gross_LR"])
    assert sum(total(found, "booked_amount").values()) == Decimal(expected["fund_F"])


def test_at_a_value_set_beforehand_the_deposit_is_due_less_what_is_paid(prepared, examples):  # noqa: F811
    expected = {row["hosp"]: row for row in examples["EX5"]}
    set_scheme(
        prepared,
        "dip",
        point_basis="total_cost",
        parameters={"value_mode": "fixed", "fixed_value": expected["H01"]["month_pv"]},
    )
    prepared.execute(
        "insert into reference.payment_policy values"
        f" (%s, null, null, null, 'inpatient', 'monthly', null, null, 0.05{REFERENCE})",
        [AREA],
    )
    for hospital, row in expected.items():
        add_case(
            prepared, hospital, hospital, method="dip", weight=row["points"],
            total_cost_amount=20000, other_paid_amount=row["patient_paid"],
        )  # fmt: skip
    found = price(prepared)
    assert total(found, "booked_amount") == {hospital: Decimal(row["fund_due"]) for hospital, row in expected.items()}
    rows = prepared.rows(
        "select fixmedins_code, due_amount, due_amount - deposit_amount, deposit_amount"
        " from marts.rpt_month_presettlement"
    )
    assert {row[0]: row[1:] for row in rows} == {
        hospital: (Decimal(row["fund_due"]), Decimal(row["prepay_95"]), Decimal(row["deposit_5"]))
        for hospital, row in expected.items()
    }


def test_bed_days_are_paid_by_tiers_in_yuan_and_in_points(prepared, examples):  # noqa: F811
    expected = examples["EX9"]
    set_scheme(prepared, "drg")
    for from_day, amount in ((1, 320), (61, 260), (181, 200)):
        prepared.execute(
            f"insert into reference.bed_day_rate values (%s, null, null, %s, %s, %s, 'test'{REFERENCE})",
            [AREA, from_day, amount, expected["fund_ratio"]],
        )
    add_case(
        prepared, "long", "H01", method="bed_day", case_status="BED_DAY", is_pooled=False, stay_days=expected["days"],
        overall_mean_cost_amount=10000, total_cost_amount=60000, accrued_amount=40000,
    )  # fmt: skip
    found = price(prepared)
    assert prepared.rows("select gross_amount, fund_amount, points from intermediate.int_cases__bed_days") == [
        (Decimal(expected["gross"]), Decimal(expected["fund"]), Decimal(expected["beddays_points_avg10000"]))
    ]
    assert found["long"]["booked_amount"] == Decimal(expected["fund"])


def test_heads_are_paid_by_risk_and_a_part_waits_for_the_assessment(prepared, examples):  # noqa: F811
    expected = examples["EX10"]
    for band, heads, weight in (("0-6", 1200, "1.30"), ("7-59", 8600, "0.80"), ("60+", 2200, "1.90")):
        prepared.execute(
            "insert into reference.capitation_contract values"
            f" (%s, 'H01', %s, 2026, %s, %s, %s, %s, 0.90, 'test'{REFERENCE})",
            [AREA, FUND, band, heads, expected["base_per_head"], weight],
        )
    rows = prepared.rows(
        "select age_band, band_amount, year_amount, mean_risk_weight, paid_monthly_amount, held_amount"
        " from marts.rpt_capitation"
    )
    held = expected["assessment_0.95_yearend_10pct_hold"]
    assert {row[0]: row[1] for row in rows} == decimals(expected["by_band_LR"])
    assert {row[2:] for row in rows} == {
        tuple(map(Decimal, (expected["total"], expected["avg_risk"], held["paid_90"], held["hold"])))
    }


def test_above_the_base_volume_points_share_what_the_fixed_value_leaves(prepared, examples):  # noqa: F811
    expected = examples["EX12"]
    set_scheme(
        prepared,
        "dip",
        point_basis="total_cost",
        budget=str(Decimal(expected["total"]) * 12),
        parameters={
            "value_mode": "elastic",
            "fixed_value": expected["fixed_pv"],
            "base_points": expected["base_points"],
            "value_cap": expected["cap_pv"],
        },
    )
    points = Decimal(expected["base_points"]) + Decimal(expected["increment_points"])
    add_case(prepared, "all", "H01", method="dip", weight=points, total_cost_amount=70_000_000)
    found = price(prepared)
    assert point_value(prepared, "floating_value") == Decimal(expected["floating_pv_8dp"])
    assert found["all"]["booked_amount"] == Decimal(expected["total"])


def test_what_is_booked_less_what_was_accrued_is_proposed_for_the_books(prepared, examples):  # noqa: F811
    expected = examples["EX4"]
    set_scheme(prepared, "dip", budget=str(Decimal(expected["fund_F"]) * 12))
    add_case(
        prepared, "one", "H01", method="dip", weight=1000, level_mean_cost_amount=10000, total_cost_amount=10000,
        accrued_amount="65241.00",
    )  # fmt: skip
    price(prepared)
    rows = prepared.rows("select business_event_id, account, side, amount, settlement_month from entries.entry_booked")
    difference = Decimal("65241.00") - Decimal(expected["fund_F"])
    event = f"H01:booked:{MONTH}:{FUND}:1"
    assert sorted(rows) == [
        (event, "benefit_expense", "credit", difference, MONTH),
        (event, "payable_institution", "debit", difference, MONTH),
    ]
