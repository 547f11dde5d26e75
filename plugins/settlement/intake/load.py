"""One batch into the warehouse, inside the caller's transaction: judge every row, decide, write.

Large tables are written while they are judged; the caller rolls that back for a batch that is held, whose quarantine
alone is written. The caller writes the batch row itself.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from psycopg.types.json import Jsonb

from settlement.contract.manifest import DeliveredFile
from settlement.contract.tables import LIST_CHILDREN, SECTIONS, TABLES, Table
from settlement.gate import owner, reason, text_of
from settlement.intake import control, fee_sums, judging, knowledge, netting, ownership, reference, repeats
from settlement.intake.context import create_list_facts
from settlement.intake.formats import Delivered
from settlement.intake.identities import without_identity
from settlement.intake.knowledge import Load
from settlement.intake.storing import Stored, judge_and_store, stored_columns
from settlement.intake.transfer import copy_to_postgres

DISPOSITIONS = ("accepted", "quarantined", "repeated", "pending")
NUMBER = r"[+-]?([0-9]{1,18}(\.[0-9]{0,10})?|\.[0-9]{1,10})"
"""What counts as a number in a control sum: plain digits, as the gate has it."""
MOST_TEXTS = 10
"""Texts of one reason code in a receipt; each row's own stand in rejected.csv."""
DATED = {"settlement", "fee_item", "settlement_list", *LIST_CHILDREN}


@dataclass
class FileOutcome:
    """What became of the rows of one file."""

    file: DeliveredFile
    counts: dict[str, int]
    control: dict[str, Decimal] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """Rows read: each is in exactly one of the counts."""
        return sum(self.counts.values())


@dataclass
class Outcome:
    """What became of a batch. `reasons` counts rows by reason code; `reason_texts` says what they mean."""

    files: list[FileOutcome]
    reasons: dict[str, int]
    warnings: list[str]
    reason_texts: dict[str, list[str]] = field(default_factory=dict)
    is_held: bool = False


def judge_batch(load: Load, parts: Sequence[Delivered]) -> tuple[Outcome, list[netting.Waiting]]:
    """Judge every row of the batch, and store what is accepted of large tables.

    Also returns the waiting refunds this batch decides.
    """
    reject_limit = knowledge.fetch_area(load)
    knowledge.fetch_institutions(load)
    tables = _tables(parts)
    names = {table.name for table in tables}
    parts_of = {table.name: [part for part in parts if part.table is table] for table in tables}
    for table in tables:
        judging.create_key_view(load, table, parts_of[table.name])
        if not table.is_large:
            judging.create_typed_view(load, table, parts_of[table.name])
        repeats.find(load, table)
        if table.name == "settlement_list":
            repeats.set_documents_aside(load, parts)
    decided: list[netting.Waiting] = []
    stored: dict[str, Stored] = {}
    if load.manifest.kind == "settlement":
        knowledge.fetch_settlements(load, [f"key_{name}" for name in names])
    if "settlement" in names:
        knowledge.fetch_delivered_again(load)
    for table in tables:
        if table.name != "settlement":
            knowledge.fetch_known_rows(load, table)
        if table.parent:
            _create_parents(load, table, names)
        if table.name == "settlement_list":
            create_list_facts(load, names)
        if owner(table):
            ownership.find_owners(load, table, names)
        if table.is_large:
            if any(part.file.rows for part in parts_of[table.name]):
                _ensure_partitions(load, table)
            _forget_keys(load, parts_of[table.name])
            stored[table.name] = judge_and_store(load, table, parts_of[table.name], names)
        else:
            judging.judge(load, table, names)
        if table.name == "settlement":
            _copy_settlement_keys(load, "stored_settlement")
            decided = netting.decide_refunds(load)
        if table.kind == "reference":
            reference.refuse_changed_rows(load, table)
    documents = sorted({part.file.file_no for part in parts if part.file.format == "json4101"})
    repeats.accept_inside_documents(load, names)
    _judge_documents_as_one(load, documents, names)
    repeats.accept_same(load, names, documents)
    files = [
        FileOutcome(file, _counts(load, file, stored.get(file.table.name)))
        for file in dict.fromkeys(part.file for part in parts)
    ]
    warnings = [
        warning
        for table in tables
        for warning in judging.warnings_of(load, table, stored[table.name].warnings if table.is_large else ())
    ]
    warnings += fee_sums.warnings(load, names)
    outcome = Outcome(files, _reasons(load, parts), warnings, _reason_texts(load, parts))
    outcome.is_held = any(file.counts["quarantined"] > reject_limit * file.read for file in files)
    return outcome, decided


