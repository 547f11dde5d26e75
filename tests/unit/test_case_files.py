"""Reading files of cases as hospitals send them: each value as it was meant, or refused with line, column and value."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from settlement.errors import SettlementError
from settlement.grouper.case_files import Case, CaseFile, usual_spelling

HEADER = "case_id,gender,age,age_days,weight_g,los,discharge_way,dx_list,op_list"
SEED = 20261129

Read = Callable[..., tuple[list[Case], str]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Read a file of these bytes or lines; gives the cases and the notes."""

    def reading(content: bytes | str, **spellings: str) -> tuple[list[Case], str]:
        path = tmp_path / "cases.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        file = CaseFile(path, spellings)
        return list(file.cases()), "\n".join(file.notes.told())

    return reading


def row(**values: str) -> str:
    """A file of one case, with these values."""
    given = {
        "case_id": "1",
        "gender": "1",
        "age": "60",
        "los": "5",
        "discharge_way": "1",
        "dx_list": "J18.900",
    } | values
    return f"{HEADER}\n{','.join(given.get(name, '') for name in HEADER.split(','))}\n"


TWO_LINES = f"{HEADER}\n甲1,男,60,,,5,1,J18.900|A41.900,51.2300\n"


@pytest.mark.parametrize(
    ("content", "note"),
    [
        (TWO_LINES.encode("utf-8"), ""),
        (TWO_LINES.encode("utf-8-sig"), ""),
        (TWO_LINES.replace("\n", "\r\n").encode("utf-8-sig"), ""),
        (TWO_LINES.replace("\n", "\r").encode(), ""),
        (TWO_LINES.encode("gb18030"), "GB18030"),
        (TWO_LINES.encode("gbk"), "GB18030"),
        (TWO_LINES.encode("utf-16"), "UTF-16"),
        (TWO_LINES.encode("utf-16-le"), "UTF-16-LE"),
        (TWO_LINES.encode("utf-16-be"), "UTF-16-BE"),
        (TWO_LINES.replace(",", ";").encode(), "divided by ';'"),
        (TWO_LINES.replace(",", "\t").encode(), "divided by"),
        (TWO_LINES.replace(HEADER, HEADER.upper()).encode(), "names of columns"),
        (TWO_LINES.replace(HEADER, HEADER.replace(",", " , ")).encode(), "names of columns"),
        (TWO_LINES.replace(HEADER, '"' + HEADER.replace(",", '","') + '"').encode(), ""),
    ],
)
def test_a_file_is_read_in_whatever_encoding_and_with_whatever_delimiter_it_comes(read, content, note):
    cases, notes = read(content)
    assert cases == [Case(2, "甲1", "1", 60, None, None, 5, "1", ["J18.900", "A41.900"], ["51.2300"])]
    assert note in notes


