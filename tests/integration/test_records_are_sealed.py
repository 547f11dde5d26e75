"""The seals over requests, decisions, instructions, bank files, bank answers and the audit trail."""

import json
from datetime import date

import psycopg
import pytest
from tests.fixtures.prepared_warehouse import PreparedWarehouse, prepared  # noqa: F401
from tests.integration.test_ledger_commands import paid  # noqa: F401
from upath import UPath

from settlement.ledger import records
from settlement.ledger.published import publish_seals
from settlement.ledger.records import seal_records
from settlement.ledger.verification import examine_ledger
from settlement.payments.bank_files import write_bank_files

DAY = date(2026, 3, 3)
KEPT_WITHOUT_A_SEAL_OF_THEIR_OWN = {
    "accrued_batch_day",  # of the posting runs, whose entries are sealed
    "entry",
    "entry_line",
    "posting_run",
    "record_seal",
    "sealed_record",
}


@pytest.fixture
def sealed(paid: tuple[PreparedWarehouse, object]) -> PreparedWarehouse:  # noqa: F811
    """The books of one payment, with the call that brought its bank answer, sealed and published."""
    warehouse, _ = paid
    call(warehouse, "hospital_a")
    with warehouse.connect("poster") as connection:
        write_bank_files(connection, pay_date=DAY)
    assert seal_records() > 0
    publish_seals(DAY)
    assert examine_ledger().is_intact
    return warehouse


def call(warehouse: PreparedWarehouse, caller: str) -> None:
    with warehouse.connect("loader") as connection:
        connection.execute(
            "insert into audit.api_call (caller, action, http_status, code) values (%s, 'deliver', 202, 'ok')", [caller]
        )


def behind_the_guards(warehouse: PreparedWarehouse, statement: str) -> None:
    """Change something as the owner of the database can, without triggers and keys."""
    with psycopg.connect(warehouse.admin_dsn) as superuser:
        superuser.execute("set session_replication_role = replica")
        assert superuser.execute(statement).rowcount  # type: ignore[call-overload]


def faults() -> set[tuple[str, str]]:
    proof = examine_ledger()
    assert not proof.is_intact
    return {(fault.record_type, fault.fault) for fault in (*proof.records.faults, *proof.outside)}


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("update ledger.payment_instruction set account_no = '666'", ("ledger.payment_instruction", "changed")),
        ("update ledger.payment_request_line set account_no = '666'", ("ledger.payment_request_line", "changed")),
        ("update ledger.payment_request set requested_by = 'nobody'", ("ledger.payment_request", "changed")),
        ("update ledger.payment_decision set decided_by = 'nobody'", ("ledger.payment_decision", "changed")),
        ("update ledger.bank_file set content = content || ' '", ("ledger.bank_file", "content_differs")),
        ("update ledger.bank_file set csv_content = ''", ("ledger.bank_file", "changed")),
        ("update ledger.bank_entry set reason_code = 'AC04'", ("ledger.bank_entry", "changed")),
        ("update raw.bank_transaction set amount = 1", ("raw.bank_transaction", "changed")),
        ("update ledger.payment_event set event_date = '2026-01-01'", ("ledger.payment_event", "changed")),
        ("update audit.api_call set caller = 'nobody'", ("audit.api_call", "changed")),
        ("delete from audit.api_call", ("audit.api_call", "removed")),
        ("delete from ledger.payment_decision", ("ledger.payment_decision", "removed")),
        ("insert into audit.api_call (caller, action, http_status, code) values ('x', 'deliver', 202, 'ok')",
         ("audit.api_call", "not_sealed")),
        ("update ledger.record_seal set seal = 'f'", ("ledger.record_seal", "seal_differs")),
        ("delete from ledger.sealed_record", ("ledger.record_seal", "seal_differs")),
    ],
)  # fmt: skip
def test_what_is_changed_behind_the_guards_is_named(sealed, statement, expected):
    behind_the_guards(sealed, statement)
    assert expected in faults()


def test_what_waits_for_its_seal_is_proved_too(sealed):
    call(sealed, "hospital_b")
    assert examine_ledger().is_intact
    behind_the_guards(sealed, "update audit.api_call set caller = 'nobody' where caller = 'hospital_b'")
    assert faults() == {("audit.api_call", "changed")}


def test_sealing_again_makes_no_seal_and_new_records_make_one_more(sealed):
    assert seal_records() == 0
    call(sealed, "hospital_b")
    assert seal_records() == 1
    assert examine_ledger().records.seal_count == 2