def write_accepted(load: Load, parts: Sequence[Delivered], decided: Sequence[netting.Waiting]) -> None:
    """Write what was accepted and is not stored yet, and what it sets free."""
    for table in _tables(parts):
        if table.name in DATED and not table.is_large:
            _ensure_partitions(load, table)
        if table.kind == "reference":
            reference.end_open_rows(load, table)
        _copy_accepted(load, table)
        if table.kind == "reference":
            reference.refuse_overlaps(load, table)
        if table.name == "settlement":
            _copy_settlement_keys(load, "outcome_settlement where disposition = 'accepted'")
            _copy_pending(load)
            netting.release(load, decided)
            _record_days(load)


def write_quarantine(load: Load, parts: Sequence[Delivered], most: int | None = None) -> None:
    """Write quarantined rows with all their reasons; values are those of the row, never a person's identity.

    Args:
        load: The load whose rows are judged.
        parts: What was delivered, in the order of the files.
        most: Rows to write at most, the first of the batch; None for every one.
    """
    room = sys.maxsize if most is None else most
    for part in parts:
        if part.is_part_of_document:
            continue
        cursor = load.engine.execute(
            f"select line_no, record_key, reasons, persons from outcome_{part.table.name} "
            "where file_no = ? and disposition = 'quarantined' order by line_no limit ?",
            [part.file.file_no, room],
        )
        with (
            load.connection.cursor() as writer,
            writer.copy(
                "copy intake.quarantine (batch_id, file_no, line_no, file_name, table_name, record_key, reason_codes, "
                "details) from stdin"
            ) as copy,
        ):
            copy.set_types(["text", "int4", "int8", "text", "text", "text", "text[]", "jsonb"])
            while rows := cursor.fetchmany(1_000):
                for line_no, record_key, reasons, persons in rows:
                    origin = [load.manifest.batch_id, part.file.file_no, line_no, part.file.name, part.table.name]
                    codes = list(dict.fromkeys(reason["code"] for reason in reasons))
                    key, details = without_identity(part.table, record_key, reasons, persons or ())
                    copy.write_row([*origin, key, codes, Jsonb(details)])
                room -= len(rows)


def check_totals(load: Load, parts: Sequence[Delivered]) -> dict[int, dict[str, Decimal]]:
    """Compare rows and control sums with the manifest; returns the sums found, by file number and column.

    A control sum is over every row whose value is a number, whatever else is wrong with the row.

    Raises:
        SettlementError: ``control_mismatch`` with what was expected and found.
    """
    found: dict[int, dict[str, Decimal]] = {}
    for part in parts:
        if part.is_part_of_document:
            continue
        rows = load.count(f"select count(*) from {part.relation}")
        control.check_rows(part.file, rows)
        found[part.file.file_no] = {column: _control_sum(load, part, column) for column in part.file.control}
    return found


def _control_sum(load: Load, part: Delivered, column: str) -> Decimal:
    row = load.engine.execute(
        f'select coalesce(sum(case when regexp_full_match("{column}", ?) '
        f'then cast("{column}" as DECIMAL(38,10)) end), 0) from {part.relation}',
        [NUMBER],
    ).fetchone()
    return control.check_sum(part.file, column, Decimal(row[0]) if row else Decimal(0))


def _tables(parts: Sequence[Delivered]) -> list[Table]:
    """The delivered tables, parents first."""
    names = {part.table.name for part in parts}
    return [table for table in TABLES.values() if table.name in names]


