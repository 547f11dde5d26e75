"""A month's inpatient cases, from delivered lists to the books: late lists, second runs, and a value set beforehand."""

import csv
import hashlib
import json
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.pricing import FUND, REFERENCE, SCHEME, add_case, price, set_scheme
from tests.fixtures.proposals import AREA as PRICED_AREA

from settlement.booking.months import areas_to_book_case_by_case, months_with_late_lists, refuse_unknown_schemes
from settlement.booking.posting import post_bookings
from settlement.booking.pricing import price_month
from settlement.booking.result_files import write_results
from settlement.booking.summary import summarise
from settlement.errors import SettlementError
from settlement.grouper.schemes import import_scheme
from settlement.intake import receive
from settlement.sample import write_batches
from settlement.warehouse import dbt

pytestmark = pytest.mark.slow

AREA = "350200"
MONTH = "2026-03"
SMALL_DRG = Path(__file__).parents[2] / "examples/schemes/small_drg"

POOLS = """
    select values.fund_pay_type, values.fund_amount,
        (select sum(booked_amount) from marts.fct_case_bookings as cases
         where cases.fund_pay_type = values.fund_pay_type and cases.booking_basis = 'points')
    from marts.fct_point_values as values order by 1
"""
BOOKED = """
    select fixmedins_code, fund_pay_type, sum(booked_amount - accrued_amount)
    from marts.fct_case_bookings group by 1, 2 having sum(booked_amount - accrued_amount) <> 0 order by 1, 2
"""
IN_THE_BOOKS = """
    select entry.fixmedins_code, entry.fund_pay_type, sum(case side when 'credit' then amount else -amount end)
    from ledger.entry inner join ledger.entry_line using (fixmedins_code, business_event_id)
    where event = 'booked' and account = 'payable_institution'
    group by 1, 2 having sum(case side when 'credit' then amount else -amount end) <> 0 order by 1, 2
"""
CASES = "select * from marts.fct_case_bookings order by setl_id"


