"""The database holds against its own roles: none of them acts as another, and none can stop the others."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import errors
from tests.fixtures.servers import Server

from settlement.errors import SettlementError
from settlement.warehouse import transaction_lock
from settlement.warehouse.connect import ROLES
from settlement.warehouse.migrate import migrate
from settlement.warehouse.rights import LIMITS, OTHER_DATABASES

OUR_SCHEMAS = "select oid from pg_catalog.pg_namespace where nspname !~ '^(pg_|information_schema$)'"  # public included


def test_functions_with_other_rights_and_trigger_functions_name_the_temporary_schema_last(warehouse):
    loose = warehouse.rows(
        "select oid::regprocedure::text from pg_catalog.pg_proc where (prosecdef or prorettype = 'trigger'::regtype)"
        f" and pronamespace in ({OUR_SCHEMAS})"
        " and not exists (select from unnest(proconfig) as setting where setting ~ '^search_path=.*, pg_temp$')"
    )
    assert loose == []


def test_functions_with_other_rights_belong_to_nobody_powerful(warehouse):
    found = warehouse.rows(
        "select distinct rolname, rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolcanlogin"
        " from pg_catalog.pg_proc join pg_catalog.pg_roles on pg_roles.oid = proowner"
        f" where prosecdef and pronamespace in ({OUR_SCHEMAS})"
    )
    assert sorted(found) == [("scheme_keeper", False), ("storage_owner", False)]


def test_what_is_kept_up_for_the_loader_belongs_to_the_owner_of_storage(warehouse):
    warehouse.rows("select raw.ensure_partitions('2031-01-01', '2031-02-01')")
    assert warehouse.rows(
        "select distinct relowner::regrole::text from pg_catalog.pg_class"
        " where relkind in ('r', 'p') and (relnamespace = 'grouper'::regnamespace or oid = 'raw.settlement'::regclass"
        " or (relnamespace = 'raw'::regnamespace and relispartition))"
    ) == [("storage_owner",)]


def test_a_table_that_comes_later_is_handed_over_by_the_next_migration(warehouse, role_passwords):
    with warehouse.admin() as owner:
        owner.execute("create table grouper.later (code text)")
    migrate(warehouse.admin_dsn, role_passwords)
    assert warehouse.rows("select tableowner from pg_tables where tablename = 'later'") == [("storage_owner",)]


@pytest.fixture
def loader_with_languages(warehouse) -> Iterator[psycopg.Connection]:
    """The loader where functions can be written all the same, as on a server whose administrator may not forbid it."""
    with warehouse.admin() as owner:
        owner.execute(
            f"grant usage on language plpgsql to public; grant temporary on database {owner.info.dbname} to public"
        )
    with warehouse.connect("loader") as loader:
        yield loader


def test_a_temporary_view_in_the_place_of_a_catalogue_gains_nobodys_rights(loader_with_languages):
    loader = loader_with_languages
    loader.execute(
        "create function pg_temp.evil() returns name language plpgsql as $$ begin"
        " execute 'alter role loader superuser'; return 'scheme'::name; end $$;"
        "create temp view pg_tables as select 'grouper'::name as schemaname, pg_temp.evil() as tablename;"
        "create temp view pg_class as select 'grouper'::name as relname, pg_temp.evil() as oid"
    )
    loader.execute("select grouper.refresh_statistics()")
    loader.execute("select raw.ensure_partitions('2032-01-01', '2032-01-02')")
    assert loader.execute("select rolsuper from pg_catalog.pg_roles where rolname = 'loader'").fetchone() == (False,)


def test_who_refreshes_statistics_is_no_superuser_whatever_it_is_made_to_run(warehouse):
    with warehouse.admin() as owner:
        owner.execute("set role storage_owner")
        for statement in (
            "alter role loader superuser",
            "alter table ledger.entry disable trigger all",
            "copy (select 1) to program 'id'",
            "select from ledger.payment_request",
        ):
            with pytest.raises(errors.InsufficientPrivilege), owner.transaction():
                owner.execute(statement)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("language", ["plpgsql", "sql"])
def test_no_role_can_write_a_function(warehouse, role, language):
    body = "begin return 1; end" if language == "plpgsql" else "select 1"
    schema = "pg_temp" if role != "transformer" else "entries"
    with warehouse.connect(role) as connection:
        with pytest.raises(errors.InsufficientPrivilege, match="language"):
            connection.execute(f"create function {schema}.f() returns int language {language} as $$ {body} $$")
        connection.rollback()
        with pytest.raises(errors.InsufficientPrivilege, match="language plpgsql"):
            connection.execute("do $$ begin perform 1; end $$")


def test_a_function_that_a_role_owns_already_stops_the_migration(warehouse, role_passwords):
    with warehouse.admin() as owner:
        owner.execute(
            "create function entries.evil() returns text language sql as 'select current_user::text';"
            "alter function entries.evil() owner to transformer"
        )
    with pytest.raises(SettlementError, match=r"entries\.evil") as refusal:
        migrate(warehouse.admin_dsn, role_passwords)
    assert refusal.value.code == "foreign_function"


@pytest.mark.parametrize("role", ["bi_reader", "auditor"])
@pytest.mark.parametrize(
    "statement",
    [
        "select pg_advisory_lock(1)",
        "select pg_try_advisory_lock(1)",
        "select pg_advisory_xact_lock(1, 2)",
        "select pg_advisory_lock_shared(1)",
        "select lo_create(0)",
        "select lo_from_bytea(0, 'x')",
        "set temp_file_limit = -1",
    ],
)
def test_a_reader_takes_no_lock_leaves_no_object_and_lifts_no_limit_of_the_disk(warehouse, role, statement):
    with warehouse.connect(role) as reader, pytest.raises(errors.InsufficientPrivilege):
        reader.execute(statement)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_makes_large_objects(warehouse, role):
    with warehouse.connect(role) as connection, pytest.raises(errors.InsufficientPrivilege):
        connection.execute("select lo_create(0)")


@pytest.fixture
def settled(warehouse, role_passwords):
    """A warehouse after a migration of its own: copies of a database do not inherit the rights on the database."""
    migrate(warehouse.admin_dsn, role_passwords)
    return warehouse


@pytest.mark.parametrize("role", ["decider", "bi_reader", "auditor"])
def test_readers_and_the_decider_make_no_temporary_tables(settled, role):
    with settled.connect(role) as reader, pytest.raises(errors.InsufficientPrivilege, match="temporary tables"):
        reader.execute("create temporary table t (a int)")


@pytest.mark.parametrize("role", ROLES)
def test_roles_reach_their_own_database_only(settled, postgres: Server, role_passwords, role):
    for database in OTHER_DATABASES:
        postgres.ensure_database(database)
    migrate(settled.admin_dsn, role_passwords)
    for database in OTHER_DATABASES:
        dsn = psycopg.conninfo.make_conninfo(postgres.admin_dsn(database), user=role, password=role_passwords[role])
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(dsn)
    with settled.connect(role) as connection:
        assert connection.execute("select current_user").fetchone() == (role,)


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_limited_in_connections_time_and_disk(warehouse, role):
    limits = LIMITS[role]
    assert warehouse.rows("select rolconnlimit from pg_roles where rolname = %s", role) == [(limits.connections,)]
    with warehouse.connect(role) as connection:
        for setting in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "temp_file_limit"):
            [shown] = connection.execute("select current_setting(%s)", [setting]).fetchone()
            assert shown == getattr(limits, setting)


def test_all_roles_together_leave_connections_to_others():
    assert sum(limits.connections for limits in LIMITS.values()) <= 80


def test_what_a_reader_sets_for_itself_is_undone_by_the_next_migration(settled, role_passwords):
    with settled.connect("bi_reader") as reader:
        reader.execute("alter role bi_reader set statement_timeout = 0")
        reader.execute("alter role bi_reader password 'mine'")
    migrate(settled.admin_dsn, role_passwords)
    with settled.connect("bi_reader") as reader:
        assert reader.execute("show statement_timeout").fetchone() == (LIMITS["bi_reader"].statement_timeout,)


@pytest.mark.parametrize(
    "statement",
    [
        "select from raw.settlement",
        "select from raw.fee_item",
        "select from raw.settlement_key",
        "select from intake.quarantine",
        "select from intake.pending_refund",
        "insert into ledger.payment_decision (request_id) values (gen_random_uuid())",
    ],
)
def test_the_poster_reads_no_settlement_and_decides_nothing(warehouse, statement):
    with warehouse.connect("poster") as poster, pytest.raises(errors.InsufficientPrivilege):
        poster.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "insert into ledger.payment_run values ('330100', '2026-03-03', 'x')",
        "insert into ledger.payment_decision values (gen_random_uuid(), 'approved', 'x', false, null, '2020-01-01')",
        "update ledger.payment_decision set decided_by = 'x'",
        "select from ledger.entry",
        "select from ledger.payment_instruction",
        "select from reference.bank_account",
        "create table entries.t (a int)",
    ],
)
def test_the_decider_decides_and_does_nothing_else(warehouse, statement):
    with warehouse.connect("decider") as decider, pytest.raises(errors.InsufficientPrivilege):
        decider.execute(statement)


def test_no_role_is_powerful_or_member_of_another(warehouse):
    names = list(ROLES)
    assert (
        warehouse.rows(
            "select rolname from pg_roles where rolname = any(%s)"
            " and (rolsuper or rolcreaterole or rolcreatedb or rolbypassrls or rolreplication)",
            names,
        )
        == []
    )
    assert warehouse.rows("select from pg_auth_members where member::regrole::text = any(%s)", names) == []


LEDGER_TABLES = "select tablename from pg_tables where schemaname = 'ledger' order by 1"
FORBIDDEN = (
    "update ledger.{0} set {1} = {1}",
    "delete from ledger.{0}",
    "truncate ledger.{0} cascade",
    "drop table ledger.{0}",
    "alter table ledger.{0} disable trigger all",
    "create rule r as on insert to ledger.{0} do nothing",
    "alter table ledger.{0} owner to current_user",
    "lock table ledger.{0} in access exclusive mode",
    "create trigger t before insert on ledger.{0} for each row execute function ledger.refuse_change()",
)


@pytest.mark.parametrize("role", ROLES)
def test_nobody_changes_empties_or_opens_a_table_of_the_ledger(warehouse, role):
    with warehouse.connect(role) as connection:
        for (table,) in warehouse.rows(LEDGER_TABLES):
            [(column,)] = warehouse.rows(
                "select attname from pg_attribute where attrelid = %s::regclass and attnum = 2", f"ledger.{table}"
            )
            for statement in FORBIDDEN:
                with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                    connection.execute(statement.format(table, column))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "statement",
    [
        "set session_replication_role = replica",
        "create extension hstore",
        "create language plpython3u",
        "create publication p for all tables",
        "create role r",
        "create schema s",
        "select pg_create_physical_replication_slot('s')",
        "create event trigger e on ddl_command_start execute function ledger.refuse_change()",
        "copy (select 1) to '/tmp/x'",
        "copy (select 1) to program 'id'",
        "select pg_read_file('/etc/passwd')",
        "select from pg_authid",
        "alter role poster superuser",
        "select pg_terminate_backend(pid) from pg_stat_activity where usesysid = 10 limit 1",
        "set role postgres",
    ],
)
def test_nobody_leaves_the_database_or_gains_a_right(warehouse, role, statement):
    with (
        warehouse.connect(role) as connection,
        pytest.raises((errors.InsufficientPrivilege, errors.UndefinedFile, errors.FeatureNotSupported)),
    ):
        connection.execute(statement)


def test_a_step_that_waits_too_long_for_another_says_so(warehouse):
    with warehouse.connect("poster") as first, warehouse.connect("poster") as second:
        transaction_lock(first, "post", "330100")
        second.execute("set lock_timeout = '50ms'")
        with pytest.raises(SettlementError, match="post:330100") as refusal:
            transaction_lock(second, "post", "330100")
    assert refusal.value.code == "lock_timeout"
