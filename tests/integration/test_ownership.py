"""Whose institutions an area may bring something for: the register decides, never a date that the sender writes."""

import threading
from typing import Any

import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import Row, area, bank_account, institution, settlement, write_batch

from settlement.errors import SettlementError
from settlement.gate.expectations import validate_accepted
from settlement.intake import Receipt, receive

OWN, OTHER, PROVINCE = "651100", "651200", "650000"
HOSPITAL, NEIGHBOUR = "H65110000001", "H65120000001"
DAY = "2026-03-02"
FAR_PAST = "2019-06-01T00:00:00+08:00"


@pytest.fixture
def cities(warehouse: Warehouse) -> Warehouse:
    """Two cities of one province, each with a hospital and its account."""
    for code, hospital in ((OWN, HOSPITAL), (OTHER, NEIGHBOUR)):
        tables = {
            "area": [area(code, reject_limit="1.000000")],
            "institution": [institution(hospital)],
            "bank_account": [bank_account(hospital)],
        }
        assert bring(warehouse, f"{code}-first", tables, code).status == "accepted"
    return warehouse


def bring(
    warehouse: Warehouse, batch_id: str, tables: dict[str, list[Row]], area_code: str = OWN, **manifest: Any
) -> Receipt:
    kind = manifest.pop("kind", "reference")
    write_batch(warehouse.inbox, batch_id, kind, tables, area_code=area_code, **manifest)
    return receive(batch_id)


def accounts_of(warehouse: Warehouse, hospital: str) -> list[str]:
    query = "select account_no from reference.bank_account where fixmedins_code = %s order by valid_from"
    return [account for (account,) in warehouse.rows(query, hospital)]


def stolen(**changes: object) -> Row:
    return bank_account(NEIGHBOUR, account_no="6200000000000666", valid_from="2026-11-26", **changes)


ENDED = bank_account(NEIGHBOUR, valid_to="2026-11-25")
PAST = institution(NEIGHBOUR, area_code=OWN, valid_from="2019-01-01", valid_to="2019-12-31")
NAMED_AFTER_AN_INSTITUTION: dict[str, Row] = {
    "bank_account": stolen(),
    "institution_budget": {"fund_pay_type": "310100", "budget_year": 2026, "amount": "1.00"},
    "institution_factor": {"scheme_code": "s", "budget_year": 2026, "grade_coefficient": "9"},
    "prepayment_grant": {
        **dict(grant_id="G1", fund_pay_type="310100", granted_on="2026-03-01", amount="1.00", recover_by=None)
    },
    "procurement_payable": {
        **dict(payable_id="P1", supplier_code="S", supplier_name="S", bank_code="102330000009", account_no="1"),
        **dict(invoice_no="I", amount="1.00", due_date="2026-03-01"),
    },
    "practitioner": {"code": "D651200000001", "status": "active"},
    "consortium": {"consortium_code": "C1", "is_lead": 1},
    "payment_policy": {"area_code": OWN, "care_class": "all", "mode": "daily_ratio", "ratio": "1.000000"},
    "inpatient_method": {"area_code": OWN, "method": "drg"},
}


def test_a_register_row_of_a_past_year_gives_nobody_another_areas_institution(cities: Warehouse) -> None:
    tables = {"institution": [PAST], "bank_account": [ENDED, stolen()]}
    receipt = bring(cities, f"{OWN}-theft", tables, created_at=FAR_PAST)
    assert receipt.reasons == {"R_AREA": 3}
    assert accounts_of(cities, NEIGHBOUR) == [bank_account(NEIGHBOUR)["account_no"]]
    assert cities.rows("select count(*) from reference.institution where fixmedins_code = %s", NEIGHBOUR) == [(1,)]


@pytest.mark.parametrize(
    ("valid_from", "created_at"),
    [
        ("2018-01-01", None),
        ("2019-06-01", FAR_PAST),
        ("2026-02-01", FAR_PAST),
        ("2030-01-01", "2026-02-20T23:10:00+08:00"),
    ],
)
@pytest.mark.parametrize("table", NAMED_AFTER_AN_INSTITUTION)
def test_no_date_of_the_sender_gives_it_another_areas_institution(
    cities: Warehouse, table: str, valid_from: str, created_at: str | None
) -> None:
    row = {**NAMED_AFTER_AN_INSTITUTION[table], "fixmedins_code": NEIGHBOUR, "valid_from": valid_from}
    receipt = bring(cities, f"{OWN}-theft", {"institution": [PAST], table: [row]}, created_at=created_at)
    assert receipt.reasons == {"R_AREA": 2}


