"""A diagnosis is western by the form of its code, whichever dictionary its type is of; ages follow the birth."""

from typing import Any

import duckdb
import pytest
from tests.conftest import Warehouse
from tests.fixtures.batches import Row, area, institution, settlement, write_batch

from settlement.gate import expectations
from settlement.gate.diagnoses import is_western
from settlement.intake import Receipt, receive

HOSPITAL, DAY = "H33010600123", "2026-03-02"
FORMS = {
    **dict.fromkeys(("I10.x00", "E11.900", "A41.900", "B18.106", "J18.900x001", "K74.617+I98.3*", "Z37.200"), True),
    **dict.fromkeys(("BNX010", "ZZ0001", "ABC01", "A07.06.18", "B04.02.01.03.03.01", "A01.03.26.01."), False),
}
"""By code: whether it is western, whatever the type says."""
EITHER = ("A07", "B04.02", "A07.06.")


@pytest.fixture
def city(warehouse: Warehouse) -> Warehouse:
    tables = {"area": [area(reject_limit="1.0")], "institution": [institution(HOSPITAL, area_code="330100")]}
    write_batch(warehouse.inbox, "reference-1", "reference", tables)
    assert receive("reference-1").status == "accepted"
    return warehouse


def inpatient_list(**changes: Any) -> Row:
    return {
        **dict(setl_id="S1", mdtrt_id="MS1", fixmedins_code=HOSPITAL, psn_no="33000000000000000001"),
        **dict(medcasno="C1", gend="1", brdy="1980-01-01", ipt_med_type="1", act_ipt_days=3, dscg_way="1"),
        **dict(adm_time="2026-02-27 08:00:00", dscg_time="2026-03-02 09:00:00", bill_code="1", bill_no="1", biz_sn="1"),
        **dict(setl_begn_date="2026-02-27", setl_end_date="2026-03-02", hi_paymtd="3"),
        **changes,
    }


def diagnosis(seq: int, code: str, type_: str | None, flag: str | None = None) -> Row:
    return {"setl_id": "S1", "seq": seq, "diag_type": type_, "diag_code": code, "maindiag_flag": flag}


def deliver(city: Warehouse, *diagnoses: Row, **changes: Any) -> Receipt:
    tables = {
        "settlement": [settlement("S1", HOSPITAL, DAY, "100.00")],
        "settlement_list": [inpatient_list(diag_code_cnt=len(diagnoses), **changes)],
        "settlement_list_diagnosis": list(diagnoses),
    }
    write_batch(city.inbox, "b1", "settlement", tables, day=DAY)
    return receive("b1")


def warned(receipt: Receipt, code: str) -> bool:
    return any(warning.startswith(code) for warning in receipt.warnings)


def test_both_engines_tell_western_codes_from_chinese_ones_by_their_form(warehouse: Warehouse) -> None:
    cases = [(code, type_) for code in (*FORMS, *EITHER) for type_ in (None, "1", "2", "3", "4")]
    with duckdb.connect() as engine:
        query = f"select {is_western('diag_type', 'diag_code')} from (select $1 as diag_type, $2 as diag_code)"
        arrived = [engine.execute(query, [type_, code]).fetchone() for code, type_ in cases]
    with warehouse.admin() as connection:
        connection.execute("select raw.ensure_partitions('2026-03-01', '2026-03-01')")
        for number, (code, type_) in enumerate(cases):
            connection.execute(
                "insert into raw.settlement_list_diagnosis (fixmedins_code, setl_id, seq, diag_type, diag_code,"
                " area_code, business_date, batch_id, accepted_batch_id, file_no, line_no, row_hash)"
                " values ('H', 'S', %s, %s, %s, '330100', '2026-03-02', 'b', 'b', 1, 1, gen_random_uuid())",
                [number, type_, code],
            )
        kept = connection.execute("select is_western from raw.settlement_list_diagnosis order by seq").fetchall()
    assert arrived == kept
    for (code, type_), (found,) in zip(cases, kept, strict=True):
        assert found == FORMS.get(code, type_ in (None, "1")), (code, type_)


