"""Reference rows: how they are corrected, what may not be rewritten, and whose rows an area may deliver."""

from typing import Any

import psycopg
import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import (
    area,
    bank_account,
    daily_policy,
    fund_account,
    institution,
    settlement,
    write_batch,
)
from tests.fixtures.gate import GOOD
from tests.fixtures.one_hospital import DAY, HOSPITAL, counts, deliver, error_code, register_hospital

from settlement.intake import receive


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    return register_hospital(warehouse)


def test_a_correction_ends_the_old_row_and_starts_a_new_one(city: Warehouse) -> None:
    old = institution(HOSPITAL, area_code="330100", valid_to="2026-02-28")
    new = institution(HOSPITAL, area_code="330100", institution_class="B", valid_from="2026-03-01")
    receipt = deliver(city, "reference-2", "reference", {"institution": [old, new]})
    assert (receipt.status, counts(receipt, "institution")) == ("accepted", (2, 2, 0, 0, 0))
    assert city.rows(
        "select institution_class, valid_from::text, valid_to::text, batch_id, ended_by_batch_id "
        "from reference.institution order by valid_from"
    ) == [
        ("A", "2025-01-01", "2026-02-28", "reference-1", "reference-2"),
        ("B", "2026-03-01", None, "reference-2", None),
    ]


def test_the_same_reference_row_again_is_repeated(city: Warehouse) -> None:
    receipt = deliver(city, "reference-2", "reference", {"institution": [institution(HOSPITAL, area_code="330100")]})
    assert counts(receipt, "institution") == (1, 0, 0, 1, 0)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "another name"},
        {"valid_from": "2026-03-01"},
        {"valid_from": "2024-01-01", "valid_to": "2025-01-01"},
        {"name": "another name", "valid_to": "2026-02-28"},
    ],
)
def test_a_row_that_overlaps_or_rewrites_another_is_refused(city: Warehouse, changes: dict[str, str]) -> None:
    before = city.rows("select t::text from reference.institution as t")
    row = institution(HOSPITAL, area_code="330100", **changes)
    assert error_code(deliver(city, "reference-2", "reference", {"institution": [row]})) == "reference_overlap"
    assert city.rows("select t::text from reference.institution as t") == before


def test_rows_for_all_and_rows_for_one_are_different_keys(city: Warehouse) -> None:
    policy = {"area_code": "330100", "care_class": "all", "mode": "monthly", "valid_from": "2025-01-01"}
    rows = [policy, policy | {"fixmedins_code": HOSPITAL}, policy | {"fund_pay_type": "310100"}]
    receipt = deliver(city, "reference-2", "reference", {"payment_policy": rows})
    assert counts(receipt, "payment_policy") == (3, 3, 0, 0, 0)
    receipt = deliver(city, "reference-3", "reference", {"payment_policy": [policy | {"valid_from": "2026-01-01"}]})
    assert error_code(receipt) == "reference_overlap"


def test_a_practitioner_has_no_name(city: Warehouse) -> None:
    row = {"code": "D330100000001", "fixmedins_code": HOSPITAL, "name": "SECRETNAME", "status": "active"}
    deliver(city, "reference-2", "reference", {"practitioner": [row | {"valid_from": "2025-01-01"}]})
    assert city.rows("select code, fixmedins_code, status from reference.practitioner") == [
        ("D330100000001", HOSPITAL, "active")
    ]


PRICING = ("group_standard", "group_history", "pricing_parameter", "bed_day_rate", "capitation_contract")


def test_numbers_that_price_cases_are_ended_and_never_changed(city: Warehouse) -> None:
    assert deliver(city, "reference-2", "reference", {name: [GOOD[name]] for name in PRICING}).reasons == {}
    ended = {name: GOOD[name] | {"valid_to": "2026-06-30"} for name in PRICING}
    followed = {name: GOOD[name] | {"valid_from": "2026-07-01"} for name in PRICING}
    receipt = deliver(city, "reference-3", "reference", {name: [ended[name], followed[name]] for name in PRICING})
    for name in PRICING:
        assert counts(receipt, name) == (2, 2, 0, 0, 0)
        assert city.rows(
            f"select valid_to::text, document, ended_by_batch_id from reference.{name} order by valid_from"
        ) == [("2026-06-30", GOOD[name]["document"], "reference-3"), (None, GOOD[name]["document"], None)]
        with city.connect("loader") as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"update reference.{name} set document = ''")