@pytest.mark.parametrize(
    ("values", "name", "expected"),
    [
        ({"gender": "女"}, "gender", "2"),
        ({"gender": "F"}, "gender", "2"),
        ({"gender": "1.0"}, "gender", "1"),
        ({"gender": "９"}, "gender", "9"),
        ({"age": "45.0"}, "age", 45),
        ({"age": "45岁"}, "age", 45),
        ({"age": "45周岁"}, "age", 45),
        ({"age": "0.75"}, "age", 0),
        ({"age": "６０"}, "age", 60),
        ({"age": "\u00a060\ufeff"}, "age", 60),
        ({"age": "NULL"}, "age", None),
        ({"age_days": "12天"}, "age_days", 12),
        ({"weight_g": "1480.5"}, "weight_g", 1480),
        ({"weight_g": "1499.99"}, "weight_g", 1499),
        ({"los": "5.00"}, "los", 5),
        ({"discharge_way": "5.0"}, "discharge_way", "5"),
        ({"dx_list": " J18.900 | A41.900 "}, "dx_codes", ["J18.900", "A41.900"]),
        ({"dx_list": "J18.900｜A41.900"}, "dx_codes", ["J18.900", "A41.900"]),
        ({"dx_list": '"J18.900,A41.900"'}, "dx_codes", ["J18.900", "A41.900"]),
        ({"dx_list": "J18.900;A41.900"}, "dx_codes", ["J18.900", "A41.900"]),
        ({"dx_list": "j18.900|i10.X00X002"}, "dx_codes", ["J18.900", "I10.x00x002"]),
        ({"dx_list": "Ｊ18.900"}, "dx_codes", ["J18.900"]),
        ({"dx_list": "'J18.900"}, "dx_codes", ["J18.900"]),
        ({"dx_list": "J18.900\x00"}, "dx_codes", ["J18.900"]),
        ({"dx_list": "b22.001+f02.4*"}, "dx_codes", ["B22.001+F02.4*"]),
        ({"op_list": "-"}, "op_codes", []),
        ({"op_list": "40.3X01||51.2300|"}, "op_codes", ["40.3x01", "51.2300"]),
    ],
)
def test_a_value_is_read_as_it_was_meant_and_with_a_note(read, values, name, expected):
    ((case,), notes) = read(row(**values))
    assert getattr(case, name) == expected
    assert "line 2" in notes or values == {"dx_list": " J18.900 | A41.900 "}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (row(dx_list="|A41.900"), ["", "A41.900"]),
        (row(dx_list="-|A41.900"), ["", "A41.900"]),
        (row(dx_list="\u3000|A41.900"), ["", "A41.900"]),
        (row(dx_list="||"), []),
        ("case_id,main_dx,dx_list\n1,J18.900,A41.900\n", ["J18.900", "A41.900"]),
        ("case_id,dx_list,main_dx\n1,A41.900|J18.900,J18.900\n", ["J18.900", "A41.900"]),
        ("case_id,dx_list,main_dx\n1,J18.900|A41.900,J18.900\n", ["J18.900", "A41.900"]),
        ("case_id,main_dx,dx_list\n1,,A41.900\n", ["", "A41.900"]),
        ("case_id,main_dx\n1,J18.900\n", ["J18.900"]),
    ],
)
def test_no_other_diagnosis_ever_takes_the_place_of_the_main_one(read, content, expected):
    ((case,), _) = read(content)
    assert case.dx_codes == expected


def test_the_main_operation_comes_before_its_related_ones(read):
    ((case,), _) = read("case_id,main_dx,main_op,related_ops\n1,I21.000,36.0700,00.2400x001+88.5700\n")
    assert case.op_codes == ["36.0700", "00.2400x001", "88.5700"]
    ((case,), _) = read("case_id,main_dx,main_op,related_ops\n1,I21.000,,88.5700\n")
    assert case.op_codes == ["", "88.5700"]