def _create_parents(load: Load, table: Table, names: set[str]) -> None:
    """Create what a row of `table` may belong to: ``accepted_<parent>``, for a list ``settlement_of_list``."""
    relation = f"accepted_{table.parent}"
    if table.name == "settlement_list":
        relation = "settlement_of_list"
        knowledge.fetch_settlements_of_lists(load)
        columns = "setl_id, fixmedins_code, person_key, business_date, medfee_sumamt"
        known = f"select {columns} from stored_settlement_of_list"
        accepted = f"select {columns} from outcome_settlement where disposition = 'accepted'"
    elif table.parent == "settlement":
        columns = "setl_id, fixmedins_code, business_date"
        known = f"select {columns} from known_settlement where not is_pending and {ownership.own_settlements(load)}"
        accepted = (
            f"select {columns} from stored_settlement "
            f"union all select {columns} from outcome_settlement where disposition = 'accepted'"
        )
    else:
        knowledge.fetch_known_rows(load, TABLES["settlement_list"])
        known = (
            "select known_settlement_list.setl_id, fixmedins_code, business_date "
            "from known_settlement_list join known_settlement using (setl_id) "
            f"where not is_pending and {ownership.own_settlements(load)}"
        )
        accepted = (
            "select setl_id, fixmedins_code, business_date from outcome_settlement_list where disposition = 'accepted'"
        )
    delivered = f"union all {accepted}" if table.parent in names else ""
    load.engine.execute(f"create or replace table {relation} as {known} {delivered}")


def _judge_documents_as_one(load: Load, documents: Sequence[int], names: set[str]) -> None:
    """A json4101 document is accepted or refused whole: its list takes over the reasons of its children."""
    children = [name for name in LIST_CHILDREN if name in names]
    if not documents or not children:
        return
    broken = " union all ".join(
        f"select file_no, line_no, case when reasons is null then "
        f"[{reason('R_CONFLICT', 'setl_id', 'setl_id')}] "
        f"else list_filter(reasons, lambda entry: entry.code <> 'R_ORPHAN') end as reasons, "
        f"reasons is null as is_new, {_child(name)} as child from outcome_{name} where disposition <> 'repeated'"
        for name in children
    )
    load.engine.execute(
        f"""
        create or replace table broken_document as
        select
            broken.file_no,
            broken.line_no,
            list_distinct(flatten(list(list_transform(
                broken.reasons, lambda entry: struct_update(entry, child := broken.child)
            )))) as reasons
        from ({broken}) as broken
        join outcome_settlement_list as document using (file_no, line_no)
        where (not is_new or document.disposition = 'repeated') and len(broken.reasons) > 0
            and broken.file_no in (select unnest(?))
        group by broken.file_no, broken.line_no
        """,
        [documents],
    )
    load.engine.execute("""
        update outcome_settlement_list as document set
            disposition = 'quarantined',
            reasons = list_concat(coalesce(document.reasons, []), broken_document.reasons)
        from broken_document
        where document.file_no = broken_document.file_no and document.line_no = broken_document.line_no
    """)
    for name in children:
        load.engine.execute(
            f"update outcome_{name} as child set disposition = 'quarantined' from outcome_settlement_list as document "
            "where child.file_no = document.file_no and child.line_no = document.line_no "
            "and document.disposition <> 'accepted' and child.file_no in (select unnest(?))",
            [documents],
        )


def _child(name: str) -> str:
    """How a reason names the child of a document: its section, and what tells it apart there."""
    section = next(section for section, table in SECTIONS.items() if table == name)
    return f"rtrim('{section} ' || coalesce(replace(substr(record_key, length(setl_id) + 2), '|', ' '), ''))"


def _counts(load: Load, file: DeliveredFile, stored: Stored | None) -> dict[str, int]:
    found = dict(
        load.engine.execute(
            f"select disposition, count(*) from outcome_{file.table.name} where file_no = ? group by all",
            [file.file_no],
        ).fetchall()
    )
    counts = {disposition: found.get(disposition, 0) for disposition in DISPOSITIONS}
    if stored:
        counts["accepted"] += stored.rows[file.file_no]
    return counts


def _reasons(load: Load, parts: Sequence[Delivered]) -> dict[str, int]:
    """Rows by reason code; a row counts once for each of its codes."""
    counted = [part.table.name for part in parts if not part.is_part_of_document]
    rows = " union all ".join(
        f"select list_distinct(list_transform(reasons, lambda entry: entry.code)) as codes "
        f"from outcome_{name} where disposition = 'quarantined'"
        for name in dict.fromkeys(counted)
    )
    found = load.engine.execute(f"select unnest(codes) as code, count(*) from ({rows}) group by code order by code")
    return dict(found.fetchall())


