"""Two runs of `settle_day` beside each other, step by step: whatever the order, each yuan leaves once.

The proposals are dbt's own, built as a run builds them; what institutions are entitled to is set as a scene.
"""

import threading

import pytest
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.proposals import AREA, INSTITUTION
from tests.fixtures.runs import run_as
from tests.integration.test_payment_steps import OTHER_AREA, OTHER_INSTITUTION, books  # noqa: F401

from settlement.tasks import payment
from settlement.warehouse import dbt

MODELS = "int_suspensions_proposed int_payment_proposals"


@pytest.fixture
def steps(books, monkeypatch):  # noqa: F811
    """Take a named step of the run of an area, or of every area, on a pay date."""
    books.execute(
        "insert into reference.fund_account select (jsonb_populate_record(source,"
        " jsonb_build_object('area_code', %s::text, 'row_hash', gen_random_uuid()))).*"
        " from reference.fund_account as source limit 1",
        [OTHER_AREA],
    )
    build = dbt.build

    def only_payments(select, settings):
        return build(MODELS if select == "tag:proposal" else select, settings)

    monkeypatch.setattr(dbt, "build", only_payments)
    monkeypatch.setattr(payment, "build_from_judged", lambda propose, started_by: propose())

    def take(step, area_code="", pay_date="2026-03-03"):
        run_as(monkeypatch, pay_date=pay_date, area_code=area_code)
        return getattr(payment, step).function()

    return take


PROPOSE, POST, REQUEST = "propose_entries_and_payments", "post_entries", "request_payments"
DISBURSE = "disburse_approved_requests"


def paid(books):  # noqa: F811
    return books.rows(
        "select area_code, fixmedins_code, sum(amount)::text from ledger.payment_instruction group by 1, 2 order by 1"
    )


def test_what_one_area_proposed_outlives_the_proposing_of_another(books, steps):  # noqa: F811
    books.entitle("1000.00")
    books.entitle("500.00", institution=OTHER_INSTITUTION, area=OTHER_AREA)
    steps(PROPOSE, AREA)
    steps(PROPOSE, OTHER_AREA)
    for step in (POST, REQUEST, DISBURSE):
        for area in (AREA, OTHER_AREA):
            assert not steps(step, area)["failures"]
    assert paid(books) == [(AREA, INSTITUTION, "1000.00"), (OTHER_AREA, OTHER_INSTITUTION, "500.00")]


@pytest.mark.parametrize("second", [(AREA, "2026-03-04"), ("", "2026-03-04"), ("", "2026-03-03"), (AREA, "2026-03-03")])
@pytest.mark.parametrize("order", ["abaabb", "aabbab", "abbbaa"])
def test_two_runs_in_any_order_pay_what_is_due_once(books, steps, second, order):  # noqa: F811
    """The letters of `order` take the next step of one run each; three steps make a run."""
    books.entitle("1000.00")
    books.entitle("500.00", institution=OTHER_INSTITUTION, area=OTHER_AREA)
    books.entitle("7.00", day="2026-03-03")
    runs = {"a": (AREA, "2026-03-03"), "b": second}
    left = {"a": [PROPOSE, REQUEST, DISBURSE], "b": [PROPOSE, REQUEST, DISBURSE]}
    for run in order:
        result = steps(left[run].pop(0), *runs[run])
        assert not (isinstance(result, dict) and result["failures"])
    for pay_date in ("2026-03-04", "2026-03-05"):
        for step in (PROPOSE, REQUEST, DISBURSE):
            steps(step, "", pay_date)
    assert paid(books) == [(AREA, INSTITUTION, "1007.00"), (OTHER_AREA, OTHER_INSTITUTION, "500.00")]


def test_nothing_is_proposed_while_another_run_posts_or_requests(books, steps):  # noqa: F811
    """What is proposed anew stands until it is requested."""
    waited = threading.Event()
    with payment._proposals_standing_still():
        other = threading.Thread(target=lambda: (steps(PROPOSE, AREA), waited.set()))
        other.start()
        assert not waited.wait(3)
    other.join(60)
    assert waited.is_set()
