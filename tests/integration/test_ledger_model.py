"""Random histories of accruals, payments and bank answers, against a small model of what the books must say (F27)."""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from itertools import count
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.fixtures.bank_answers import booked, deliver, status
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.proposals import Accrual, offer

from settlement.banking.matching import record_batch
from settlement.ledger.posting import post
from settlement.ledger.verification import verify_ledger
from settlement.payments.approval import decide_request
from settlement.payments.instructions import disburse_approved
from settlement.payments.requests import request_payments
from settlement.working_days import next_working_day

ZERO = Decimal("0.00")
AREAS = (f"45{number:04}" for number in count(100))


@dataclass
class Model:
    """One institution's money in yuan, as an accountant would keep it on a sheet of paper."""

    accrued: Decimal = ZERO
    sent: dict[UUID, Decimal] = field(default_factory=dict)
    states: dict[UUID, str] = field(default_factory=dict)
    suspense: Decimal = ZERO
    early_credits: set[UUID] = field(default_factory=set)

    def outstanding(self, *states: str) -> Decimal:
        """What was instructed and is now in one of these states."""
        return sum((self.sent[key] for key, state in self.states.items() if state in states), ZERO)

    def due(self) -> Decimal:
        """What may be paid now; all of what is accrued is entitled."""
        return self.accrued - self.outstanding("instructed", "paid")

    def answer(self, instruction: UUID, said: str) -> None:
        """Follow what the bank said of an instruction."""
        state = self.states[instruction]
        if (state, said) == ("instructed", "returned"):
            self.early_credits.add(instruction)
        if (state, said) == ("instructed", "paid") and instruction in self.early_credits:
            # The bank told of the return first: its credit leaves suspense, and the payment has come back.
            self.states[instruction] = "returned"
            self.suspense += self.sent[instruction]
        elif (state, said) in {("instructed", "paid"), ("instructed", "rejected"), ("paid", "returned")}:
            self.states[instruction] = said
        elif said != "rejected":
            self.suspense += self.sent[instruction] * (1 if said == "paid" else -1)

    def balances(self) -> dict[str, Decimal]:
        """Debit minus credit of every account that is not zero."""
        paid = self.outstanding("paid")
        balances = {
            "benefit_expense": self.accrued,
            "payable_institution": -self.due(),
            "payment_in_transit": -self.outstanding("instructed"),
            "expenditure_account": -paid - self.suspense,
            "suspense": self.suspense,
        }
        return {account: balance for account, balance in balances.items() if balance}


class Scene:
    """An area of its own with one institution, and the same history in the warehouse."""

    def __init__(self, warehouse: PreparedWarehouse):
        self.warehouse = warehouse
        self.area = next(AREAS)
        self.institution = f"H{self.area}00001"
        self.day = date(2026, 1, 1)
        self.pay_date = date(2026, 3, 2)
        self.model = Model()
        self.said: set[tuple[UUID, str]] = set()
        self.sent_on: dict[UUID, str] = {}
        for table, key in (("area", "area_code"), ("fund_account", "area_code"), ("cash_plan", "area_code")):
            self._copy(table, key, self.area)
        for table in ("institution", "bank_account"):
            self._copy(table, "fixmedins_code", self.institution)
        warehouse.execute("update reference.area set approval_threshold = 1e9")
        warehouse.execute("update reference.cash_plan set amount = 1e9")

    def _copy(self, table: str, key: str, value: str) -> None:
        """Copy the scene's first row of a reference table for this area."""
        change = {key: value, "row_hash": str(uuid4())} | ({"area_code": self.area} if table == "institution" else {})
        self.warehouse.execute(
            f"insert into reference.{table} select (jsonb_populate_record(original, %s)).*"
            f" from reference.{table} as original order by original.line_no limit 1",
            [json.dumps(change)],
        )

    def accrue(self, fen: int) -> None:
        """A batch brings an amount; negative is a refund."""
        amount, self.day = Decimal(fen) / 100, self.day + timedelta(days=1)
        accrual = Accrual(str(amount), day=str(self.day), institution=self.institution, area=self.area)
        with self.warehouse.connect("transformer") as connection:
            offer(connection, [accrual], "entries.entry_scene")
        for _ in range(2):
            with self.warehouse.connect("poster") as connection:
                post(connection, "entries.entry_scene", area_code=self.area, purpose="accrued", posted_by="model")
        self.warehouse.entitle(str(amount), day=str(self.day), institution=self.institution, area=self.area)
        self.model.accrued += amount

    def pay(self, times: int) -> None:
        """A payment run on the next working day, run this many times."""
        self.pay_date = next_working_day(self.pay_date)
        due = self.model.due()
        for _ in range(times):
            self.warehouse.propose(str(self.pay_date), self.area)
            request_payments(pay_date=self.pay_date, area_code=self.area, triggered_by="model")
            self._approve_what_is_asked()
            disburse_approved(pay_date=self.pay_date, area_code=self.area, posted_by="model")
        made = self.warehouse.rows(
            "select instruction_id, amount from ledger.payment_instruction where area_code = %s and pay_date = %s",
            self.area,
            self.pay_date,
        )
        assert [amount for _, amount in made] == ([due] if due > 0 else [])
        for instruction, amount in made:
            self.model.sent[instruction], self.model.states[instruction] = amount, "instructed"
            self.sent_on[instruction] = str(self.pay_date)

    def _approve_what_is_asked(self) -> None:
        """A person approves what replaces a payment of which the bank contradicted itself."""
        for (request_id,) in self.warehouse.rows(
            "select request_id from ledger.payment_request left join ledger.payment_decision using (request_id)"
            " where area_code = %s and decision is null",
            self.area,
        ):
            decide_request(request_id, decision="approved", decided_by="director", reason="")

    def answer(self, which: int, said: str) -> None:
        """The bank says something of one of the instructions, perhaps for the second time."""
        if not self.model.sent:
            return
        instruction = list(self.model.sent)[which % len(self.model.sent)]
        amount = str(self.model.sent[instruction])
        sides = {"paid": "debit", "returned": "credit"}
        day = self.sent_on[instruction]  # earlier than its pay date nothing is believed of a payment
        answer = booked(instruction, amount, sides[said], day=day) if said in sides else status(instruction)
        record_batch(deliver(self.warehouse, answer, area=self.area, day=day), posted_by="model")
        if (instruction, said) not in self.said:
            self.model.answer(instruction, said)
        self.said.add((instruction, said))

    def check(self) -> None:
        """The books say what the model says."""
        found = self.warehouse.rows(
            "select account, sum(case side when 'debit' then amount else -amount end) as balance"
            " from ledger.entry join ledger.entry_line using (fixmedins_code, business_event_id)"
            " where area_code = %s group by account"
            " having sum(case side when 'debit' then amount else -amount end) <> 0",
            self.area,
        )
        assert dict(found) == self.model.balances()


accruals = st.tuples(st.just("accrue"), st.integers(-50_000, 90_000).filter(bool))
payments = st.tuples(st.just("pay"), st.integers(1, 2))
answers = st.tuples(st.just("answer"), st.integers(0, 3), st.sampled_from(["paid", "rejected", "returned"]))


@pytest.mark.slow
@settings(
    max_examples=10,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(history=st.lists(st.one_of(accruals, payments, answers), min_size=3, max_size=10))
def test_the_books_agree_with_the_model_after_every_step(prepared, history):  # noqa: F811
    scene = Scene(prepared)
    for verb, *arguments in [("accrue", 70_000), ("pay", 1), *history]:
        getattr(scene, verb)(*arguments)
        scene.check()
    assert verify_ledger(scene.area).is_intact