@pytest.mark.parametrize("types", [("1", "1"), ("1", "2"), ("1", "3"), ("2", "4"), (None, None)])
def test_an_icd_code_counts_whatever_its_type(city: Warehouse, types: tuple[str, str]) -> None:
    receipt = deliver(city, diagnosis(1, "J18.900", types[0], "1"), diagnosis(2, "A41.900", types[1], "0"))
    assert receipt.reasons == {}
    assert warned(receipt, "L_DX_TYPE") == (types[1] in ("2", "3", "4"))
    assert city.rows("select diag_code, is_western from raw.settlement_list_diagnosis order by seq") == [
        ("J18.900", True),
        ("A41.900", True),
    ]
    assert expectations.validate_accepted(started_by="test").summary.count("stopped") == 0


def test_chinese_codes_of_six_levels_are_valid_and_never_the_main_diagnosis(city: Warehouse) -> None:
    receipt = deliver(
        city,
        diagnosis(1, "A07.06.18", "2", "1"),
        diagnosis(2, "B04.02.01.03.03.01", "3", "0"),
        diagnosis(3, "I10.x00", "1", "1"),
        diagnosis(4, "E11.900", "2", "0"),
        diagnosis(5, "BNX010", "3", "0"),
        diagnosis(6, "ZZ0001", "4", "0"),
    )
    assert receipt.reasons == {}
    assert city.rows("select seq from raw.settlement_list_diagnosis where is_western order by seq") == [(3,), (4,)]


def test_a_chinese_code_called_western_is_no_main_diagnosis_and_is_said(city: Warehouse) -> None:
    receipt = deliver(city, diagnosis(1, "BNX010", "1", "1"), diagnosis(2, "I10.x00", "1", "1"))
    assert receipt.reasons == {}
    assert warned(receipt, "L_DX_TYPE")


def test_an_area_may_name_its_dictionary(city: Warehouse) -> None:
    named = area(reject_limit="1.0", diag_type_dictionary="western_2", valid_from="2026-03-01")
    ended = area(reject_limit="1.0", valid_to="2026-02-28")
    write_batch(city.inbox, "reference-2", "reference", {"area": [ended, named]})
    assert receive("reference-2").reasons == {}
    receipt = deliver(city, diagnosis(1, "J18.900", "1", "1"), diagnosis(2, "A41.900", "2", "0"))
    assert not warned(receipt, "L_DX_TYPE")
    wrong = area(reject_limit="1.0", diag_type_dictionary="western_3", valid_from="2027-03-01")
    write_batch(city.inbox, "reference-3", "reference", {"area": [wrong]})
    assert receive("reference-3").reasons == {"R_DICT": 1}


@pytest.mark.parametrize(
    "zeros",
    [{"nwb_age": "0", "nwb_bir_wt": "0", "nwb_adm_wt": "0"}, {"nwb_age": "0"}, {"age": "0", "nwb_bir_wt": "0.00"}],
)
def test_zeros_in_empty_number_fields_make_no_newborn(city: Warehouse, zeros: dict[str, str]) -> None:
    assert deliver(city, diagnosis(1, "I10.x00", "1", "1"), **zeros).reasons == {}


def test_a_newborn_is_one_by_birth_and_admission_whatever_the_list_says(city: Warehouse) -> None:
    receipt = deliver(city, diagnosis(1, "P07.100", "1", "1"), brdy="2026-01-30", nwb_age="100", age="0")
    assert receipt.reasons == {"L_NEWBORN": 1, "R_ORPHAN": 1}


def test_the_29th_day_is_no_newborn(city: Warehouse) -> None:
    assert deliver(city, diagnosis(1, "P07.100", "1", "1"), brdy="2026-01-29", nwb_age="1").reasons == {}


def test_a_weight_of_zero_on_a_mothers_list_is_none(city: Warehouse) -> None:
    born = {"gend": "2", "brdy": "1996-01-01", "nwb_bir_wt": "0"}
    assert deliver(city, diagnosis(1, "O80.000", "1", "1"), **born).reasons == {"L_BIRTH_WEIGHT": 1, "R_ORPHAN": 1}
