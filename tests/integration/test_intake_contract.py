"""The contract and the database say the same: same tables, same columns, same types, nothing that names a person."""

import pytest
from tests.conftest import Warehouse

from settlement.contract import TABLES
from settlement.contract.tables import LIST_CHILDREN

COMPUTED = {
    "settlement_list_diagnosis": {"is_western"},
    "bank_receipt": {
        *("message_created_at", "occurrence", "is_reversal", "is_detail", "is_charge"),
        *("booking_reference", "booking_amount", "content"),
    },
}
ORIGIN = {
    "fixmedins_code",
    "area_code",
    "business_date",
    "batch_id",
    "accepted_batch_id",
    "ended_by_batch_id",
    "file_no",
    "line_no",
    "row_hash",
    "load_id",
}


def columns_of(warehouse: Warehouse, relation: str) -> dict[str, tuple[str, bool]]:
    found = warehouse.rows(
        "select attname, format_type(atttypid, atttypmod), attnotnull from pg_attribute "
        "where attrelid = %s::regclass and attnum > 0 and not attisdropped",
        relation,
    )
    return {name: (type_name, not_null) for name, type_name, not_null in found}


def test_every_contract_column_is_a_database_column_of_its_type(warehouse: Warehouse) -> None:
    for table in TABLES.values():
        found = columns_of(warehouse, table.relation)
        wanted = {
            column.kept_name: (column.postgres_type, column.required or column.default is not None)
            for column in table.kept
        }
        assert {name: found.get(str(name)) for name in wanted} == wanted, table.relation
        assert found.keys() - wanted.keys() <= ORIGIN | COMPUTED.get(table.name, set()), table.relation


def test_no_table_has_a_column_that_names_a_person(warehouse: Warehouse) -> None:
    identity = {column.name for table in TABLES.values() for column in table.columns if column.is_identity} - {"name"}
    found = warehouse.rows(
        "select attrelid::regclass::text, attname from pg_attribute join pg_class on pg_class.oid = attrelid "
        "where relnamespace in ('raw'::regnamespace, 'intake'::regnamespace, 'reference'::regnamespace) "
        "and relkind in ('r', 'p') and attname = any(%s)",
        sorted(identity),
    )
    assert found == []
    assert "name" not in columns_of(warehouse, "reference.practitioner")


def test_tables_of_settlement_grain_are_keyed_by_institution_first(warehouse: Warehouse) -> None:
    for name in ("fee_item", "settlement_list", *LIST_CHILDREN):
        keys = warehouse.rows(
            "select pg_get_constraintdef(oid) from pg_constraint where conrelid = %s::regclass and contype = 'u'",
            TABLES[name].relation,
        )
        assert any("(fixmedins_code, setl_id" in definition for (definition,) in keys), name


def test_the_loader_may_add_rows_and_change_none(warehouse: Warehouse) -> None:
    found = warehouse.rows(
        "select table_name, privilege_type from information_schema.role_table_grants "
        "where grantee = 'loader' and table_schema = 'raw' and privilege_type not in ('SELECT', 'INSERT')"
    )
    assert found == []


@pytest.mark.parametrize("months", [("2026-01-31", "2026-03-01", 3), ("2026-12-31", "2027-01-01", 2)])
def test_partitions_are_made_once_for_each_month(warehouse: Warehouse, months: tuple[str, str, int]) -> None:
    first, last, count = months
    with warehouse.connect("loader") as connection:
        for _ in range(2):
            connection.execute("select raw.ensure_partitions(%s, %s)", [first, last])
    found = warehouse.rows("select count(*) from pg_inherits where inhparent = 'raw.settlement'::regclass")
    assert found == [(count,)]
