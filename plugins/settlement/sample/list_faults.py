"""Inpatient lists that break one rule each; their diagnoses, operations, items and wards are then orphans."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from settlement.sample.area import FEMALE
from settlement.sample.clinical import DELIVERY_DIAGNOSIS, LIVE_BIRTH

Document = dict[str, Any]
Stay = Mapping[str, int]

YEAR = 365
ONLY_MEN, ONLY_WOMEN = ("N40.x00", "前列腺增生"), ("N83.200", "卵巢囊肿")
EXTERNAL_CAUSE, NEWBORN_CONDITION = ("W19.x00", "跌倒"), ("P22.900", "新生儿呼吸窘迫")
APPENDECTOMY = ("47.0100", "腹腔镜下阑尾切除术")


def _no_main_diagnosis(document: Document, stay: Stay) -> None:
    del document["diseinfo"][0]
    document["setlinfo"]["diag_code_cnt"] = str(len(document["diseinfo"]))


def _external_cause(document: Document, stay: Stay) -> None:
    document["diseinfo"][0]["diag_code"], document["diseinfo"][0]["diag_name"] = EXTERNAL_CAUSE


def _newborn_condition(document: Document, stay: Stay) -> None:
    document["diseinfo"][0]["diag_code"], document["diseinfo"][0]["diag_name"] = NEWBORN_CONDITION


def _other_sex(document: Document, stay: Stay) -> None:
    _add_diagnosis(document, *(ONLY_MEN if stay["gender"] == FEMALE else ONLY_WOMEN))


def _birth_without_weight(document: Document, stay: Stay) -> None:
    _add_diagnosis(document, LIVE_BIRTH.code, LIVE_BIRTH.name)


def _add_diagnosis(document: Document, code: str, name: str) -> None:
    diagnoses = document["diseinfo"]
    last = {**diagnoses[-1], "seq": str(len(diagnoses) + 1), "maindiag_flag": "0"}
    diagnoses.append({**last, "diag_code": code, "diag_name": name})
    document["setlinfo"]["diag_code_cnt"] = str(len(diagnoses))


def _newborn_without_weight(document: Document, stay: Stay) -> None:
    document["setlinfo"]["nwb_age"] = "10"


def _one_day_more(document: Document, stay: Stay) -> None:
    info = document["setlinfo"]
    info["act_ipt_days"] = str(int(info["act_ipt_days"]) + 1)


def _one_diagnosis_more(document: Document, stay: Stay) -> None:
    info = document["setlinfo"]
    info["diag_code_cnt"] = str(int(info["diag_code_cnt"]) + 1)


def _one_fen_more(document: Document, stay: Stay) -> None:
    item = document["iteminfo"][0]
    for name in ("amt", "claa_sumfee"):
        item[name] = str(Decimal(item[name]) + Decimal("0.01"))


def _operated_after_discharge(document: Document, stay: Stay) -> None:
    info = document["setlinfo"]
    code, name = APPENDECTOMY
    operation = {"seq": "1", "oprn_oprt_type": "1", "oprn_oprt_code": code, "oprn_oprt_name": name, "anst_way": "01"}
    operation |= {"oper_dr_code": info["chfpdr_code"], "anst_dr_code": info["chfpdr_code"]}
    operation["oprn_oprt_date"] = str(date.fromisoformat(info["setl_end_date"]) + timedelta(days=1))
    document["oprninfo"] = [operation]
    info["oprn_oprt_code_cnt"] = "1"


def _anybody(stay: Stay) -> bool:
    return True


def _woman_without_child(stay: Stay) -> bool:
    return stay["gender"] == FEMALE and stay["diagnosis"] != DELIVERY_DIAGNOSIS


def _over_three(stay: Stay) -> bool:
    return stay["begin_day"] - stay["birth_day"] > 3 * YEAR and stay["diagnosis"] != DELIVERY_DIAGNOSIS


#: (reason, of whom a list can be broken so, how)
FAULTS: tuple[tuple[str, Callable[[Stay], bool], Callable[[Document, Stay], None]], ...] = (
    ("L_MAIN_DX", _anybody, _no_main_diagnosis),
    ("L_DX_EXTERNAL", _over_three, _external_cause),
    ("L_DX_SEX", _anybody, _other_sex),
    ("L_DX_AGE", _over_three, _newborn_condition),
    ("L_NEWBORN", _anybody, _newborn_without_weight),
    ("L_BIRTH_WEIGHT", _woman_without_child, _birth_without_weight),
    ("L_STAY", _anybody, _one_day_more),
    ("L_OPERATION_DATE", _anybody, _operated_after_discharge),
    ("L_ITEM_SUM", _anybody, _one_fen_more),
    ("L_COUNT", _anybody, _one_diagnosis_more),
)


def break_list(document: Document, stay: Stay, turn: int) -> str:
    """Break the list in the way whose turn it is, or the next one that fits the patient; give the reason code."""
    for offset in range(len(FAULTS)):
        reason, fits, change = FAULTS[(turn + offset) % len(FAULTS)]
        if fits(stay):
            change(document, stay)
            return reason
    raise AssertionError("every list can be broken by a wrong count")
