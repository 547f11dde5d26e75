"""The steps of `settle_day`: what fails in one area or request is told in the end and stops no other."""

import json
from collections import Counter

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.proposals import AREA, INSTITUTION, Accrual, offer

from settlement.errors import SettlementError
from settlement.ledger import proposals
from settlement.ledger.posting import post
from settlement.tasks import payment
from settlement.warehouse import dbt

EVERY_AREA = payment.PaymentRun(pay_date="2026-03-03", area_code="", triggered_by="operator")
POSTED = payment.Posted(counts={}, failures={})
NOTHING = payment.Disbursed(disbursements=[], failures={})
OTHER_AREA, OTHER_INSTITUTION = "350200", "H35020000001"


@pytest.fixture
def books(prepared: PreparedWarehouse):  # noqa: F811
    """Two areas with an institution each, accrued 20,000; the second area has no expenditure account."""
    scene = ((AREA, INSTITUTION), (OTHER_AREA, OTHER_INSTITUTION))
    with prepared.connect("transformer") as connection:
        accruals = [Accrual("20000.00", institution=institution, area=area) for area, institution in scene]
        offer(connection, accruals, "entries.entry_scene")
    with prepared.connect("poster") as connection:
        for area, _ in scene:
            post(connection, "entries.entry_scene", area_code=area, purpose="accrued", posted_by="scene")
    other = {"area_code": OTHER_AREA, "fixmedins_code": OTHER_INSTITUTION}
    for table in ("area", "cash_plan", "institution", "bank_account"):
        prepared.execute(
            f"insert into reference.{table} select (jsonb_populate_record(source, %s::jsonb"
            " || jsonb_build_object('row_hash', gen_random_uuid()))).*"
            f" from reference.{table} as source limit 1",
            [json.dumps(other)],
        )
    return prepared


def propose(books, first, second):
    books.entitle(first)
    books.entitle(second, institution=OTHER_INSTITUTION, area=OTHER_AREA)
    books.propose("2026-03-03", area="")


def request(posted=POSTED, run=EVERY_AREA):
    return payment.request_payments.function(run, posted)


def disburse(posted=POSTED):
    return payment.disburse_approved_requests.function(EVERY_AREA, posted)


def paid_areas(books):
    return [area for (area,) in books.rows("select area_code from ledger.payment_instruction order by 1")]


def test_a_request_that_cannot_be_paid_is_told_in_the_end_and_the_other_area_is_paid(books, monkeypatch):
    notes = []
    monkeypatch.setattr(payment, "write_note", notes.append)
    propose(books, "1000.00", "500.00")
    requested = request()
    disbursed = disburse()
    assert paid_areas(books) == [AREA]
    with pytest.raises(AirflowFailException) as failure:
        payment.report_outcome.function(EVERY_AREA, {"summary": "checked"}, POSTED, requested, disbursed, [])
    assert "run_incomplete" in str(failure.value)
    assert f"area {OTHER_AREA}, fund 310100, pay date 2026-03-03: [fund_account_missing]" in str(failure.value)
    assert "deliver a fund_account row" in str(failure.value)
    assert "1,000.00 yuan" in notes[0]
    assert "FAILED" in notes[0]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_what_was_answered_reaches_the_last_step_however_many_it_was(books, monkeypatch, count):
    monkeypatch.setattr(payment, "write_note", str)
    failed = [payment.Disbursed(disbursements=[], failures={f"R{number}": "[x] why"}) for number in range(count)]
    handed_on = {0: None, 1: failed[0] if failed else None, 2: failed}[count]  # as Airflow does it

    def report():
        return payment.report_outcome.function(
            EVERY_AREA, {"summary": ""}, POSTED, {"failures": {}}, NOTHING, handed_on
        )

    if not count:
        assert "nothing to request" in report()
        return
    with pytest.raises(AirflowFailException, match=f"R{count - 1}"):
        report()


def test_an_area_whose_entries_cannot_be_posted_is_left_out_and_the_other_is_paid(books, monkeypatch):
    propose(books, "1000.00", "500.00")
    monkeypatch.setattr(proposals, "_areas_with_proposals", lambda connection: [OTHER_AREA, AREA])
    monkeypatch.setattr(proposals, "_post_area", fail_in_the_other_area)
    posted = payment.post_entries.function(EVERY_AREA)
    assert list(posted["failures"]) == [OTHER_AREA]
    assert request(posted) == {"failures": {}}
    assert disburse(posted)["failures"] == {}
    assert books.rows("select area_code from ledger.payment_request") == [(AREA,)]
    assert paid_areas(books) == [AREA]


def fail_in_the_other_area(connection, area_code, posted_by):
    if area_code == OTHER_AREA:
        raise SettlementError("event_differs", "the books hold it otherwise", "reverse it")
    return Counter(accrued=1)


def test_in_a_run_for_one_area_the_step_itself_fails(monkeypatch, books):
    monkeypatch.setattr(proposals, "_post_area", fail_in_the_other_area)
    with pytest.raises(AirflowFailException, match="the books hold it otherwise"):
        payment.post_entries.function({**EVERY_AREA, "area_code": OTHER_AREA})


def test_what_needs_no_answer_is_paid_while_a_question_is_open(books):
    books.execute("update reference.area set approval_threshold = 100 where area_code = %s", [OTHER_AREA])
    propose(books, "1000.00", "500.00")
    request()
    assert [made["area_code"] for made in disburse()["disbursements"]] == [AREA]
    [question] = payment.list_open_questions.function(EVERY_AREA, POSTED)
    assert question["area_code"] == OTHER_AREA
    assert OTHER_AREA in question["subject"]
    assert question["caused_by"] == "operator"


def test_what_an_interrupted_run_left_undecided_is_asked_again_by_the_next(books):
    books.execute("update reference.area set approval_threshold = 100")
    propose(books, "1000.00", "500.00")
    request()
    books.propose("2026-03-04", area="")
    later = {**EVERY_AREA, "pay_date": "2026-03-04"}
    request(run=later)
    asked = payment.list_open_questions.function(later, POSTED)
    assert [question["body"].count("2026-03-03") for question in asked] == [1, 1]
    assert payment.list_open_questions.function(later, {**POSTED, "failures": {AREA: "..."}}) == asked[1:]


def test_a_receipt_between_proposing_and_requesting_is_taken_up_by_proposing_again(books, monkeypatch):
    propose(books, "1000.00", "500.00")
    books.entitle("11.00", day="2026-02-27")
    monkeypatch.setattr(dbt, "build", lambda select, settings: books.propose(settings["pay_date"], area=""))
    assert request() == {"failures": {}}
    assert books.rows("select total_amount::text from ledger.payment_request order by area_code") == [
        ("1011.00",),
        ("500.00",),
    ]


def test_what_stays_outdated_is_told_and_not_requested(books, monkeypatch):
    propose(books, "1000.00", "500.00")
    books.entitle("11.00", day="2026-02-27")
    monkeypatch.setattr(dbt, "build", lambda select, settings: None)
    requested = request()
    assert "proposal_outdated" in requested["failures"][AREA]
    assert books.rows("select area_code from ledger.payment_request") == [(OTHER_AREA,)]