@pytest.mark.parametrize(
    "span", [("2018-01-01", "2018-12-31"), ("2025-06-01", None), ("2026-11-01", "2026-12-01"), ("2031-01-01", None)]
)
def test_no_register_row_is_added_for_a_code_that_another_area_has(
    cities: Warehouse, span: tuple[str, str | None]
) -> None:
    row = institution(NEIGHBOUR, area_code=OWN, valid_from=span[0], valid_to=span[1])
    assert bring(cities, f"{OWN}-theft", {"institution": [row]}).reasons == {"R_AREA": 1}


def test_an_ended_institution_stays_its_areas(cities: Warehouse) -> None:
    assert bring(
        cities, f"{OTHER}-end", {"institution": [institution(NEIGHBOUR, valid_to="2026-06-30")]}, OTHER
    ).status == ("accepted")
    row = institution(NEIGHBOUR, area_code=OWN, valid_from="2026-07-01")
    assert bring(cities, f"{OWN}-theft", {"institution": [row], "bank_account": [stolen()]}).reasons == {"R_AREA": 2}


def test_an_institution_that_changes_area_belongs_to_the_new_one_from_then_on(cities: Warehouse) -> None:
    moved = [
        institution(NEIGHBOUR, valid_to="2026-06-30"),
        institution(NEIGHBOUR, area_code=OWN, valid_from="2026-07-01"),
    ]
    assert bring(cities, f"{PROVINCE}-move", {"institution": moved}, PROVINCE).reasons == {}
    late = bank_account(NEIGHBOUR, valid_from="2026-05-01", valid_to="2026-05-31")
    assert bring(cities, f"{OTHER}-late", {"bank_account": [late]}, OTHER).reasons == {"R_AREA": 1}
    assert bring(cities, f"{OWN}-early", {"bank_account": [ENDED]}).reasons == {"R_AREA": 1}
    assert bring(cities, f"{PROVINCE}-end", {"bank_account": [ENDED]}, PROVINCE).reasons == {}
    assert bring(cities, f"{OWN}-new", {"bank_account": [stolen()]}).reasons == {}
    changed = [
        institution(NEIGHBOUR, area_code=OWN, valid_from="2026-07-01", valid_to="2026-10-31"),
        institution(NEIGHBOUR, area_code=OWN, valid_from="2026-11-01", institution_class="B"),
    ]
    assert bring(cities, f"{OWN}-class", {"institution": changed}).reasons == {}
    assert [failure.code for failure in validate_accepted(started_by="test").failures] == []


def test_a_change_of_area_in_the_future_gives_the_new_area_nothing_yet(cities: Warehouse) -> None:
    moved = [
        institution(NEIGHBOUR, valid_to="2098-12-31"),
        institution(NEIGHBOUR, area_code=OWN, valid_from="2099-01-01"),
    ]
    assert bring(cities, f"{PROVINCE}-move", {"institution": moved}, PROVINCE).reasons == {}
    later = bank_account(NEIGHBOUR, valid_from="2099-01-01")
    assert bring(cities, f"{OWN}-early", {"bank_account": [later]}).reasons == {"R_AREA": 1}
    assert bring(cities, f"{OTHER}-late", {"bank_account": [later]}, OTHER).reasons == {"R_AREA": 1}


def test_an_account_is_brought_for_registered_institutions_only(cities: Warehouse) -> None:
    unknown = bank_account("H65110000099")
    assert bring(cities, f"{OWN}-unknown", {"bank_account": [unknown]}).reasons == {"R_INSTITUTION": 1}
    both = {"institution": [institution("H65110000099")], "bank_account": [unknown]}
    assert bring(cities, f"{OWN}-known", both).reasons == {}


def test_an_institution_that_its_own_batch_does_not_register_has_no_account(cities: Warehouse) -> None:
    broken = institution("H65110000099", agreement_status="nonsense")
    tables = {"institution": [broken], "bank_account": [bank_account("H65110000099")]}
    assert bring(cities, f"{OWN}-broken", tables).reasons == {"R_DICT": 1, "R_INSTITUTION": 1}


