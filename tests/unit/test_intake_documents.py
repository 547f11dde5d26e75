"""4101 documents: names are found as in every other format, whatever their case, and what is not kept is said."""

import hashlib
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from settlement.contract import DeliveredFile
from settlement.contract.limits import Limits
from settlement.contract.tables import TABLES
from settlement.errors import SettlementError
from settlement.intake.formats import read
from settlement.intake.staging import StagedFile

REQUIRED = TABLES["settlement_list"].required


def document(**changes: Any) -> dict[str, Any]:
    return {
        "SETLINFO": {name.upper(): "1" for name in REQUIRED} | {"TRT_TYPE": "2.1"},
        "DiseInfo": [{"DIAG_TYPE": "1", "diag_code": "I10.x00", "diag_name": "x", "maindiag_flag": "1"}],
        "payinfo": [{"fund_pay_type": "310100"}],
    } | changes


def found(tmp_path: Path, *lines: str) -> tuple[dict[str, list[tuple[Any, ...]]], list[str]]:
    """Rows by table as (trt_type or diag_type, form_error), and all warnings."""
    content = "\n".join(lines).encode()
    path = tmp_path / "file_1"
    path.write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    file = DeliveredFile(1, "a.jsonl", TABLES["settlement_list"], "json4101", "utf-8", len(lines), digest, {})
    with duckdb.connect() as engine:
        parts = read(engine, file, StagedFile(path, digest, len(content), len(lines), True), Limits())
        shown = {"settlement_list": "trt_type", "settlement_list_diagnosis": "diag_type"}
        rows = {
            part.table.name: engine.execute(
                f"select {shown[part.table.name]}, form_error from {part.relation} order by line_no"
            ).fetchall()
            for part in parts
            if part.table.name in shown
        }
    return rows, [warning for part in parts for warning in part.warnings]


def test_names_are_found_in_any_case_also_inside_the_sections(tmp_path: Path) -> None:
    rows, warnings = found(tmp_path, json.dumps(document()))
    assert rows == {"settlement_list": [("2.1", None)], "settlement_list_diagnosis": [("1", None)]}
    assert warnings == []


def test_an_unknown_name_in_a_section_is_a_warning(tmp_path: Path) -> None:
    information = document()["SETLINFO"] | {"Remark": "x"}
    diagnoses = [{"diag_type": "1", "diag_code": "I10.x00", "diag_name": "x", "maindiag_flag": "1", "colour": 1}]
    _, warnings = found(tmp_path, json.dumps(document(SETLINFO=information, DiseInfo=diagnoses)))
    assert warnings == [
        f"a.jsonl: column {name!r} is not in the contract; ignored (契约中无此列, 已忽略)"
        for name in ("remark", "colour")
    ]


def test_a_column_that_no_document_has_is_missing(tmp_path: Path) -> None:
    information = document()["SETLINFO"]
    del information["BILL_NO"]
    with pytest.raises(SettlementError) as refusal:
        found(tmp_path, *[json.dumps(document(SETLINFO=information))] * 2)
    assert refusal.value.code == "column_missing"
    assert "bill_no" in refusal.value.message


def test_what_has_not_the_shape_of_a_document_says_why(tmp_path: Path) -> None:
    whole = json.dumps(document())
    doubled = whole.replace('"TRT_TYPE": "2.1"', '"TRT_TYPE": "2.1", "trt_type": "2.2"')
    lines = ["[1]", "{", doubled, '{"setlinfo": []}', json.dumps(document(DiseInfo={})), whole]
    rows, _ = found(tmp_path, *lines, json.dumps(document(DiseInfo=[1])))
    assert [error for _, error in rows["settlement_list"]] == [
        "no JSON object 不是 JSON 对象",
        "no JSON 不是 JSON",
        "a name is given twice in an object 对象中有重复的名称",
        "setlinfo is no object 不是对象",
        None,  # an empty section is no section
        None,
        "diseinfo is no list of objects 不是对象列表",
    ]
