"""Cases of a file as hospitals send it: every value as it was meant and with a note, or refused with its place.

What is read otherwise than it is written is told once a kind. What could be meant in two ways is refused, and a missing
main diagnosis stays missing: the next one never takes its place.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from settlement.errors import SettlementError
from settlement.grouper.text_files import (
    Record,
    UnreadableText,
    delimiter_of,
    encoding_of,
    plain_name,
    quoted,
    records,
)
from settlement.invisible import names_of, stripped

HINT = "see: settlement group --help; docs/runbook/grouping.md says how values are read"
# Other names under which files carry a column.
ALIASES = {"weight": "weight_g", "birth_weight_g": "weight_g"}
COLUMNS = (
    *("case_id", "gender", "age", "age_days", "weight_g", "los", "discharge_way"),
    *("dx_list", "main_dx", "op_list", "main_op", "related_ops"),
)
SEXES = {
    **dict.fromkeys(("1", "1.0", "男", "男性", "m", "male"), "1"),
    **dict.fromkeys(("2", "2.0", "女", "女性", "f", "female"), "2"),
}
# What programs write where there is nothing.
NOTHING = frozenset(("-", "--", "—", "/", "\\n", "null", "none", "na", "n/a", "nan", "无"))
SEPARATORS = re.compile(r"[|,;、]")
# What no value has inside; line ends and tabs apart.
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
PLACEHOLDER = re.compile(r"(?<=[\w.])X")
PROTECTED = re.compile(r"""(?:'|=")(.*?)"?""", re.DOTALL)


@dataclass(frozen=True)
class Number:
    """How a column of whole numbers is read: its bounds, both inclusive, and the units that may follow.

    `is_floored` takes a fraction as the whole number below: an age in completed years, and a weight, which limits in
    whole grams judge alike. What is beyond `likely` is noted.
    """

    most: int
    unit_en: str
    unit_zh: str
    units: tuple[str, ...]
    is_floored: bool = False
    likely: int | None = None


NUMBERS = {
    "age": Number(999, "years", "岁", ("周岁", "岁"), is_floored=True, likely=150),
    "age_days": Number(60_000, "days", "天", ("天", "日")),
    "weight_g": Number(500_000, "grams", "克", ("克", "g"), is_floored=True),
    "los": Number(60_000, "days", "天", ("天", "日")),
}
NUMERAL = re.compile(r"([0-9]+)(?:\.([0-9]*))?")


@dataclass(frozen=True)
class Case:
    """A case as grouping reads it. An empty first code says that the main one is missing."""

    line: int
    case_id: str
    gender: str | None
    age: int | None
    age_days: int | None
    weight_g: int | None
    los: int | None
    discharge_way: str | None
    dx_codes: list[str]
    op_codes: list[str]


@dataclass
class Notes:
    """What was read otherwise than it is written: each kind with its count and its first place."""

    _found: dict[str, tuple[int, str]] = field(default_factory=dict)

    def add(self, what: str, line: int | None = None, value: str | None = None) -> None:
        """Note `what`, in English and Chinese, once more."""
        count, place = self._found.get(what, (0, "" if line is None else f"line {line}"))
        if not count and value is not None:
            place += f" {quoted(value)}"
        self._found[what] = (count + 1, place)

    def told(self) -> list[str]:
        """The notes for people."""
        return [
            f"{what}: {count:,} × (first 首例: {place})" if place else what
            for what, (count, place) in self._found.items()
        ]


class CaseFile:
    """A file of cases. `spellings` gives a scheme's own spelling of codes that it writes otherwise than usual."""

    def __init__(self, path: Path, spellings: Mapping[str, str] | None = None) -> None:
        self.path = path
        self.notes = Notes()
        self._spellings = spellings or {}

    def cases(self) -> Iterator[Case]:
        """Read the cases one by one.

        Raises:
            SettlementError: ``cases_unreadable``, with line, column and value, and with what is allowed.
        """
        try:
            encoding = encoding_of(self.path)
            delimiter = delimiter_of(self.path, encoding, {*COLUMNS, *ALIASES})
            rows = records(self.path, encoding, delimiter)
            header = next(rows, None)
            if header is None:
                raise UnreadableText("is empty (文件为空)")
            names = self._names(header)
            self._note_form(encoding, delimiter)
            for row in rows:
                yield self._case(row, names)
        except UnreadableText as error:
            raise SettlementError("cases_unreadable", f"{self.path} {error}", HINT) from error
        except OSError as error:
            raise SettlementError(
                "cases_unreadable", f"{self.path} cannot be read: {error.strerror} (文件无法读取)", HINT
            ) from error

    def lines_of(self, case_id: str) -> list[int]:
        """The lines of the cases of one id."""
        return [case.line for case in CaseFile(self.path).cases() if case.case_id == case_id]

    def _note_form(self, encoding: str, delimiter: str) -> None:
        if not encoding.startswith("utf-8"):
            self.notes.add(f"read as {encoding.upper()} (按 {encoding.upper()} 编码读取)")
        if delimiter != ",":
            self.notes.add(f"columns divided by {quoted(delimiter)} (列分隔符 {quoted(delimiter)})")

    def _names(self, header: Record) -> list[str]:
        plain = [plain_name(name) for name in header.values]
        names = [ALIASES.get(name, name) for name in plain]
        if again := sorted({name for name in names if name and names.count(name) > 1}):
            raise UnreadableText(
                f"line {header.line}: column {', '.join(map(quoted, again))} stands twice: which one counts? (列名重复)"
            )
        missing = [] if "case_id" in names else ["case_id"]
        missing += [] if {"dx_list", "main_dx"} & set(names) else ["dx_list"]
        if missing:
            raise UnreadableText(
                f"has no column {', '.join(missing)} (缺少列), only {', '.join(map(quoted, names[:20]))}"
            )
        if plain != header.values:
            self.notes.add("names of columns read without capitals, spaces and marks (列名已规范)", header.line)
        if unread := [name for name in names if name and name not in COLUMNS]:
            self.notes.add(f"columns that are not read (未读取的列): {', '.join(map(quoted, unread[:20]))}")
        return names

    def _case(self, row: Record, names: list[str]) -> Case:
        if len(row.values) != len(names):
            raise UnreadableText(
                f"line {row.line}: has {len(row.values)} values for {len(names)} columns, the last is"
                f" {quoted(row.values[-1])} (列数不符：应为 {len(names)} 列)"
            )
        given = _Given(row.line, dict(zip(names, row.values, strict=True)), self.notes)
        return Case(
            line=row.line,
            case_id=given.identifier("case_id"),
            gender=given.sex("gender"),
            age=given.number("age"),
            age_days=given.number("age_days"),
            weight_g=given.number("weight_g"),
            los=given.number("los"),
            discharge_way=given.code("discharge_way"),
            dx_codes=self._with_main(given, "main_dx", "dx_list"),
            op_codes=self._with_main(given, "main_op", "op_list", "related_ops"),
        )

    def _with_main(self, given: "_Given", main: str, *others: str) -> list[str]:
        """The codes in order. A column of its own says which is the main one, or by being empty that none is."""
        codes = [code for name in others for code in given.codes(name, self._spellings)]
        if main not in given.values:
            return _in_place(codes)
        first = given.codes(main, self._spellings)
        if len([code for code in first if code]) > 1:
            given.refuse(main, given.values[main], "more than one code", "应只有一个编码")
        principal = next((code for code in first if code), "")
        named = [code for code in codes if code]
        if principal and named and named[0] != principal and others[0] in given.values:
            self.notes.add(f"{main} comes before {others[0]} (以 {main} 为首位)", given.line, given.values[others[0]])
        return _in_place([principal, *(code for code in named if code != principal)])


def _in_place(codes: list[str]) -> list[str]:
    """Without empty codes, except that an empty first one keeps its place before others."""
    named = [code for code in codes if code]
    return ["", *named] if named and not codes[0] else named


@dataclass(frozen=True)
class _Given:
    """The values of one row, by column."""

    line: int
    values: dict[str, str]
    notes: Notes

    def refuse(self, name: str, value: str, reason_en: str, reason_zh: str) -> NoReturn:
        """Say what is wrong with a value, and where."""
        raise UnreadableText(
            f"line {self.line}: {name} is {quoted(value)}, {reason_en} (第 {self.line} 行 {name} 列：{reason_zh})"
        )

    def identifier(self, name: str) -> str:
        """A case's id: there, and without anything invisible in it."""
        raw = self.values[name]
        text = stripped(raw)
        if not text:
            self.refuse(name, raw, "empty: every case needs an id", "病例标识为空")
        self._refuse_invisible(name, text)
        if text != raw:
            self.notes.add("invisible characters at the ends of values left out (首尾不可见字符已去除)", self.line, raw)
        return text

    def code(self, name: str) -> str | None:
        """A code of a dictionary, such as the way of discharge."""
        text = self._plain(name)
        if text.endswith(".0"):
            self.notes.add(f"{name}: read as a whole number (按整数读取)", self.line, text)
        return text.removesuffix(".0") or None

    def sex(self, name: str) -> str | None:
        """1 or 2; what is neither stays as it is, and keeps the case from being grouped."""
        text = self._plain(name)
        known = SEXES.get(text.lower())
        if known and known != text:
            self.notes.add("sex read as 1 (male) or 2 (female) (性别按 1 男、2 女读取)", self.line, text)
        return known or text or None

    def number(self, name: str) -> int | None:
        """A whole number within the bounds of its column."""
        text = self._plain(name)
        if not text:
            return None
        rule = NUMBERS[name]
        numeral = next((stripped(text.removesuffix(unit)) for unit in rule.units if text.endswith(unit)), text)
        found = NUMERAL.fullmatch(numeral)
        fraction = (found[2] or "").strip("0") if found else ""
        number = int(found[1]) if found and len(found[1]) <= 20 else -1
        if not 0 <= number <= rule.most or (fraction and not rule.is_floored):
            self.refuse(
                name,
                text,
                f"not a whole number of {rule.unit_en} from 0 to {rule.most:,}",
                f"应为 0 至 {rule.most} 的整数（{rule.unit_zh}）",
            )
        if rule.likely is not None and number > rule.likely:
            self.notes.add(f"{name}: beyond {rule.likely}, is it right? (超过 {rule.likely}，请核对)", self.line, text)
        if fraction:
            self.notes.add(f"{name}: fractions left out (只取整数部分)", self.line, text)
        elif not text.isdecimal():
            self.notes.add(f"{name}: read as a whole number (按整数读取)", self.line, text)
        return number

    def codes(self, name: str, spellings: Mapping[str, str]) -> list[str]:
        """The codes of a list in order, those that are missing empty."""
        raw = self.values.get(name, "")
        text = self._plain(name)
        if name == "related_ops":
            text = text.replace("+", "|")
        if not text:
            return []
        parts = SEPARATORS.split(text)
        if len(parts) > text.count("|") + 1:
            self.notes.add(f"{name}: codes divided otherwise than by | (编码以其他分隔符分开)", self.line, raw)
        return [self._spelled(name, part, spellings) for part in parts]

    def _spelled(self, name: str, part: str, spellings: Mapping[str, str]) -> str:
        text = stripped(part)
        if text.lower() in NOTHING:
            self.notes.add(f"{name}: {quoted(text)} read as nothing (按空值读取)", self.line)
            return ""
        if protected := PROTECTED.fullmatch(text):
            text = stripped(protected[1])
        self._refuse_invisible(name, text)
        if text in spellings.values():
            return text
        usual = usual_spelling(text)
        spelled = spellings.get(usual, usual)
        if spelled != stripped(part):
            self.notes.add(f"{name}: codes read in their usual spelling (编码按规范写法读取)", self.line, part)
        return spelled

    def _plain(self, name: str) -> str:
        """The value in half width and without what is invisible at its ends; nothing where it only says so."""
        raw = self.values.get(name, "")
        text = stripped(raw if raw.isascii() else unicodedata.normalize("NFKC", raw))
        if text != raw and text.strip() != raw.strip():
            self.notes.add(
                f"{name}: read in half width, nothing invisible at its ends (按半角读取，去除首尾不可见字符)",
                self.line,
                raw,
            )
        if text.lower() in NOTHING and name not in ("dx_list", "main_dx", "op_list", "main_op", "related_ops"):
            self.notes.add(f"{name}: {quoted(text)} read as nothing (按空值读取)", self.line)
            return ""
        self._refuse_controls(name, text)
        return text

    def _refuse_invisible(self, name: str, text: str) -> None:
        if names_of(text) or (" " in text and name != "case_id"):
            self.refuse(name, text, "with an invisible character inside", "中间有不可见字符")

    def _refuse_controls(self, name: str, text: str) -> None:
        if CONTROLS.search(text):
            self.refuse(name, text, "with a control character inside", "中间有控制字符")


@lru_cache(maxsize=100_000)
def usual_spelling(code: str) -> str:
    """A code as the insurance's lists write it: capitals, but a small x for what is left open (I10.x00x002)."""
    return PLACEHOLDER.sub("x", code.upper())