def test_a_killed_sealing_leaves_everything_to_the_next_one(sealed, monkeypatch):
    call(sealed, "hospital_b")
    with monkeypatch.context() as patch:
        patch.setattr(records, "digest_of_copy", _killed)
        with pytest.raises(RuntimeError):
            seal_records()
    assert seal_records() == 1


def _killed(*_):
    raise RuntimeError("killed")


def test_a_bank_file_changed_in_the_outbox_is_named(sealed):
    [path] = (sealed.outbox / "payments").rglob("*.xml")
    path.write_text(path.read_text().replace("62220000000", "66660000000"))
    assert faults() == {("outbox", "content_differs")}


def test_a_bank_file_that_the_bank_has_taken_away_is_no_fault(sealed):
    for path in (sealed.outbox / "payments").rglob("*.*"):
        path.unlink()
    assert examine_ledger().is_intact


def test_books_rewritten_with_all_their_seals_differ_from_what_an_auditor_kept(sealed, tmp_path):
    kept = tmp_path / "kept"
    kept.mkdir()
    published = sealed.outbox / "seals" / "2026-03-03.json"
    (kept / published.name).write_bytes(published.read_bytes())
    behind_the_guards(sealed, "delete from ledger.sealed_record")
    behind_the_guards(sealed, "delete from ledger.record_seal")
    behind_the_guards(sealed, "update ledger.payment_decision set decided_by = 'nobody'")
    behind_the_guards(
        sealed,
        "insert into ledger.unsealed_record select 'ledger.payment_decision', request_id::text,"
        " sha256(convert_to(ledger.record_content(payment_decision)::text, 'UTF8')) from ledger.payment_decision",
    )
    seal_records()
    publish_seals(DAY)
    assert [fault.fault for fault in examine_ledger().outside] == []
    assert {fault.fault for fault in examine_ledger(seals=UPath(kept)).outside} == {"not_as_published"}


def test_a_published_file_that_is_no_seal_is_named_and_stops_no_proof(sealed):
    (sealed.outbox / "seals" / "2026-03-04.json").write_text("[]")
    assert faults() == {("published seals", "unreadable")}


def test_the_file_of_a_day_names_the_newest_seals(sealed):
    content = json.loads((sealed.outbox / "seals" / "2026-03-03.json").read_text())
    assert content["books"] == {
        area: {"posting_run_id": run_id, "seal": seal}
        for area, run_id, seal in sealed.rows(
            "select area_code, posting_run_id, seal from ledger.posting_run order by posting_run_id desc limit 1"
        )
    }
    [(seal_id, seal)] = sealed.rows("select seal_id, seal from ledger.record_seal")
    assert content["records"] == {"seal_id": seal_id, "seal": seal}


def test_every_append_only_table_of_the_ledger_is_sealed(sealed):
    unsealed = sealed.rows(
        "select tablename from pg_tables where schemaname = 'ledger' and tablename <> 'unsealed_record'"
        " and not exists (select from pg_trigger where tgrelid = ('ledger.' || tablename)::regclass"
        " and tgname = 'note_for_sealing')"
    )
    assert {name for (name,) in unsealed} == KEPT_WITHOUT_A_SEAL_OF_THEIR_OWN


def test_no_role_but_the_poster_takes_records_out_of_the_queue(sealed):
    for role in ("loader", "transformer", "decider", "bi_reader", "auditor"):
        with sealed.connect(role) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from ledger.take_unsealed_records()")


def test_what_was_taken_and_not_sealed_is_named(sealed):
    call(sealed, "hospital_b")
    with sealed.connect("poster") as connection:
        connection.execute("select * from ledger.take_unsealed_records()")
    assert faults() == {("audit.api_call", "not_sealed")}


def test_a_table_that_lost_its_trigger_is_named(sealed):
    with psycopg.connect(sealed.admin_dsn) as superuser:
        superuser.execute("drop trigger note_for_sealing on ledger.payment_decision")
        superuser.execute("alter table audit.api_call disable trigger note_for_sealing")
    assert faults() == {("ledger.payment_decision", "trigger_removed"), ("audit.api_call", "trigger_removed")}


def test_a_digest_that_was_put_there_beforehand_stops_no_seal_and_is_named(sealed):
    [(newest,)] = sealed.rows("select max(api_call_id) from audit.api_call")
    with sealed.connect("poster") as connection:
        connection.execute(
            "insert into ledger.sealed_record select 'audit.api_call', %s, '\\x00', seal_id from ledger.record_seal",
            [str(newest + 1)],
        )
    call(sealed, "hospital_b")
    assert seal_records() == 1
    assert ("ledger.record_seal", "seal_differs") in faults()
