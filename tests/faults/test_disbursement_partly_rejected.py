"""F16: part of a payment file is rejected; the rest is settled, and nothing is ever both settled and sent again."""

from datetime import date
from decimal import Decimal

from tests.fixtures.bank_answers import booked, deliver, status
from tests.fixtures.prepared_warehouse import PHARMACY, PreparedWarehouse, prepared  # noqa: F401
from tests.fixtures.proposals import AREA, Accrual, offer

from settlement.banking.matching import record_batch
from settlement.ledger.posting import post
from settlement.ledger.verification import verify_ledger
from settlement.payments.instructions import disburse_approved
from settlement.payments.requests import request_payments

INSTITUTIONS = [f"H330106{number:05}" for number in range(1, 101)]
AMOUNT = Decimal("10.00")


def settle(warehouse: PreparedWarehouse, pay_date: date):
    warehouse.propose(pay_date.isoformat())
    request_payments(pay_date=pay_date, area_code=AREA, triggered_by="operator")
    disburse_approved(pay_date=pay_date, area_code=AREA, posted_by="operator")
    return dict(
        warehouse.rows(
            "select fixmedins_code, instruction_id from ledger.payment_instruction where pay_date = %s", pay_date
        )
    )


def test_three_of_a_hundred_are_rejected_and_only_they_are_sent_again(prepared: PreparedWarehouse):  # noqa: F811
    with prepared.connect("transformer") as connection:
        offer(connection, [Accrual("10.00", institution=code) for code in INSTITUTIONS], "entries.entry_scene")
    with prepared.connect("poster") as connection:
        post(connection, "entries.entry_scene", area_code=AREA, purpose="accrued", posted_by="scene")
    prepared.execute(
        "insert into reference.bank_account select (jsonb_populate_record(account, jsonb_build_object("
        " 'fixmedins_code', code, 'row_hash', gen_random_uuid()))).*"
        " from reference.bank_account as account, unnest(%s::text[]) as code where account.fixmedins_code = %s",
        [INSTITUTIONS, PHARMACY],
    )
    for code in INSTITUTIONS:
        prepared.entitle("10.00", institution=code)

    sent = settle(prepared, date(2026, 3, 3))
    assert len(sent) == 100
    rejected = INSTITUTIONS[10:13]
    answers = [status(sent[code]) if code in rejected else booked(sent[code], "10.00") for code in INSTITUTIONS]
    assert record_batch(deliver(prepared, *answers), posted_by="bank").counts == {"paid": 97, "rejected": 3}

    again = settle(prepared, date(2026, 3, 4))
    assert sorted(again) == rejected
    assert prepared.rows(
        "select fixmedins_code, amount, replaces_instruction_id from ledger.payment_instruction"
        " where pay_date = '2026-03-04' order by 1"
    ) == [(code, AMOUNT, sent[code]) for code in rejected]

    # The bank books a rejected payment after all: that money is not taken for the one that was sent in its place.
    late = deliver(prepared, booked(sent[rejected[0]], "10.00", day="2026-03-05"))
    assert record_batch(late, posted_by="bank").counts == {"not_expected": 1}
    settled_and_replaced = prepared.rows(
        "select 1 from ledger.payment_event join ledger.payment_instruction as replacement"
        " on payment_event.instruction_id = replacement.replaces_instruction_id where event = 'paid'"
    )
    assert settled_and_replaced == []
    assert verify_ledger().is_intact
