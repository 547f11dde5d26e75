"""What a large batch may not do: wait for a plan that was made for an empty table, or fail without saying why."""

import psycopg
import pytest
from psycopg import sql
from tests.conftest import Warehouse
from tests.fixtures.batches import settlement, write_batch
from tests.fixtures.one_hospital import DAY, HOSPITAL, register_hospital

from settlement.errors import SettlementError
from settlement.intake import receive
from settlement.intake.knowledge import accepted_keys

KEYS = 20_000


def plan_of(connection: psycopg.Connection, query: sql.Composable) -> str:
    return "\n".join(line for (line,) in connection.execute(sql.SQL("explain ") + query))


def test_keys_are_looked_up_one_by_one_although_the_planner_takes_their_table_for_empty(warehouse: Warehouse) -> None:
    with warehouse.connect("loader") as load:
        load.execute("create temp table delivered_setl (setl_id text) on commit drop")
        load.execute("insert into delivered_setl select 'S' || n from generate_series(1, %s) as n", [KEYS])
        load.execute(
            "insert into raw.settlement_key select %s, 'S' || n, 'B', %s from generate_series(1, %s) as n",
            [HOSPITAL, DAY, KEYS],
        )
        with warehouse.admin() as autovacuum:  # it cannot see them, and counts none
            autovacuum.execute("analyze raw.settlement_key")
        query = sql.SQL("select accepted_key.setl_id from delivered_setl {}").format(accepted_keys("delivered_setl"))
        assert "Index Cond: (setl_id = delivered_setl.setl_id)" in plan_of(load, query)
        assert "Join Filter" not in plan_of(load, query)


def test_a_batch_that_takes_more_memory_than_allowed_says_so_and_can_be_received_with_more(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    register_hospital(warehouse)
    rows = [settlement(f"S{number}", HOSPITAL, DAY, "1.00") for number in range(200)]
    write_batch(warehouse.inbox, "large", "settlement", {"settlement": rows}, day=DAY)
    monkeypatch.setenv("SETTLEMENT_LIMIT_DUCKDB_MEMORY", str(2 * 2**20))
    with pytest.raises(SettlementError, match="SETTLEMENT_LIMIT_DUCKDB_MEMORY") as refusal:
        receive("large")
    assert refusal.value.code == "engine_memory"
    assert warehouse.rows("select count(*) from intake.batch where batch_id = 'large'") == [(0,)]
    monkeypatch.delenv("SETTLEMENT_LIMIT_DUCKDB_MEMORY")
    assert receive("large").status == "accepted"
