"""The steps of `settle_day`: what fails in one area or request is told in the end and stops no other."""

import json

import pytest
from airflow.sdk.exceptions import AirflowFailException
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.proposals import AREA, INSTITUTION, Accrual, offer
from tests.fixtures.runs import run_as

from settlement.ledger.posting import post
from settlement.tasks import payment
from settlement.tasks.people import Answer
from settlement.warehouse import dbt

POSTED = payment.Posted(counts={}, failures={})
NOTHING = payment.Disbursed(disbursements=[], failures={})
OTHER_AREA, OTHER_INSTITUTION = "350200", "H35020000001"


@pytest.fixture
def books(prepared: PreparedWarehouse, monkeypatch):  # noqa: F811
    """Two areas with an institution each, accrued 20,000; the second area has no expenditure account."""
    run_as(monkeypatch, pay_date="2026-03-03")
    scene = ((AREA, INSTITUTION), (OTHER_AREA, OTHER_INSTITUTION))
    with prepared.connect("transformer") as connection:
        accruals = [Accrual("20000.00", institution=institution, area=area) for area, institution in scene]
        offer(connection, accruals, "entries.entry_scene")
    with prepared.connect("poster") as connection:
        for area, _ in scene:
            post(connection, "entries.entry_scene", area_code=area, purpose="accrued", posted_by="scene")
    other = {"area_code": OTHER_AREA, "fixmedins_code": OTHER_INSTITUTION, "account_no": "622200000009"}
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


def request():
    return payment.request_payments.function()


def disburse():
    return payment.disburse_approved_requests.function()


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
        payment.report_outcome.function({"summary": "checked"}, POSTED, requested, disbursed, [])
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
        return payment.report_outcome.function({"summary": ""}, POSTED, {"failures": {}}, NOTHING, handed_on)

    if not count:
        assert "nothing to request" in report()
        return
    with pytest.raises(AirflowFailException, match=f"R{count - 1}"):
        report()


def test_an_area_whose_entries_cannot_be_posted_is_left_out_and_the_other_is_paid(books):
    propose(books, "1000.00", "500.00")
    offer_what_the_books_hold_otherwise(books, OTHER_AREA, OTHER_INSTITUTION)
    offer_something_new(books)
    posted = payment.post_entries.function()
    assert list(posted["failures"]) == list(request()["failures"]) == list(disburse()["failures"]) == [OTHER_AREA]
    assert books.rows("select area_code from ledger.payment_request") == [(AREA,)]
    assert paid_areas(books) == [AREA]


def offer_what_the_books_hold_otherwise(books, area, institution):
    """Propose an event that is in the books with another amount, and one that is not in them."""
    same = Accrual("20001.00", institution=institution, area=area)
    new = Accrual("7.00", institution=institution, area=area, batch_id="new", day="2026-03-01")
    with books.connect("transformer") as connection:
        offer(connection, [same, new])


def offer_something_new(books):
    """Propose an event of the first area besides."""
    accrual = Accrual("3.00", batch_id="new", day="2026-03-01")
    with books.connect("transformer") as connection:
        for line in accrual.lines():
            connection.execute(f"insert into entries.entry_accrued values ({', '.join(['%s'] * 12)})", line)


def test_in_a_run_for_one_area_the_step_itself_fails(books, monkeypatch):
    run_as(monkeypatch, pay_date="2026-03-03", area_code=OTHER_AREA)
    offer_what_the_books_hold_otherwise(books, OTHER_AREA, OTHER_INSTITUTION)
    with pytest.raises(AirflowFailException, match="event_differs"):
        payment.post_entries.function()


def test_what_needs_no_answer_is_paid_while_a_question_is_open(books):
    books.execute("update reference.area set approval_threshold = 100 where area_code = %s", [OTHER_AREA])
    propose(books, "1000.00", "500.00")
    request()
    assert [made["area_code"] for made in disburse()["disbursements"]] == [AREA]
    [about] = payment.list_open_questions.function()
    question = approval().question_about(about)
    assert question.area_code == OTHER_AREA
    assert OTHER_AREA in question.subject
    assert question.caused_by == "operator"


def approval():
    return payment.ApprovalOperator(task_id="ask", options=["approve", "reject"])


