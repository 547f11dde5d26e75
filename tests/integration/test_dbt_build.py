"""A stage is a real `dbt build` in the caller's process: it says what failed, and leaves the process as it was."""

import os

import pytest
from tests.fixtures.prepared_warehouse import prepared  # noqa: F401

from settlement.errors import SettlementError
from settlement.warehouse import dbt

pytestmark = pytest.mark.slow


@pytest.fixture
def local(prepared, tmp_path, monkeypatch):  # noqa: F811
    """A folder of this test's own, where nothing has been parsed yet."""
    monkeypatch.setenv("SETTLEMENT_LOCAL", str(tmp_path / "local"))
    return tmp_path / "local" / "dbt"


def parsed_projects(local):
    return {path.name: path.stat().st_mtime_ns for path in local.glob("parsed-*")}


def test_other_parameters_do_not_parse_the_project_again(local):
    built = dbt.build("int_batch_days__unaccrued", {"pay_date": "2026-03-05"})
    first = parsed_projects(local)
    assert dbt.build("int_batch_days__unaccrued", {"pay_date": "2026-03-06"}).node_count == built.node_count
    assert parsed_projects(local) == first
    assert len(first) == 1


def test_another_project_is_parsed_and_the_old_one_forgotten(local, monkeypatch):
    dbt.build("int_batch_days__unaccrued")
    before = parsed_projects(local)
    monkeypatch.setattr(dbt, "_fingerprint", lambda: "changed")
    dbt.build("int_batch_days__unaccrued")
    assert list(parsed_projects(local)) == ["parsed-changed.pickle"]
    assert list(before) != ["parsed-changed.pickle"]


def test_a_failing_model_and_a_failing_test_are_named(local, prepared):  # noqa: F811
    prepared.execute("drop table intermediate.int_batch_days__unaccrued cascade")
    with pytest.raises(SettlementError, match="int_batch_days__unaccrued") as refusal:
        dbt.build("entry_accrued")
    assert refusal.value.code == "dbt_failed"

    prepared.execute(
        "insert into entries.entry_deducted (business_event_id, line_no, event, area_code, fixmedins_code,"
        " fund_pay_type, accounting_date, settlement_month, side, account, amount, source_id)"
        " values ('H1:x', 1, 'deducted', '330100', 'H1', '310100', '2026-03-02', '2026-03', 'debit', 'x', 1, 's')"
    )
    with pytest.raises(SettlementError, match="assert_proposed_entries_balance: Got 1 result"):
        dbt.build("assert_proposed_entries_balance")


def test_what_a_stage_did_is_kept_node_by_node(local, prepared):  # noqa: F811
    dbt.build("int_batch_days__unaccrued", {"pay_date": "2026-03-05", "area_code": "330100"})
    [(stage, pay_date, area_code, node_type, status)] = prepared.rows(
        "select stage, pay_date::text, area_code, node_type, status from marts.rpt_model_runs"
        " where node_name = 'int_batch_days__unaccrued' and pay_date is not null"
    )
    assert (stage, pay_date, area_code) == ("int_batch_days__unaccrued", "2026-03-05", "330100")
    assert (node_type, status) == ("model", "success")


def test_a_stage_leaves_the_tests_that_read_all_history_to_the_audit(local):
    models_and_tests = ("rpt_trial_balance", "assert_trial_balance_is_zero")
    assert dbt.build("tag:publication").node_count == len(models_and_tests)


def test_the_process_keeps_its_folder_and_environment(local):
    before = dict(os.environ), os.getcwd()
    dbt.build("int_batch_days__unaccrued", {"pay_date": "2026-03-05"})
    assert (dict(os.environ), os.getcwd()) == before


def test_a_stored_table_of_an_older_project_gets_the_columns_of_this_one(local, prepared):  # noqa: F811
    columns = (
        "select column_name from information_schema.columns where table_name = 'int_settlements__reconciled'"
        " order by ordinal_position"
    )
    of_this_project = prepared.rows(columns)
    prepared.execute("alter table intermediate.int_settlements__reconciled drop column declaration_batch_id cascade")
    dbt.build("int_settlements__reconciled")
    assert prepared.rows(columns) == of_this_project