@pytest.mark.parametrize(
    ("area_code", "code", "is_own"),
    [
        (OWN, "H65110000002", True),
        (OWN, "P65112300002", True),  # a county of the city
        (OWN, "H65120000002", False),
        (OWN, "H44010000002", False),
        ("651123", "H65110000002", True),  # the city's own, for a county that is an area
        ("651123", "H65112300002", True),
        ("651123", "H65120000002", False),
        ("659900", "H65010200002", True),  # 省本级: institutions of its capital
        ("659900", "H44010200002", False),
        ("651199", "H65110000002", True),  # 市本级
        (PROVINCE, "H65120000002", True),
        (PROVINCE, "H44010000002", False),
    ],
)
def test_the_code_of_an_institution_carries_its_area(
    cities: Warehouse, area_code: str, code: str, is_own: bool
) -> None:
    receipt = bring(cities, f"{area_code}-new", {"institution": [institution(code, area_code=area_code)]}, area_code)
    assert receipt.reasons == ({} if is_own else {"R_AREA": 1})


def test_two_areas_that_register_one_code_at_once_do_not_both_get_it(cities: Warehouse) -> None:
    county = "651123"
    code = "H65112300009"
    for area_code, valid_from in ((OWN, "2025-01-01"), (county, "2025-06-01")):
        row = institution(code, area_code=area_code, valid_from=valid_from)
        tables = {"institution": [row], "bank_account": [bank_account(code, valid_from=valid_from)]}
        write_batch(cities.inbox, f"{area_code}-race", "reference", tables, area_code=area_code)
    receipts: list[Receipt] = []
    threads = [
        threading.Thread(target=lambda batch_id=f"{area_code}-race": receipts.append(receive(batch_id)))
        for area_code in (OWN, county)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sum(receipt.reasons.values()) for receipt in receipts) == [0, 2]
    assert cities.rows("select count(*) from reference.institution where fixmedins_code = %s", code) == [(1,)]


def test_the_database_takes_no_register_row_that_the_gate_let_through(cities: Warehouse) -> None:
    bring(cities, f"{OWN}-more", {"institution": [institution("H65110000002")]})
    with cities.connect("loader") as connection, pytest.raises(Exception, match="belongs to area 651200"):
        connection.execute(
            "insert into reference.institution (fixmedins_code, name, area_code, fixmedins_type, agreement_status, "
            "valid_from, valid_to, batch_id, file_no, line_no, row_hash) values "
            "(%s, 'x', %s, '1', 'active', '2019-01-01', '2019-12-31', %s, 1, 9, gen_random_uuid())",
            [NEIGHBOUR, OWN, f"{OWN}-more"],
        )


def test_what_slipped_through_the_gate_is_found_before_anything_is_paid(cities: Warehouse) -> None:
    earlier = bank_account(HOSPITAL, valid_from="2024-01-01", valid_to="2024-12-31")
    bring(cities, f"{OWN}-more", {"bank_account": [earlier]})
    assert not [each for each in validate_accepted(started_by="test").failures if each.is_critical]
    earliest = bank_account(HOSPITAL, valid_from="2023-01-01", valid_to="2023-12-31")
    receipt = bring(cities, f"{OWN}-slipped", {"bank_account": [earliest]})
    assert receipt.status == "accepted"
    with cities.admin() as connection:
        connection.execute(
            "update reference.bank_account set fixmedins_code = %s where batch_id = %s", [NEIGHBOUR, f"{OWN}-slipped"]
        )
    with pytest.raises(SettlementError, match=rf"bank_account R_AREA:fixmedins_code \(1 rows of {OWN}-slipped\)"):
        validate_accepted(started_by="test")


def test_children_of_another_areas_settlements_are_orphans(cities: Warehouse) -> None:
    rows = [settlement("S1", NEIGHBOUR, DAY, "100.00")]
    bring(cities, f"{OTHER}-s", {"settlement": rows}, OTHER, kind="settlement", day=DAY)
    zero = dict.fromkeys(["fulamt_ownpay_amt", "overlmt_amt", "preselfpay_amt"], "0.00")
    line = {
        **dict(setl_id="S1", feedetl_sn="F1", med_list_codg="XA01", med_chrgitm_type="09", cnt="1", pric="100"),
        **dict(det_item_fee_sumamt="100.00", inscp_scp_amt="100.00", fee_ocur_time=f"{DAY} 09:00:00", **zero),
    }
    receipt = bring(cities, f"{OWN}-f", {"fee_item": [line]}, kind="settlement", day=DAY)
    assert receipt.reasons == {"R_ORPHAN": 1}
    receipt = bring(cities, f"{OTHER}-f", {"fee_item": [line]}, OTHER, kind="settlement", day=DAY)
    assert receipt.reasons == {}