@pytest.fixture
def late_lists(
    prepared: PreparedWarehouse,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> str:
    """An area on the example scheme whose settlements are received; gives the batch that brings their lists."""
    inbox = tmp_path / "inbox"
    monkeypatch.setenv("SETTLEMENT_INBOX", str(inbox))
    import_scheme("drg", SMALL_DRG, version="small_drg", valid_from=date(2025, 1, 1), imported_by="test")
    summary = write_batches(
        inbox,
        area_code=AREA,
        start=date(2026, 3, 2),
        days=1,
        per_day=600,
        lists="csv",
        bad_share=0,
        late_share=0,
        compress=False,
    )
    *earlier, day = (batch.batch_id for batch in summary.batches)
    lists = split_lists(inbox / day)
    for batch_id in (*earlier, day):
        assert receive(batch_id).status == "accepted"
    return lists


def split_lists(folder: Path) -> str:
    """Take the lists out of a batch into one of their own that comes later."""
    manifest = json.loads((folder / "manifest.json").read_text())
    later = folder.with_name(f"{folder.name}-LISTS")
    later.mkdir()
    files = {kind: [f for f in manifest["files"] if ("list" in f["table"]) == kind] for kind in (True, False)}
    for file in files[True]:
        shutil.move(folder / file["name"], later / file["name"])
    (folder / "manifest.json").write_text(json.dumps({**manifest, "files": files[False]}))
    (later / "manifest.json").write_text(json.dumps({**manifest, "batch_id": later.name, "files": files[True]}))
    return later.name


def spoil_lists(folder: Path) -> dict[str, str]:
    """Break one list a fault, as hospitals do; gives the settlement of each fault."""
    settled = folder.with_name(folder.name.removesuffix("-LISTS"))
    refunded = {row["init_setl_id"] for row in read_table(settled / "settlement.csv")}
    tables = {table: read_table(folder / f"settlement_list{table}.csv") for table in ("", "_diagnosis", "_operation")}
    operated = {row["setl_id"] for row in tables["_operation"]} - refunded
    without = (row["setl_id"] for row in tables[""] if row["setl_id"] not in operated | refunded)
    faults = (
        "unknown code",
        "lower case",
        "sex against diagnosis",
        "age of zero beside an earlier birth",
        "no main diagnosis",
    )
    spoilt = {fault: next(without) for fault in faults}
    spoilt["operation outside the stay"] = min(operated)
    for row in tables["_diagnosis"]:
        if row["maindiag_flag"] == "1" and row["setl_id"] == spoilt["unknown code"]:
            row["diag_code"] = "Q99.999"
        if row["maindiag_flag"] == "1" and row["setl_id"] == spoilt["sex against diagnosis"]:
            row["diag_code"] = "D25.900"
        if row["setl_id"] == spoilt["lower case"]:
            row["diag_code"] = row["diag_code"].lower()
        if row["setl_id"] == spoilt["no main diagnosis"]:
            row["maindiag_flag"], row["seq"] = "0", str(int(row["seq"]) + 1)
    for row in tables[""]:
        if row["setl_id"] == spoilt["age of zero beside an earlier birth"]:
            row["age"], row["nwb_age"] = "0.0", ""
        if row["setl_id"] == spoilt["sex against diagnosis"]:
            row["gend"] = "1"
    for row in tables["_operation"]:
        if row["setl_id"] == spoilt["operation outside the stay"]:
            row["oprn_oprt_date"] = "2026-01-01"
    manifest = json.loads((folder / "manifest.json").read_text())
    for table, rows in tables.items():
        (file,) = (file for file in manifest["files"] if file["table"] == f"settlement_list{table}")
        with (folder / file["name"]).open("w", encoding="utf-8", newline="") as sink:
            writer = csv.DictWriter(sink, rows[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
        file["sha256"] = hashlib.sha256((folder / file["name"]).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return spoilt


def read_table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as source:
        return list(csv.DictReader(source))


def book(*, is_provisional: bool = False) -> int:
    price_month(month=MONTH, area_code=AREA, is_provisional=is_provisional)
    return post_bookings(area_code=AREA, posted_by="test")


def test_lists_that_come_late_are_booked_when_they_come_and_nothing_is_booked_twice(prepared, late_lists):  # noqa: F811
    assert book() == 0
    statuses = prepared.rows(
        "select case_status, sum(booked_amount - accrued_amount) from marts.fct_case_bookings group by 1"
    )
    assert statuses == [("LIST_MISSING", Decimal("0.00"))]

    assert receive(late_lists).status == "accepted"
    assert months_with_late_lists(area_code=AREA) == [MONTH]
    assert book() > 0
    assert months_with_late_lists(area_code=AREA) == []
    assert prepared.rows(BOOKED) == prepared.rows(IN_THE_BOOKS) != []
    for fund, there_is, booked in prepared.rows(POOLS):
        assert there_is == booked, fund

    cases = prepared.rows(CASES)
    assert book() == 0
    assert prepared.rows(CASES) == cases


def test_every_inpatient_settlement_is_booked_once_and_says_why(prepared, late_lists):  # noqa: F811
    receive(late_lists)
    book()
    ((inpatients,),) = prepared.rows(
        "select count(*) from intermediate.int_settlements__classified as settlements"
        " where clr_type = '21' and not is_refund and not exists ("
        "select from raw.settlement as refund where refund.init_setl_id = settlements.setl_id)"
    )
    ((booked, silent, grouped),) = prepared.rows(
        "select count(*), count(*) filter (where coalesce(explanation, '') = '' or coalesce(explanation_en, '') = ''),"
        " count(*) filter (where case_status = 'GROUPED') from marts.fct_case_bookings"
    )
    assert (booked, silent) == (inpatients, 0)
    assert grouped > 0.8 * booked
    assert f"{booked:,} cases" in summarise(month=MONTH, area_code=AREA)


def test_a_list_with_a_fault_is_booked_by_the_fallback_rule_and_listed(prepared, late_lists, tmp_path):  # noqa: F811
    spoilt = spoil_lists(tmp_path / "inbox" / late_lists)
    assert receive(late_lists).status == "accepted"
    book()
    rows = prepared.rows(
        "select setl_id, case_status, deviation_type, booking_basis, booked_amount = accrued_amount, explanation <> ''"
        " from marts.fct_case_bookings where setl_id = any(%s)",
        list(spoilt.values()),
    )
    found = {row[0]: row[1:] for row in rows}
    by_cost, as_accrued = ("BY_COST", "points"), (None, "accrued")
    assert {fault: found[setl_id][:3] for fault, setl_id in spoilt.items()} == {
        "unknown code": ("UNGROUPED", *by_cost),
        "lower case": ("GROUPED", "NORMAL", "points"),
        "sex against diagnosis": ("UNGROUPED", *by_cost),
        "age of zero beside an earlier birth": ("GROUPED", "NORMAL", "points"),
        "no main diagnosis": ("LIST_MISSING", *as_accrued),
        "operation outside the stay": ("LIST_MISSING", *as_accrued),
    }
    assert all(row[4] for row in found.values())
    assert all(row[3] for row in found.values() if row[0] == "LIST_MISSING")
    assert prepared.rows(BOOKED) == prepared.rows(IN_THE_BOOKS)


def test_each_institution_gets_its_cases_as_a_file_that_a_second_writing_leaves_alone(prepared, late_lists):  # noqa: F811
    receive(late_lists)
    book()
    written = write_results(month=MONTH, area_code=AREA)
    institutions = prepared.rows("select distinct fixmedins_code from marts.fct_case_bookings order by 1")
    folder = prepared.outbox / "bookings" / AREA / MONTH
    assert {path.stem for path in folder.glob("H*.csv")} == {code for (code,) in institutions}
    assert {"point_values.csv", "case_mix.csv", "group_statistics.csv"} <= {path.name for path in folder.iterdir()}
    assert len(written) == len(list(folder.iterdir()))
    assert write_results(month=MONTH, area_code=AREA) == []


def test_on_path_3_cases_are_booked_at_a_set_value_until_the_month_is_booked(prepared, late_lists):  # noqa: F811
    receive(late_lists)
    assert areas_to_book_case_by_case(month=MONTH, area_code=None) == []
    prepared.execute(
        "insert into reference.payment_policy values"
        f" (%s, null, null, null, 'inpatient', 'monthly_prepay', null, null, 0.05{REFERENCE})",
        [AREA],
    )
    prepared.execute(
        f"insert into reference.pricing_parameter values (%s, null, 'fixed_value', '80', 'test'{REFERENCE})", [AREA]
    )
    assert areas_to_book_case_by_case(month=MONTH, area_code=None) == [AREA]
    book(is_provisional=True)
    assert prepared.rows("select distinct is_provisional, point_value from marts.fct_point_values") == [
        (True, Decimal(80))
    ]
    assert prepared.rows("select count(*) from ledger.point_value_publication") == [(0,)]

    book()
    assert prepared.rows(BOOKED) == prepared.rows(IN_THE_BOOKS)
    assert areas_to_book_case_by_case(month=MONTH, area_code=None) == []
    assert prepared.rows("select distinct publication_no from ledger.point_value_publication") == [(1,)]


def test_on_path_3_a_floating_rate_is_the_one_that_was_published_last(prepared):  # noqa: F811
    set_scheme(prepared, "drg", parameters={"pricing_method": "drg_rate"})
    prepared.execute(
        "insert into ledger.point_value_publication values"
        " (%s, '2026-02', %s, %s, 1, 9000000, 12500000, 1187.6543, 10524.95, 'test')",
        [PRICED_AREA, FUND, SCHEME],
    )
    add_case(
        prepared, "normal", "H01", method="drg", weight="1.2345", coefficient="1.05", total_cost_amount="13900.00",
        other_paid_amount="4321.09", accrued_amount="9000.00",
    )  # fmt: skip
    add_case(
        prepared, "low", "H01", method="drg", weight="1.5", coefficient="1.10", total_cost_amount="5200.00",
        other_paid_amount="1800.00", accrued_amount="3000.00",
    )  # fmt: skip
    found = price(prepared, booking="provisional")
    assert {case: (row["standard_amount"], row["booked_amount"]) for case, row in found.items()} == {
        "normal": (Decimal("13642.70"), Decimal("9321.61")),
        "low": (Decimal("17366.17"), Decimal("3400.00")),
    }


def test_a_method_without_its_scheme_is_refused_by_name(prepared, late_lists):  # noqa: F811
    prepared.execute(
        f"insert into reference.inpatient_method values (%s, null, '390', 'dip', 'nowhere'{REFERENCE})", [AREA]
    )
    with pytest.raises(SettlementError, match=r"350200 .* dip scheme 'nowhere'") as refusal:
        refuse_unknown_schemes(month=MONTH, area_code=AREA)
    assert refusal.value.code == "scheme_unknown"


def test_checks_on_coding_come_with_the_month_and_days_are_reviewed_again_only_for_other_findings(prepared, late_lists):  # noqa: F811
    prepared.execute("update seeds.settings set value = 30 where setting = 'low_admission_days'")
    receive(late_lists)
    book()
    found = prepared.rows("select finding_id from intermediate.int_findings__coding order by 1")
    assert found

    review = {"pay_date": "2026-04-02", "area_code": AREA}
    dbt.build("tag:proposal", review)
    shown = prepared.rows(
        "select finding_id, severity, sum(amount_at_stake), min(status) from marts.fct_review_findings"
        " where rule_code = 'V05' group by 1, 2 order by 1"
    )
    assert shown == [(finding, "suspect", Decimal("0.00"), "open") for (finding,) in found]

    written = "select finding_id, fund_pay_type, xmin::text from intermediate.int_findings__deducted order by 1, 2"
    before = prepared.rows(written)
    book()
    dbt.build("tag:proposal", review)
    assert prepared.rows(written) == before

    prepared.execute("update seeds.settings set value = 0 where setting = 'low_admission_days'")
    book()
    dbt.build("tag:proposal", review)
    assert prepared.rows("select count(*) from marts.fct_review_findings where rule_code = 'V05'") == [(0,)]
