"""Integer columns to the text of the contract, exactly: fen become decimal text without passing through a float."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from settlement.sample import clinical
from settlement.sample.area import INSURANCE_CODES, Area, Integers
from settlement.sample.faults import Fault
from settlement.sample.settlements import CLEARING_TYPES, MED_TYPES, MONEY, PERSON_TYPES, Columns

#: ``clr_way``: 1 fee for service; inpatients are paid by case group (4).
CLEARING_WAYS = ("1", "4")
SETTLEMENT_ID, VISIT_ID = "G", "M"


def decimal_text(values: Integers, scale: int) -> pa.Array:
    """Whole numbers of the last decimal place as text: 12345 at scale 2 is ``123.45``."""
    words = np.empty((len(values), 2), dtype=np.int64)
    words[:, 0] = values
    words[:, 1] = values >> 63
    decimals = pa.Array.from_buffers(pa.decimal128(18, scale), len(values), [None, pa.py_buffer(words)])
    return decimals.cast(pa.string())


def whole_text(values: Integers) -> pa.Array:
    """Whole numbers as text."""
    return pa.array(values).cast(pa.string())


def padded_text(values: Integers, width: int) -> pa.Array:
    """Whole numbers as text with leading zeros."""
    return pc.utf8_lpad(whole_text(values), width, "0")


def identifier(prefix: str, values: Integers) -> pa.Array:
    """The prefix followed by the number."""
    return prefixed(prefix, whole_text(values))


def prefixed(prefix: str, texts: pa.Array) -> pa.Array:
    """The prefix followed by the text."""
    return pc.binary_join_element_wise(prefix, texts, "")


def named(values: Integers, names: Sequence[str]) -> pa.Array:
    """Positions to the names they stand for."""
    return pa.DictionaryArray.from_arrays(pa.array(values.astype(np.int32)), pa.array(names)).cast(pa.string())


def date_text(days: Integers) -> pa.Array:
    """Days since 1970 as ``YYYY-MM-DD``."""
    return pa.array(days.astype(np.int32)).view(pa.date32()).cast(pa.string())


def time_text(days: Integers, seconds: Integers) -> pa.Array:
    """Days since 1970 and seconds of the day as ``YYYY-MM-DD HH:MM:SS``."""
    return pa.array(days * 86_400 + seconds).view(pa.timestamp("s")).cast(pa.string())


def settlement_id(area_code: str, numbers: Integers) -> pa.Array:
    """``setl_id`` of settlements by number."""
    return identifier(area_code + SETTLEMENT_ID, numbers)


def settlement_table(area: Area, columns: Columns, known_faults: Sequence[Fault] = ()) -> pa.Table:
    """The settlement table of the contract, every column text, faults in place."""
    refund = pa.array(columns["refund"] == 1)
    person = columns["person"]
    texts = {
        "setl_id": settlement_id(area.code, columns["number"]),
        "init_setl_id": pc.if_else(refund, settlement_id(area.code, columns["original"]), pa.scalar(None, pa.string())),
        "refd_setl_flag": whole_text(columns["refund"]),
        "mdtrt_id": identifier(area.code + VISIT_ID, columns["visit"]),
        "fixmedins_code": named(columns["institution"], [institution.code for institution in area.institutions]),
        "psn_no": prefixed(area.code, padded_text(person, 14)),
        "psn_name": identifier("测试", person),
        "certno": prefixed("TEST" + area.code, padded_text(person, 8)),
        "gend": whole_text(columns["gender"]),
        "brdy": date_text(columns["birth_day"]),
        "insutype": named(columns["insurance"], INSURANCE_CODES),
        "psn_type": named(columns["person_type"], PERSON_TYPES),
        "med_type": named(columns["med_type"], MED_TYPES),
        "clr_type": named(columns["clearing_type"], CLEARING_TYPES),
        "clr_way": named((columns["clearing_type"] == 1).astype(np.int64), CLEARING_WAYS),
        "insu_admdvs": _repeat(area.code, len(person)),
        "mdtrtarea_admvs": _repeat(area.code, len(person)),
        "setl_time": time_text(columns["business_day"], columns["second"]),
        "begndate": date_text(columns["begin_day"]),
        "enddate": date_text(columns["end_day"]),
        "dise_codg": named(columns["diagnosis"], [diagnosis.code for diagnosis in clinical.DIAGNOSES]),
        "pool_prop_selfpay": decimal_text(columns["pool_prop_selfpay"], 4),
        **{name: decimal_text(columns[name], 2) for name in MONEY},
        "invono": whole_text(columns["number"]),
    }
    for position, fault in enumerate(known_faults, start=1):
        for name, text in fault.texts.items():
            texts[name] = pc.if_else(pa.array(columns["fault"] == position), text, texts[name])
    return pa.table(texts)


def _repeat(text: str, count: int) -> pa.Array:
    return pa.repeat(pa.scalar(text), count)
