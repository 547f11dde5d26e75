"""Schemes in the warehouse: imported once a version, listed, and compared."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from settlement.errors import SettlementError
from settlement.grouper.checking import check
from settlement.grouper.dip_expressions import diagnosis_rows, operation_rows, weight_range
from settlement.grouper.layout import FILES, Kind
from settlement.grouper.match_rules import match_rules
from settlement.grouper.reading import ReadScheme, Row, invalid, read_scheme
from settlement.statements import statement
from settlement.warehouse import connect, transaction_lock
from settlement.warehouse.locks import session_lock

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True)
class Scheme:
    """A version of a scheme in the warehouse."""

    scheme_id: int
    kind: Kind
    version: str
    name: str | None
    valid_from: date
    valid_to: date | None
    content_sha256: str


@dataclass(frozen=True)
class Imported:
    """What an import did: rows by file, and what an expert should look at."""

    version: str
    is_new: bool
    counts: dict[str, int]
    remarks: list[str]


def import_scheme(
    kind: Kind,
    folder: Path,
    *,
    version: str,
    valid_from: date,
    valid_to: date | None = None,
    name: str | None = None,
    document: str | None = None,
    qy_mode: str | None = None,
    op_match_scope: str | None = None,
    imported_by: str,
) -> Imported:
    """Import a scheme whole, or not at all; the same content again changes nothing.

    Args:
        qy_mode: Over that of the files, for every category: OFF, PRINCIPAL_OP or ANY_OP (DRG only).
        op_match_scope: PRINCIPAL (DIP 3.0, the default) or ANY (DIP 1.0 and 2.0): which operations may be the main one.

    Raises:
        SettlementError: ``scheme_invalid``; ``scheme_conflict`` when the version exists with another content;
            ``version_invalid``, ``date_invalid``.
    """
    _refuse_version_or_days(version, valid_from, valid_to)
    read = read_scheme(kind, folder)
    if qy_mode:
        for row in read.rows["mdc"]:
            row["qy_mode"] = qy_mode
    for row in read.rows.get("dip_catalog", []):
        if row["stage"] == "PRE_BIRTH":
            row["related_op_or_weight"] = weight_range(row["related_op_or_weight"])
    verdict = check(read)
    if verdict.faults:
        raise invalid(folder, verdict.faults)
    options = {"op_match_scope": op_match_scope} if op_match_scope else {}
    content = ":".join(filter(None, [read.content_sha256, qy_mode, op_match_scope]))
    counts = {file: len(rows) for file, rows in read.rows.items()}
    with connect("loader") as connection:
        transaction_lock(connection, "scheme", version)
        known = _find(connection, version)
        if known is None:
            scheme_id = _insert(
                connection, kind, version, name, document, valid_from, valid_to, Jsonb(options), content, imported_by
            )
            try:
                _copy(connection, scheme_id, read)
            except (psycopg.DataError, psycopg.IntegrityError) as error:
                raise invalid(folder, [f"the warehouse refuses it (入库被拒): {error.diag.message_primary}"]) from error
            connection.execute("select grouper.refresh_statistics()")
        elif (known.kind, known.content_sha256) != (kind, content):
            raise SettlementError(
                "scheme_conflict",
                f"scheme {version} exists with another content (版本号重复)",
                "a scheme is never changed: import it under another --version",
            )
    return Imported(version, known is None, counts, verdict.remarks)


def _refuse_version_or_days(version: str, valid_from: date, valid_to: date | None) -> None:
    if not VERSION.fullmatch(version):
        raise SettlementError(
            "version_invalid",
            f"{version!r} is no version (版本号无效)",
            "up to 64 letters, digits and _ . -, a letter or digit first, e.g. chs-drg-1.1",
        )
    if valid_to is not None and valid_to < valid_from:
        raise SettlementError(
            "date_invalid",
            f"a scheme in force from {valid_from} cannot end on {valid_to} (失效日早于生效日)",
            "give --valid-to a day from --valid-from on",
        )


def remove_scheme(version: str, *, removed_by: str) -> dict[str, int]:
    """Remove a scheme that nothing uses, whole, and write its removal down; give the rows that went, by table.

    Raises:
        SettlementError: ``scheme_unknown``; ``scheme_in_use``, naming what was booked or published by it, the methods
            of payment that name it, and cases that are being grouped.
    """
    find_scheme(version)
    # Cases that are being grouped by it are booked first, or written out.
    with session_lock("loader", "grouping"), connect("loader") as connection:
        transaction_lock(connection, "scheme", version)
        try:
            row = connection.execute("select grouper.remove_scheme(%s, %s)", [version, removed_by]).fetchone()
        except psycopg.errors.NoDataFound:
            raise SettlementError("scheme_unknown", f"there is no scheme {version!r} (没有该分组方案)") from None
        except psycopg.errors.ObjectInUse as error:
            raise _in_use(version, json.loads(error.diag.message_detail or "[]")) from None
        connection.execute("select grouper.refresh_statistics()")
    assert row is not None
    return {str(table): int(count) for table, count in row[0].items()}


USES = {
    "booking": "{count} case bookings of {area}, {month} (病例记账)",
    "point value": "{count} published point values of {area}, {month} (点值公布)",
    "payment method": "a payment method of {area} from {from} on (支付方式)",
    "cases being grouped": "{count} cases being grouped (正在分组的病例)",
}


def _in_use(version: str, uses: list[dict[str, Any]]) -> SettlementError:
    told = "; ".join(USES[use["use"]].format_map(use) for use in uses[:10])
    more = f"; and {len(uses) - 10} more" if len(uses) > 10 else ""
    return SettlementError(
        "scheme_in_use",
        f"scheme {version} is used and stays (分组方案已被使用，不能删除): {told}{more}",
        "what was booked by a scheme is explained by it; import a corrected one under another --version",
    )


@dataclass(frozen=True)
class ShownRule:
    """A rule of a DRG scheme in the words of a person."""

    mdc: str
    rule_id: str
    match_rule: str
    text_en: str
    text_zh: str
    limits: str
    groups: str


def show_rules(version: str, rule: str | None = None) -> list[ShownRule]:
    """The rules of a DRG scheme in the order they are tried, in words; only those whose id begins with `rule`.

    Raises:
        SettlementError: ``scheme_unknown``; ``scheme_kinds_differ`` for a DIP catalogue, which has no rules.
    """
    scheme = find_scheme(version)
    if scheme.kind != "drg":
        raise SettlementError(
            "scheme_kinds_differ",
            f"{version} is a DIP catalogue (DIP 目录无规则)",
            "its groups: marts.dim_drg_dip_group",
        )
    with connect("loader") as connection:
        rows = connection.execute(
            statement("settlement.grouper", "drg_rules"), {"scheme_id": scheme.scheme_id, "begins": rule or ""}
        ).fetchall()
    words = {name: (str(asks["text_en"]), str(asks["text_zh"])) for name, asks in match_rules().items()}
    return [
        ShownRule(mdc, rule_id, match_rule, *words[match_rule], limits, groups)
        for mdc, rule_id, match_rule, limits, groups in rows
    ]


def list_schemes() -> list[Scheme]:
    """All schemes, the newest last."""
    with connect("loader") as connection:
        return [Scheme(*row) for row in connection.execute(f"{COLUMNS} order by scheme_id").fetchall()]


def find_scheme(version: str) -> Scheme:
    """The scheme of a version. Raises SettlementError: ``scheme_unknown``."""
    with connect("loader") as connection:
        found = _find(connection, version)
    if found is None:
        known = ", ".join(scheme.version for scheme in list_schemes()) or "none"
        raise SettlementError(
            "scheme_unknown",
            f"there is no scheme {version!r} (没有该分组方案)",
            f"known: {known}; import it with: settlement scheme import",
        )
    return found


def differences(one: str, other: str) -> dict[str, tuple[int, int]]:
    """Rows that only one, or only the other of two schemes of a kind has, by file."""
    first, second = find_scheme(one), find_scheme(other)
    if first.kind != second.kind:
        raise SettlementError(
            "scheme_kinds_differ", f"{one} is {first.kind}, {other} is {second.kind}", "compare two of a kind"
        )
    found = {}
    with connect("loader") as connection:
        for file in FILES[first.kind]:
            names = [column.stored_as for column in file.columns]
            only = sql.SQL(
                "select count(*) from (select {columns} from grouper.{table} where scheme_id = %s {constants}"
                " except select {columns} from grouper.{table} where scheme_id = %s {constants}) as rows"
            ).format(
                columns=sql.SQL(", ").join(map(sql.Identifier, names)),
                table=sql.Identifier(file.table),
                constants=sql.SQL(" ").join(
                    sql.SQL("and {} = {}").format(sql.Identifier(column), sql.Literal(value))
                    for column, value in file.constants
                ),
            )
            ids = (first.scheme_id, second.scheme_id)
            gone = connection.execute(only, ids).fetchone()
            new = connection.execute(only, ids[::-1]).fetchone()
            found[file.name] = (int(gone[0]) if gone else 0, int(new[0]) if new else 0)
    return found


COLUMNS = "select scheme_id, kind, version, name, valid_from, valid_to, content_sha256 from grouper.scheme"


def _find(connection: psycopg.Connection[Any], version: str) -> Scheme | None:
    row = connection.execute(f"{COLUMNS} where version = %s", [version]).fetchone()
    return Scheme(*row) if row else None


def _insert(connection: psycopg.Connection[Any], *values: object) -> int:
    row = connection.execute(
        "insert into grouper.scheme (kind, version, name, document, valid_from, valid_to, options, content_sha256,"
        " imported_by) values (%s, %s, %s, %s, %s, %s, %s, %s, %s) returning scheme_id",
        values,
    ).fetchone()
    assert row is not None
    return int(row[0])


def _copy(connection: psycopg.Connection[Any], scheme_id: int, scheme: ReadScheme) -> None:
    for file in FILES[scheme.kind]:
        columns = [name for name, _ in file.constants] + [column.stored_as for column in file.columns]
        _write(connection, file.table, scheme_id, columns, scheme.rows[file.name])
    groups = scheme.rows.get("dip_catalog", [])
    diagnoses = (row for group in groups for row in diagnosis_rows(group))
    _write(connection, "dip_group_diagnosis", scheme_id, ["group_id", "role", "dx_key"], diagnoses)
    operations = (row for group in groups for row in operation_rows(group))
    _write(connection, "dip_group_operation", scheme_id, ["group_id", "alternative", "term", "op_code"], operations)


def _write(
    connection: psycopg.Connection[Any], table: str, scheme_id: int, columns: list[str], rows: Iterable[Row]
) -> None:
    statement = sql.SQL("copy grouper.{} (scheme_id, {}) from stdin").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row([scheme_id, *(row[name] for name in columns)])