def answer(about, option="approve", person="director", reason="checked"):
    """Answer a question as it is asked, and pay what that lets out."""
    operator = approval()
    question = operator.question_about(about)
    given = Answer(about=about, option=option, person=person, reason=reason)
    answered = operator.record(question, given)
    return answered, payment.disburse_answered_request.function(answered)


def test_what_an_interrupted_run_left_undecided_is_asked_again_by_the_next(books, monkeypatch):
    books.execute("update reference.area set approval_threshold = 100")
    propose(books, "1000.00", "500.00")
    request()
    books.propose("2026-03-04", area="")
    run_as(monkeypatch, pay_date="2026-03-04")
    request()
    asked = payment.list_open_questions.function()
    assert ["2026-03-03" in approval().question_about(about).body for about in asked] == [True, True]
    offer_what_the_books_hold_otherwise(books, AREA, INSTITUTION)
    assert payment.list_open_questions.function() == asked[1:]


def test_an_answer_lets_out_what_was_asked_about(books):
    books.execute("update reference.area set approval_threshold = 100")
    propose(books, "1000.00", "500.00")
    request()
    [about, other] = payment.list_open_questions.function()
    answered, disbursed = answer(about)
    assert (answered["decision"], answered["failures"], disbursed["failures"]) == ("approved", {}, {})
    assert paid_areas(books) == [AREA]
    assert approval().question_about(about) is None
    answer(other, "reject", reason="wrong month")
    assert paid_areas(books) == [AREA]


def test_a_request_that_two_runs_ask_about_is_decided_once_and_the_second_answer_fails_nothing(books, caplog):
    books.execute("update reference.area set approval_threshold = 100")
    propose(books, "1000.00", "50.00")
    request()
    [about] = payment.list_open_questions.function()
    first, second = approval(), approval()
    question = second.question_about(about)
    first.record(question, Answer(about=about, option="approve", person="director", reason=""))
    late = second.record(question, Answer(about=about, option="reject", person="deputy", reason="no"))
    assert late == {"about": about, "decision": "", "failures": {}}
    assert "already approved by director" in caplog.text
    assert payment.disburse_answered_request.function(late)["failures"] == {}
    assert paid_areas(books) == [AREA]


def test_what_a_task_hands_on_decides_nothing(books):
    """Whoever writes over Airflow's API that a request was approved finds it as undecided as before."""
    books.execute("update reference.area set approval_threshold = 100")
    propose(books, "1000.00", "50.00")
    request()
    [about] = payment.list_open_questions.function()
    forged = payment.Answered(about=about, decision="approved", failures={})
    assert payment.disburse_answered_request.function(forged)["disbursements"] == []
    assert paid_areas(books) == []


def test_a_question_of_another_area_is_not_asked_in_a_run_for_one(books, monkeypatch):
    books.execute("update reference.area set approval_threshold = 100")
    propose(books, "1000.00", "500.00")
    request()
    [about, other] = payment.list_open_questions.function()
    run_as(monkeypatch, pay_date="2026-03-03", area_code=AREA)
    assert payment.list_open_questions.function() == [about]
    assert approval().question_about(other) is None


STEPS = (
    "resolve_pay_date",
    "propose_entries_and_payments",
    "post_entries",
    "request_payments",
    "disburse_approved_requests",
    "list_open_questions",
    "publish",
)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_judges_for_itself_what_the_run_may_settle(books, monkeypatch, step):
    """A step that is set to success over Airflow's API is passed over, and what it would have refused is refused."""
    monkeypatch.setenv("SETTLEMENT_USER_AREAS", json.dumps({"hangzhou": [AREA]}))
    propose(books, "1000.00", "500.00")
    for conf, code in (
        ({"pay_date": "2026-03-03", "area_code": OTHER_AREA}, "area_not_allowed"),
        ({"pay_date": "2026-03-03"}, "area_not_allowed"),
        ({"pay_date": "2026-03-01", "area_code": AREA}, "not_a_working_day"),
        ({"pay_date": "2026-06-30", "area_code": AREA}, "pay_date_too_far"),
        ({"pay_date": "2026-03-03", "area_code": AREA, "pay_day": "x"}, "unknown_parameter"),
        ({"pay_date": "soon", "area_code": AREA}, "parameter_invalid"),
    ):
        run_as(monkeypatch, account="hangzhou", **conf)
        with pytest.raises(AirflowFailException, match=code):
            getattr(payment, step).function()
    assert books.rows("select count(*) from ledger.payment_request") == [(0,)]


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
