"""What stands twice in one batch: the first stays; the same again is `repeated`, anything else is R_DUPLICATE.

A 4101 document is one thing with its children. Where its list stands twice, the later document is compared as a whole,
and its children are looked at no further: they belong to it, not to the first one that has the same `setl_id`.

Settlements and fee lines are amounts: one that stands twice is R_DUPLICATE, whatever it says.
"""

from collections.abc import Collection, Sequence

from settlement.contract.tables import LIST_CHILDREN, TABLES, Table
from settlement.gate import load_suite, projection, reason
from settlement.intake.formats import Delivered
from settlement.intake.knowledge import Load, row_hash

MAY_REPEAT = ("settlement_list", *LIST_CHILDREN)
"""Tables whose rows may stand twice where they say the same."""


def find(load: Load, table: Table) -> None:
    """Create ``repeated_key_<table>``: rows whose key stands more than once in the batch, numbered in file order.

    Where the table's rows may stand twice, `is_same` says that a row says what the first of its key says. A row is
    known by file and `row_no`, because the children of a document share its line.
    """
    keys = ", ".join(f'"{name}"' for name in table.key)
    same = " and ".join(f'repeated."{name}" is not distinct from typed."{name}"' for name in table.key)
    all_known = " and ".join(f'"{name}" is not null' for name in table.key if table.column(name).required)
    load.engine.execute(
        f"create or replace table repeated_key_{table.name} as "
        f"with repeated as (select {keys} from key_{table.name} where {all_known} group by all having count(*) > 1) "
        "select file_no, line_no, row_no, row_number() over same_key as key_occurrence, "
        "first_value(file_no) over same_key as first_file_no, first_value(line_no) over same_key as first_line_no, "
        "first_value(row_no) over same_key as first_row_no, false as is_same "
        f"from key_{table.name} as typed where exists (select 1 from repeated where {same}) "
        f"window same_key as (partition by {keys} order by file_no, row_no)"
    )
    if table.name in MAY_REPEAT and load.count(f"select count(*) from repeated_key_{table.name}"):
        _compare_rows(load, table)


def _compare_rows(load: Load, table: Table) -> None:
    load.engine.execute(
        f"""
        update repeated_key_{table.name} as again set is_same = true
        from ({_said(table)}) as said, ({_said(table)}) as first_said
        where again.key_occurrence > 1
            and again.file_no = said.file_no and again.row_no = said.row_no
            and again.first_file_no = first_said.file_no and again.first_row_no = first_said.row_no
            and said.row_hash = first_said.row_hash
        """
    )


def _said(table: Table) -> str:
    """What the rows of repeated keys say, as a hash."""
    return (
        f"select file_no, line_no, row_no, {row_hash(table)} as row_hash from (select *, {person(table)} as person_key "
        f"from typed_{table.name} semi join repeated_key_{table.name} using (file_no, row_no))"
    )


def person(table: Table) -> str:
    """The key of the row's person, as SQL over typed rows."""
    return "person_key(psn_no)" if any(column.is_person for column in table.columns) else "null::VARCHAR"


def set_documents_aside(load: Load, parts: Sequence[Delivered]) -> None:
    """Create ``later_document``: documents whose list stood before; their children are not judged.

    Such a document says the same as the first only if its children do, and the first is a document as well.
    """
    documents = [part for part in parts if part.file.format == "json4101"]
    numbers = ", ".join(str(part.file.file_no) for part in documents) or "0"
    load.engine.execute(
        "create or replace table later_document as select file_no, line_no, first_file_no, first_line_no "
        f"from repeated_key_settlement_list where key_occurrence > 1 and file_no in ({numbers})"
    )
    if not load.count("select count(*) from later_document"):
        return
    contents = " union all ".join(
        f"select file_no, line_no, '{part.table.name}' as section, {row_hash(part.table)} as row_hash "
        f"from (select {part.file.file_no} as file_no, line_no, {', '.join(projection(load_suite(part.table.name)))} "
        f"from {part.relation} where line_no in ({_involved(part)}))"
        for part in documents
        if part.is_part_of_document
    )
    load.engine.execute(
        f"""
        create or replace table content_of_document as
        select file_no, line_no, list(section || row_hash::VARCHAR order by section, row_hash) as content
        from ({contents}) group by file_no, line_no
        """
    )
    load.engine.execute(
        f"""
        update repeated_key_settlement_list as again set is_same = false
        from later_document as later
        left join content_of_document as content using (file_no, line_no)
        left join content_of_document as first_content
            on later.first_file_no = first_content.file_no and later.first_line_no = first_content.line_no
        where again.file_no = later.file_no and again.line_no = later.line_no
            and (later.first_file_no not in ({numbers})
                or content.content is distinct from first_content.content)
        """
    )


def _involved(part: Delivered) -> str:
    number = part.file.file_no
    return (
        f"select line_no from later_document where file_no = {number} "
        f"union all select first_line_no from later_document where first_file_no = {number}"
    )


def judged_rows(load: Load, part: Delivered) -> str:
    """The rows of a part that are judged: all, but for the children of later documents."""
    number = part.file.file_no
    if not part.is_part_of_document or not load.count(f"select count(*) from later_document where file_no = {number}"):
        return part.relation
    return (
        f"(select rowid, * from {part.relation} where line_no not in "
        f"(select line_no from later_document where file_no = {number}))"
    )


def accept_inside_documents(load: Load, names: Collection[str]) -> None:
    """Let children that stand twice in one document, and say the same, be `repeated`: once is what they say."""
    for name in names:
        if name in LIST_CHILDREN:
            _repeat(load, TABLES[name], "again.line_no = again.first_line_no and again.file_no = again.first_file_no")


def accept_same(load: Load, names: Collection[str], documents: Collection[int]) -> None:
    """Let what says the same as an accepted row of its key be `repeated`, and a document that says otherwise not."""
    numbers = ", ".join(map(str, documents)) or "0"
    for name in names:
        if name in MAY_REPEAT:
            apart = "true" if name == "settlement_list" else f"again.file_no not in ({numbers})"
            _repeat(load, TABLES[name], apart)
    if "settlement_list" in names:
        load.engine.execute(
            f"update outcome_settlement_list as row set disposition = 'quarantined', "
            f"reasons = [{reason('R_DUPLICATE', 'setl_id', 'setl_id')}] from repeated_key_settlement_list as again "
            "where row.file_no = again.file_no and row.line_no = again.line_no and row.disposition = 'repeated' "
            "and again.key_occurrence > 1 and not again.is_same"
        )


def _repeat(load: Load, table: Table, condition: str) -> None:
    load.engine.execute(
        f"""
        update outcome_{table.name} as row set disposition = 'repeated', reasons = null
        from repeated_key_{table.name} as again, outcome_{table.name} as first_row
        where row.file_no = again.file_no and row.row_no = again.row_no
            and again.first_file_no = first_row.file_no and again.first_row_no = first_row.row_no
            and again.is_same and {condition} and first_row.disposition in ('accepted', 'repeated')
        """
    )
