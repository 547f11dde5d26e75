"""Posting puts each event into the books once, and nothing that is wrong."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from tests.fixtures.proposals import AREA, INSTITUTION, Accrual, offer

from settlement.errors import SettlementError
from settlement.ledger import invariants, seals
from settlement.ledger.posting import post

RELATION = "entries.entry_accrued"


@pytest.fixture
def transformer(warehouse):
    with warehouse.connect("transformer") as connection:
        yield connection


@pytest.fixture
def poster(warehouse):
    with warehouse.connect("poster") as connection:
        yield connection


def post_accruals(connection, area_code=AREA):
    with connection.transaction():
        return post(connection, RELATION, area_code=area_code, purpose="accrued", posted_by="tester")


def close(connection, month):
    connection.execute(
        "insert into ledger.settlement_period (area_code, settlement_month, closed_by) values (%s, %s, 'x')",
        [AREA, month],
    )
    connection.commit()


def balances(warehouse):
    return dict(
        warehouse.rows(
            "select account, sum(case side when 'debit' then amount else -amount end)"
            " from ledger.entry_line group by account"
        )
    )


def test_what_is_offered_is_posted_sealed_and_marked_as_accrued(warehouse, transformer, poster):
    offer(transformer, [Accrual("100.00"), Accrual("-30.50", fund="390100")])
    posting = post_accruals(poster)

    assert (posting.entry_count, posting.line_count, posting.total_amount) == (2, 4, Decimal("130.50"))
    assert balances(warehouse) == {"benefit_expense": Decimal("69.50"), "payable_institution": Decimal("-69.50")}
    assert warehouse.rows("select accepted_batch_id, business_date::text, area_code from ledger.accrued_batch_day") == [
        ("330100-20260302-0001", "2026-03-02", AREA)
    ]
    assert warehouse.rows("select seal, entry_count, debit_total_amount from ledger.posting_run") == [
        (posting.seal, 2, Decimal("130.50"))
    ]
    assert invariants.check_books(poster) == []


def test_the_seal_can_be_recomputed_by_hand(warehouse, transformer, poster):
    offer(transformer, [Accrual("100.00")])
    posting = post_accruals(poster)
    event = Accrual("100.00").event_id
    middle = f"accrued\t330100\t{INSTITUTION}\t310100\t2026-03-02\t2026-03\t330100-20260302-0001\t\\N"
    text = (
        f"{event}\t1\t{middle}\tdebit\tbenefit_expense\t100.00\n"
        f"{event}\t2\t{middle}\tcredit\tpayable_institution\t100.00\n"
    )
    genesis = hashlib.new("sm3", b"genesis|330100").hexdigest()
    assert posting.seal == hashlib.new("sm3", f"{genesis}\n{text}".encode()).hexdigest()


def test_the_same_offer_twice_changes_nothing(warehouse, transformer, poster):
    offer(transformer, [Accrual("100.00")])
    first = post_accruals(poster)
    second = post_accruals(poster)
    assert second.posting_run_id is None
    assert (second.entry_count, second.line_count, second.seal) == (0, 0, first.seal)
    assert warehouse.rows("select count(*) from ledger.entry_line") == [(2,)]


def test_an_empty_offer_posts_nothing(warehouse, transformer, poster):
    offer(transformer, [])
    posting = post_accruals(poster)
    assert (posting.posting_run_id, posting.entry_count, posting.seal) == (None, 0, seals.genesis(AREA))


def test_only_what_is_new_is_added(warehouse, transformer, poster):
    offer(transformer, [Accrual("100.00")])
    post_accruals(poster)
    offer(transformer, [Accrual("100.00"), Accrual("7.00", fund="390100")])
    second = post_accruals(poster)
    assert (second.entry_count, second.total_amount) == (1, Decimal("7.00"))


def test_only_the_area_asked_for_is_posted(warehouse, transformer, poster):
    offer(transformer, [Accrual("100.00"), Accrual("9.00", area="350200", institution="H35020000001")])
    assert post_accruals(poster).total_amount == Decimal("100.00")
    assert post_accruals(poster, "350200").total_amount == Decimal("9.00")


def test_a_late_row_is_booked_in_the_open_month_and_its_batch_day_stays_its_own(warehouse, transformer, poster):
    close(poster, "2026-02")
    late = Accrual("5.00", day="2026-02-27", accounting_date="2026-03-01")
    offer(transformer, [late])
    post_accruals(poster)
    assert warehouse.rows("select business_date::text from ledger.accrued_batch_day") == [("2026-02-27",)]
    assert warehouse.rows("select accounting_date::text, settlement_month from ledger.entry") == [
        ("2026-03-01", "2026-02")
    ]


def with_amount(line, amount):
    return (*line[:9], amount, *line[10:])


ACCRUAL = Accrual("100.00")
DEBIT, CREDIT = ACCRUAL.lines()
FAULTY = {
    "the same key twice in one relation": ([DEBIT, CREDIT, DEBIT, CREDIT], "event_repeated"),
    "one event on two dates": ([DEBIT, (*CREDIT[:5], "2026-03-03", *CREDIT[6:])], "event_inconsistent"),
    "one event for two funds": ([DEBIT, (*CREDIT[:4], "390100", *CREDIT[5:])], "event_inconsistent"),
    "a negative amount": ([with_amount(DEBIT, -1), with_amount(CREDIT, -1)], "line_invalid"),
    "nothing on one side": ([DEBIT], "event_unbalanced"),
    "a fen too little": ([DEBIT, with_amount(CREDIT, "99.99")], "event_unbalanced"),
}


@pytest.mark.parametrize(("lines", "code"), FAULTY.values(), ids=FAULTY)
def test_a_faulty_proposal_is_refused_whole(warehouse, transformer, poster, lines, code):
    offer(transformer, [Accrual("7.00", fund="390100"), *lines])
    with pytest.raises(SettlementError) as refusal:
        post_accruals(poster)
    assert refusal.value.code == code
    assert ACCRUAL.event_id in refusal.value.message
    poster.commit()
    assert warehouse.rows("select count(*) from ledger.entry") == [(0,)]


def test_an_event_offered_with_another_amount_is_an_error(warehouse, transformer, poster):
    offer(transformer, [Accrual("100.00")])
    post_accruals(poster)
    offer(transformer, [Accrual("100.01"), Accrual("7.00", fund="390100")])
    with pytest.raises(SettlementError) as refusal:
        post_accruals(poster)
    assert refusal.value.code == "event_differs"
    assert "100.01" in refusal.value.message
    poster.commit()
    assert warehouse.rows("select count(*) from ledger.entry") == [(1,)]


def test_a_closed_month_is_refused_by_name(warehouse, transformer, poster):
    close(poster, "2026-03")
    offer(transformer, [Accrual("100.00")])
    with pytest.raises(SettlementError) as refusal:
        post_accruals(poster)
    assert refusal.value.code == "month_closed"


def test_an_event_that_moves_the_payable_without_explanation_is_refused(warehouse, transformer, poster):
    head = (f"{INSTITUTION}:mystery:1", "mystery", AREA, INSTITUTION, "310100", "2026-03-02", "2026-03")
    offer(
        transformer,
        [(*head, "debit", "suspense", 5, "x", None), (*head, "credit", "payable_institution", 5, "x", None)],
    )
    with pytest.raises(SettlementError, match="payable_identity") as refusal:
        post_accruals(poster)
    assert refusal.value.code == "invariant_broken"


def test_four_posters_at_once_post_each_event_once(warehouse, transformer):
    offer(transformer, [Accrual(f"{number}.10", institution=f"H330106{number:05}") for number in range(1, 200)])

    def work(_):
        with warehouse.connect("poster") as connection:
            return post_accruals(connection).entry_count

    with ThreadPoolExecutor(4) as pool:
        counts = list(pool.map(work, range(4)))
    assert sorted(counts) == [0, 0, 0, 199]
    assert warehouse.rows("select count(*), count(distinct posting_run_id) from ledger.entry") == [(199, 1)]


def test_runs_of_an_area_form_one_chain(warehouse, transformer, poster):
    for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
        offer(
            transformer, [Accrual("1.00", day=day), Accrual("2.00", day=day, area="350200", institution="H35020000001")]
        )
        post_accruals(poster)
        post_accruals(poster, "350200")
    found = seals.verify(poster)
    assert [(chain.area_code, chain.run_count, chain.fault) for chain in found] == [
        (AREA, 3, None),
        ("350200", 3, None),
    ]


TAMPERING = {
    "an amount": (
        "update ledger.entry_line set amount = 3 where business_event_id like '%%:2026-03-03'",
        "seal_differs",
    ),
    "an entry's date": (
        "update ledger.entry set accounting_date = '2026-03-05' where event = 'accrued'",
        "seal_differs",
    ),
    "a seal": ("update ledger.posting_run set seal = repeat('0', 64)", "seal_differs"),
    "a recorded total": ("update ledger.posting_run set debit_total_amount = 1", "totals_differ"),
    "a whole run": (
        "delete from ledger.entry_line where business_event_id in (select business_event_id from ledger.entry"
        " where posting_run_id = (select min(posting_run_id) from ledger.entry))",
        "seal_differs",
    ),
}


@pytest.mark.parametrize(("statement", "fault"), TAMPERING.values(), ids=TAMPERING)
def test_tampering_behind_the_guards_is_found(warehouse, transformer, poster, statement, fault):
    for day in ("2026-03-02", "2026-03-03"):
        offer(transformer, [Accrual("2.00", day=day)])
        post_accruals(poster)
    with warehouse.admin() as superuser:
        superuser.execute("set session_replication_role = replica")
        superuser.execute(statement.replace("%%", "%"))
    (found,) = seals.verify(poster, AREA)
    assert found.fault is not None
    assert found.fault.fault == fault


def test_a_removed_run_breaks_the_chain(warehouse, transformer, poster):
    for day in ("2026-03-02", "2026-03-03", "2026-03-04"):
        offer(transformer, [Accrual("2.00", day=day)])
        post_accruals(poster)
    with warehouse.admin() as superuser:
        superuser.execute("set session_replication_role = replica")
        (second,) = superuser.execute("select posting_run_id from ledger.posting_run order by 1 offset 1").fetchone()
        for table in ("entry_line", "entry"):
            superuser.execute(f"delete from ledger.{table} where business_event_id like '%2026-03-03'")
        superuser.execute("delete from ledger.posting_run where posting_run_id = %s", [second])
    (found,) = seals.verify(poster, AREA)
    assert (found.run_count, found.fault.fault) == (1, "chain_broken")
    assert found.fault.posting_run_id > second


def test_a_run_removed_from_the_end_is_missed_by_its_entries(warehouse, transformer, poster):
    for day in ("2026-03-02", "2026-03-03"):
        offer(transformer, [Accrual("2.00", day=day)])
        post_accruals(poster)
    with warehouse.admin() as superuser:
        superuser.execute("set session_replication_role = replica")
        superuser.execute(
            "delete from ledger.posting_run where posting_run_id = (select max(posting_run_id) from ledger.posting_run)"
        )
    assert [chain.fault for chain in seals.verify(poster)] == [None]
    breaches = invariants.check_books(poster, AREA)
    assert [(breach.invariant, breach.subject) for breach in breaches] == [
        ("entries_sealed", "330100-20260302-0001 2026-03-03"),
        ("entries_sealed", Accrual("2.00", day="2026-03-03").event_id),
    ]


def test_sm3_of_cryptography_agrees_with_hashlib(warehouse, transformer, poster, monkeypatch):
    expected = seals.genesis(AREA)
    monkeypatch.setattr(hashlib, "algorithms_available", set())
    assert seals.genesis(AREA) == expected