def test_a_code_that_the_scheme_spells_in_capitals_keeps_that_spelling(read):
    ((case,), notes) = read(row(op_list="92.2400x006|92.2400X006|92.2500"), **{"92.2400x006": "92.2400X006"})
    assert case.op_codes == ["92.2400X006", "92.2400X006", "92.2500"]
    assert "usual spelling" in notes
    assert usual_spelling("x09.X00") == "X09.x00"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("dx_list\nJ18.900\n", "has no column case_id"),
        ("case_id,age\n1,60\n", "has no column dx_list"),
        ("case_id,dx_list,dx_list\n1,J18.900,A41.900\n", "'dx_list' stands twice"),
        ("case_id,weight,weight_g,dx_list\n1,2,3,J18.900\n", "'weight_g' stands twice"),
        (f"{HEADER}\n1,1,60,,,5,1\n", "line 2: has 7 values for 9 columns"),
        (f"{HEADER}\n1,1,60,,,5,1,J18.900,,extra\n", "line 2: has 10 values for 9 columns, the last is 'extra'"),
        (row(case_id=""), "line 2: case_id is '', empty"),
        (row(case_id="a\tb"), "line 2: case_id is 'a⟨TAB⟩b', with an invisible character"),
        (row(age="99999999999"), "line 2: age is '99999999999', not a whole number of years from 0 to 999"),
        (row(age="9" * 5000), "not a whole number of years"),
        (row(age="-1"), "age is '-1'"),
        (row(age="forty"), "age is 'forty'"),
        (row(age="1e1"), "age is '1e1'"),
        (row(los="5.5"), "los is '5.5', not a whole number of days"),
        (row(los="5岁"), "los is '5岁'"),
        (row(weight_g="inf"), "weight_g is 'inf'"),
        (row(dx_list="J18\u200b.900"), "dx_list is 'J18⟨U+200B⟩.900', with an invisible character inside"),
        (row(dx_list="J18.900 A41.900"), "dx_list is 'J18.900 A41.900', with an invisible character inside"),
        (row(dx_list="J18\x00.900"), "dx_list is 'J18⟨NUL⟩.900'"),
        ("case_id,main_dx,dx_list\n1,J18.900|A41.900,\n", "main_dx is 'J18.900|A41.900', more than one code"),
        (f'{HEADER}\n1,1,60,,,5,1,"J18.900,\n2,1,60,,,5,1,J18.900,\n', "line 2: cannot be read as CSV"),
        (f"{HEADER}\n1,1,60,,,5,1,J18.900,{'9' * 200_000}\n", "line 2: cannot be read as CSV"),
        ("case_id,dx_list\n" + "9" * 1_200_000, "line 2: cannot be read as CSV: longer than"),
        (b"PK\x03\x04 anything", "a spreadsheet or zip archive"),
        (b"\x1f\x8b anything", "gzip"),
        (b"case_id,dx_list\n1,\xff\xff\xff\n", "line 2: is not in UTF-8, GB18030 or UTF-16"),
        ("case_id,dx_list\n1,J18.900".encode("utf-16") + b"\x00", "is not in utf-16"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place_in_two_languages(read, content, message):
    with pytest.raises(SettlementError) as refused:
        read(content)
    assert refused.value.code == "cases_unreadable"
    assert message in refused.value.message
    assert any("\u4e00" <= character <= "\u9fff" for character in refused.value.message)


PIECES = (
    *(",", ";", "\t", "|", "\n", "\r", "\r\n", '"', "'", '="', "\x00", "\x1a", "\ufeff", "\u3000", "\u200b", "-", "+"),
    *(
        "１２",
        "男",
        "岁",
        "NULL",
        "nan",
        "1e9",
        "9" * 30,
        "J18.900",
        "A41.900|",
        "case_id",
        "dx_list",
        "main_dx",
        "é",
        "𠮷",
    ),
)


def test_whatever_a_file_holds_it_is_read_or_refused(tmp_path):
    draw = random.Random(SEED)
    whole = TWO_LINES + "2,2,0,5,1480.5,3,5,P07.000|J96.000,\n3,F,45岁,,,,,J18.900,40.3X01\n"
    read, codes = 0, set()
    for _ in range(1500):
        text = whole
        for _ in range(draw.randint(1, 6)):
            place = draw.randrange(len(text) + 1)
            text = text[:place] + draw.choice(PIECES) + text[place + draw.choice((0, 0, 1, 3)) :]
        content = text.encode(draw.choice(("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-le", "utf-16-be")))
        for _ in range(draw.choice((0, 0, 0, 1, 4))):
            place = draw.randrange(len(content) + 1)
            content = content[:place] + bytes([draw.randrange(256)]) + content[place + draw.choice((0, 1)) :]
        path = tmp_path / "cases.csv"
        path.write_bytes(content)
        try:
            cases = list(CaseFile(path).cases())
        except SettlementError as error:
            codes.add(error.code)
            continue
        read += 1
        for case in cases:
            texts = (case.case_id, case.gender or "", *case.dx_codes, *case.op_codes)
            assert case.case_id
            assert "\x00" not in "".join(texts)
            assert all(code == code.strip() for code in (*case.dx_codes, *case.op_codes))
            numbers = (case.age, case.age_days, case.weight_g, case.los)
            assert all(number is None or 0 <= number <= 500_000 for number in numbers)
    assert codes == {"cases_unreadable"}
    assert 100 < read < 1400