def _reason_texts(load: Load, parts: Sequence[Delivered]) -> dict[str, list[str]]:
    """What each reason code stands for in this batch, in both languages, the most frequent texts first."""
    names = dict.fromkeys(part.table.name for part in parts if not part.is_part_of_document)
    rows = " union all ".join(
        f"select '{name}' as table_name, unnest(reasons) as reason from outcome_{name} "
        "where disposition = 'quarantined'"
        for name in names
    )
    found = load.engine.execute(
        "select table_name, reason.code, reason.rule, split_part(reason.child, ' ', 1) as section, count(*) "
        f"from ({rows}) group by all order by 2, 5 desc, 1, 3, 4"
    ).fetchall()
    texts: dict[str, dict[str, None]] = {}
    for table, code, rule, section, _ in found:
        texts.setdefault(code, {})[text_of(table, {"code": code, "rule": rule, "child": section})] = None
    return {code: list(said)[:MOST_TEXTS] for code, said in texts.items()}


def _forget_keys(load: Load, parts: Sequence[Delivered]) -> None:
    """Drop the keys of sliced files: what they say is known by now, and the rows are read again with all columns."""
    for part in parts:
        if part.layout:
            load.engine.execute(f"drop table {part.relation}_text")


def _ensure_partitions(load: Load, table: Table) -> None:
    """Make the months that rows of the table may belong to; large tables ask before they are judged."""
    source = f"outcome_{table.name} where disposition = 'accepted'"
    if table.is_large:
        source = f"(select date '{load.manifest.business_date}' as business_date)"
        if table.parent:
            source = f"accepted_{table.parent}"
    months = load.engine.execute(f"select distinct date_trunc('month', business_date)::DATE from {source}").fetchall()
    for (month,) in months:
        load.connection.execute("select raw.ensure_partitions(%s, %s)", [month, month])


def _copy_accepted(load: Load, table: Table) -> None:
    """COPY the accepted rows into the table they belong to; ended reference rows are there already."""
    columns = stored_columns(load, table)
    source = f"outcome_{table.name} where disposition = 'accepted' and accepted_key_state <> 'ends'"
    expected = load.count(f"select count(*) from {source}")
    if expected:
        query = f"select {', '.join(columns.values())} from {source}"
        copy_to_postgres(load.engine, query, load.connection, table.relation, list(columns), expected)


def _copy_settlement_keys(load: Load, source: str) -> None:
    query = f"select fixmedins_code, setl_id, '{load.manifest.batch_id}', business_date from {source} order by setl_id"
    columns = ["fixmedins_code", "setl_id", "batch_id", "business_date"]
    copy_to_postgres(load.engine, query, load.connection, "raw.settlement_key", columns)


def _copy_pending(load: Load) -> None:
    columns = {f'"{column.kept_name}"': column.kept_name or "" for column in TABLES["settlement"].kept}
    columns |= {"batch_area_code": "area_code", "business_date": "business_date"}
    columns |= {f"'{load.manifest.batch_id}'": "batch_id", "file_no": "file_no", "line_no": "line_no"}
    columns["file_name"] = "file_name"
    load.engine.execute("create or replace table delivered_file (file_no INTEGER, file_name VARCHAR)")
    for file in load.manifest.files:
        load.engine.execute("insert into delivered_file values (?, ?)", [file.file_no, file.name])
    query = (
        f"select {', '.join(columns)} from outcome_settlement join delivered_file using (file_no) "
        "where disposition = 'pending' order by file_no, line_no"
    )
    copy_to_postgres(load.engine, query, load.connection, "intake.pending_refund", list(columns.values()))


def _record_days(load: Load) -> None:
    """One row per business date with accepted settlements: what downstream reads to know what is new."""
    load.connection.execute("create temp table accepted_by_day (business_date date, row_count bigint) on commit drop")
    days = load.engine.execute(
        "select business_date, count(*) from (select business_date from stored_settlement union all "
        "select business_date from outcome_settlement where disposition = 'accepted') group by all"
    ).fetchall()
    with load.connection.cursor() as cursor:
        cursor.executemany("insert into accepted_by_day values (%s, %s)", days)
    load.connection.execute(
        "insert into raw.accepted_day (accepted_batch_id, area_code, business_date, row_count) "
        "select %(batch)s, %(area)s, business_date, sum(row_count) from ("
        "select business_date, row_count from accepted_by_day union all "
        "select business_date, count(*) from intake.pending_refund "
        "where outcome_batch_id = %(batch)s and outcome = 'accepted' group by business_date"
        ") as days group by business_date order by business_date",
        {"batch": load.manifest.batch_id, "area": load.manifest.area_code},
    )
