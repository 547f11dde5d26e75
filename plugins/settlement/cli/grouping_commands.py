"""`settlement scheme …` and `settlement group`: grouping schemes, and cases grouped by hand."""

import getpass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from settlement.cli.warehouse_access import use_warehouse
from settlement.errors import SettlementError

console = Console()
scheme_app = typer.Typer(
    name="scheme", help="Grouping schemes, side by side by version (分组方案).", no_args_is_help=True
)


class KindOption(StrEnum):
    """Kinds of schemes."""

    DRG = "drg"
    DIP = "dip"


class OperationScope(StrEnum):
    """Which operations of a case may be the main one of a DIP group."""

    PRINCIPAL = "PRINCIPAL"
    ANY = "ANY"


class QyMode(StrEnum):
    """When an operation unrelated to the principal diagnosis makes a case ambiguous."""

    OFF = "OFF"
    PRINCIPAL_OP = "PRINCIPAL_OP"
    ANY_OP = "ANY_OP"


Folder = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="The folder with the scheme's CSV files.")]
Kind = Annotated[KindOption, typer.Argument(help="drg or dip.")]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.add_typer(scheme_app)
    app.command()(group)


@scheme_app.command("import")
def import_scheme(
    kind: Kind,
    folder: Folder,
    version: Annotated[str, typer.Option(help="What it is called from now on, e.g. chs-drg-1.1 (版本).")],
    valid_from: Annotated[str, typer.Option(help="First day in force, YYYY-MM-DD (生效日).")] = "2000-01-01",
    valid_to: Annotated[str, typer.Option(help="Last day in force; empty while open (失效日).")] = "",
    name: Annotated[str, typer.Option(help="Its name (名称).")] = "",
    document: Annotated[str, typer.Option(help="The document that ordered it (依据文件).")] = "",
    qy_mode: Annotated[
        QyMode | None, typer.Option(help="Over that of the files: when a case is ambiguous (歧义组).")
    ] = None,
    op_match_scope: Annotated[
        OperationScope | None,
        typer.Option(help="DIP: the first operation (3.0) or any (1.0, 2.0) may be the main one."),
    ] = None,
) -> None:
    """Import a scheme whole or not at all; the same again changes nothing (导入分组方案)."""
    from settlement.grouper import schemes

    use_warehouse()
    imported = schemes.import_scheme(
        kind.value,
        folder,
        version=version,
        valid_from=_day(valid_from),
        valid_to=_day(valid_to) if valid_to else None,
        name=name or None,
        document=document or None,
        qy_mode=qy_mode.value if qy_mode else None,
        op_match_scope=op_match_scope.value if op_match_scope else None,
        imported_by=getpass.getuser(),
    )
    rows = ", ".join(f"{count:,} {file}" for file, count in imported.counts.items() if count)
    console.print(f"✓ {version} {'imported' if imported.is_new else 'was here already'}: {rows}", soft_wrap=True)
    _show_remarks(imported.remarks)


@scheme_app.command("check")
def check_scheme(kind: Kind, folder: Folder) -> None:
    """Judge a scheme without importing it: dangling codes, empty lists, unknown rules (检查分组方案)."""
    from settlement.grouper.checking import check
    from settlement.grouper.reading import invalid, read_scheme

    verdict = check(read_scheme(kind.value, folder))
    _show_remarks(verdict.remarks)
    if verdict.faults:
        raise invalid(folder, verdict.faults)
    console.print(f"✓ {folder} is usable (可用)", soft_wrap=True)


@scheme_app.command("show")
def show_scheme(
    version: Annotated[str, typer.Argument(help="A version of a DRG scheme.")],
    rule: Annotated[str, typer.Option(help="Only rules that begin so, e.g. HC2 (规则).")] = "",
) -> None:
    """Say in words what the rules of a scheme ask of a case, in the order they are tried (以文字列出规则)."""
    from settlement.grouper import schemes

    use_warehouse()
    table = Table(title=f"{version}", title_justify="left", show_lines=True)
    for heading in ("category", "rule", "asks for 条件", "limits", "groups in order 组"):
        table.add_column(heading, overflow="fold")
    for shown in schemes.show_rules(version, rule):
        words = f"{shown.match_rule}: {shown.text_en}\n{shown.text_zh}"
        table.add_row(*map(escape, (shown.mdc, shown.rule_id, words, shown.limits, shown.groups)))
    console.print(table)


@scheme_app.command("remove")
def remove_scheme(version: Annotated[str, typer.Argument(help="The version to remove (方案版本).")]) -> None:
    """Remove a scheme that nothing was booked by; its removal stays written down (删除未使用的分组方案)."""
    from settlement.grouper import schemes

    use_warehouse()
    removed = schemes.remove_scheme(version, removed_by=getpass.getuser())
    rows = ", ".join(f"{count:,} {table}" for table, count in removed.items())
    console.print(f"✓ {version} removed (已删除): {rows}", soft_wrap=True, highlight=False, markup=False)


@scheme_app.command("list")
def list_schemes() -> None:
    """List the schemes that are here (列出分组方案)."""
    from settlement.grouper import schemes

    use_warehouse()
    table = Table(title="grouping schemes 分组方案", title_justify="left")
    for heading in ("version", "kind", "name", "from", "to", "content"):
        table.add_column(heading)
    for scheme in schemes.list_schemes():
        table.add_row(
            scheme.version,
            scheme.kind,
            scheme.name or "",
            str(scheme.valid_from),
            str(scheme.valid_to or ""),
            scheme.content_sha256[:12],
        )
    console.print(table)


@scheme_app.command("diff")
def compare_schemes(
    one: Annotated[str, typer.Argument(help="A version.")],
    other: Annotated[str, typer.Argument(help="Another version of the same kind.")],
) -> None:
    """Count the rows that only one of two schemes has, file by file (比较分组方案)."""
    from settlement.grouper import schemes

    use_warehouse()
    table = Table(title=f"{one} → {other}", title_justify="left")
    table.add_column("file")
    for heading in ("only in the first", "only in the second"):
        table.add_column(heading, justify="right")
    for file, (gone, new) in schemes.differences(one, other).items():
        table.add_row(file, f"{gone:,}", f"{new:,}")
    console.print(table)


def group(
    scheme: Annotated[str, typer.Option(help="The version to group by (方案版本).")],
    cases: Annotated[Path, typer.Option(exists=True, dir_okay=False, help="A CSV of cases (病例文件).")],
    out: Annotated[Path, typer.Option(help="Where the groups go, as CSV (结果文件).")],
) -> None:
    """Group the cases of a file by hand (手工分组).

    Reads case_id, gender, age, age_days, weight_g, los, discharge_way, dx_list and op_list (codes divided by |, the
    main one first), main_dx and main_op before them where they are there, and related_ops. Writes case_id, mdc, adrg,
    group, status, explanation. What was read otherwise than it is written is told; what is unclear is refused.
    """
    from settlement.grouper.by_hand import group_file

    use_warehouse()
    with console.status(f"grouping {cases} …"):
        grouped = group_file(scheme, cases, out)
    _show_remarks(grouped.notes)
    told = ", ".join(f"{count:,} {status}" for status, count in sorted(grouped.counts.items()))
    console.print(f"✓ {out}: {told or 'no cases'}", soft_wrap=True, highlight=False)


def _show_remarks(remarks: list[str]) -> None:
    for remark in remarks:
        console.print(f"! {remark}", style="yellow", markup=False, soft_wrap=True)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise SettlementError("date_invalid", f"{text!r} is no date (日期无效): {error}", "write YYYY-MM-DD") from error