def test_a_parameter_of_a_scheme_stands_beside_that_of_its_area(city: Warehouse) -> None:
    of_scheme = GOOD["pricing_parameter"]
    of_area = of_scheme | {"scheme_code": None}
    receipt = deliver(city, "reference-2", "reference", {"pricing_parameter": [of_scheme, of_area]})
    assert counts(receipt, "pricing_parameter") == (2, 2, 0, 0, 0)
    again = of_area | {"value": "0.8", "valid_from": "2026-03-01"}
    receipt = deliver(city, "reference-3", "reference", {"pricing_parameter": [again]})
    assert error_code(receipt) == "reference_overlap"


# Whose rows an area may deliver

NEIGHBOUR = "H33020600999"
ABROAD = "H35020600001"


@pytest.fixture
def country(city: Warehouse) -> Warehouse:
    """Two more cities, one of another province, each with a hospital that has settled something."""
    for code, hospital in (("330200", NEIGHBOUR), ("350200", ABROAD)):
        tables = {"area": [area(code, reject_limit="1.000000")], "institution": [institution(hospital)]}
        write_batch(city.inbox, f"reference-{code}", "reference", tables, area_code=code)
        assert receive(f"reference-{code}").reasons == {}
        rows = [settlement(f"S{code}", hospital, DAY, "100.00")]
        write_batch(city.inbox, f"b-{code}", "settlement", {"settlement": rows}, day=DAY, area_code=code)
        assert receive(f"b-{code}").reasons == {}
    return city


def owned_rows(code: str, hospital: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Kind, table and row of an area and its hospital: by its own column, its institution, finding or settlement."""
    decision = {"decision": "confirm", "decided_by": "r", "decided_at": "2026-02-03 09:00:00", "stage": "first"}
    return [
        ("reference", "fund_account", fund_account(code)),
        ("reference", "payment_policy", dict(daily_policy(code))),
        ("reference", "institution", institution(f"{hospital[:-1]}7", area_code=code)),
        ("reference", "bank_account", bank_account(hospital)),
        (
            "reference",
            "case_review_request",
            {"setl_id": f"S{code}", "reason": "long_stay", "applied_on": DAY, "valid_from": DAY},
        ),
        ("review", "review", decision | {"finding_id": f"{hospital}:price_above_ceiling:S{code}:F1"}),
        ("case_review", "case_review", {"setl_id": f"S{code}", "decision": "fee_for_service", "decided_on": DAY}),
    ]


def test_an_area_delivers_nothing_for_another_area(country: Warehouse) -> None:
    for number, (kind, table, row) in enumerate(owned_rows("330200", NEIGHBOUR)):
        assert deliver(country, f"x{number}", kind, {table: [row]}).reasons == {"R_AREA": 1}, table
        write_batch(country.inbox, f"y{number}", kind, {table: [row]}, area_code="330200")
        assert receive(f"y{number}").reasons == {}, table


def test_a_province_delivers_for_its_areas_and_for_no_other_province(country: Warehouse) -> None:
    for number, (kind, table, row) in enumerate(owned_rows("330200", NEIGHBOUR)):
        write_batch(country.inbox, f"x{number}", kind, {table: [row]}, area_code="330000")
        assert receive(f"x{number}").reasons == {}, table
    for number, (kind, table, row) in enumerate(owned_rows("350200", ABROAD)):
        write_batch(country.inbox, f"y{number}", kind, {table: [row]}, area_code="330000")
        assert receive(f"y{number}").reasons == {"R_AREA": 1}, table


def test_what_belongs_to_no_area_is_accepted(country: Warehouse) -> None:
    tables = {"trace_exempt": [{"med_list_codg": "XA01", "valid_from": DAY}]}
    assert deliver(country, "reference-2", "reference", tables).reasons == {}


def test_an_institution_and_its_account_may_come_in_one_batch(country: Warehouse) -> None:
    new = "H33010600777"
    tables = {"institution": [institution(new)], "bank_account": [bank_account(new)]}
    assert deliver(country, "reference-2", "reference", tables).reasons == {}
