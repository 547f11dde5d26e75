"""Inpatient settlement lists (医疗保障基金结算清单) with diagnoses, operations, charge items and intensive care.

The children belong together: the declared counts, the stay, the charge items and the personal part all agree with the
settlement the list is of. Rows are made one by one, as documents of transaction 4101, and flattened for CSV.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from settlement.sample.area import INSURANCE_CODES, Area
from settlement.sample.clinical import (
    DELIVERY_DIAGNOSIS,
    DIAGNOSES,
    LIVE_BIRTH,
    SECONDARY_DIAGNOSES,
    UNSPECIFIED,
    Diagnosis,
)
from settlement.sample.faults import Fault
from settlement.sample.fees import visits_of_their_own
from settlement.sample.files import DataFile, fen_text
from settlement.sample.list_faults import Document, break_list
from settlement.sample.reference import doctor_code
from settlement.sample.render import SETTLEMENT_ID, VISIT_ID
from settlement.sample.settlements import EPOCH, Columns, in_bed, take
from settlement.sample.summary import FileCount, SampleRequest

#: The sections of a 4101 document and the tables they are.
TABLES = {
    "setlinfo": "settlement_list",
    "diseinfo": "settlement_list_diagnosis",
    "oprninfo": "settlement_list_operation",
    "iteminfo": "settlement_list_item",
    "icuinfo": "settlement_list_icu",
}
HEADERS = {
    "setlinfo": (
        "setl_id", "mdtrt_id", "fixmedins_code", "psn_no", "medcasno", "gend", "brdy", "age", "nwb_age", "nwb_bir_wt",
        "nwb_adm_wt", "nwb_adm_type", "hi_type", "insuplc", "sp_psn_type", "ipt_med_type", "adm_way", "trt_type",
        "adm_time", "dscg_time", "adm_caty", "dscg_caty", "act_ipt_days", "diag_code_cnt", "oprn_oprt_code_cnt",
        "vent_used_dura", "dscg_way", "days_rinp_flag_31", "bill_code", "bill_no", "biz_sn", "setl_begn_date",
        "setl_end_date", "hi_paymtd", "hsorg", "psn_selfpay", "psn_ownpay", "acct_pay", "psn_cashpay", "chfpdr_code",
        "resp_nurs_code",
    ),
    "diseinfo": ("setl_id", "seq", "diag_type", "diag_code", "diag_name", "adm_cond_type", "maindiag_flag"),
    "oprninfo": (
        "setl_id", "seq", "oprn_oprt_type", "oprn_oprt_code", "oprn_oprt_name", "oprn_oprt_date", "anst_way",
        "oper_dr_code", "anst_dr_code",
    ),
    "iteminfo": ("setl_id", "med_chrgitm", "amt", "claa_sumfee", "clab_amt", "fulamt_ownpay_amt", "oth_amt"),
    "icuinfo": ("setl_id", "scs_cutd_ward_type", "scs_cutd_inpool_time", "scs_cutd_exit_time"),
}  # fmt: skip
#: How the fee is spread over charge items (收费类别), in hundredths.
CHARGE_SHARES = (("01", 10), ("03", 20), ("04", 15), ("05", 15), ("08", 10), ("09", 30))
#: Stays of at least so many days include two in intensive care, for every tenth settlement.
INTENSIVE_CARE_STAY = 8
#: One list in so many is coded so that it leads into no group.
UNGROUPED_EVERY = 30


class SettlementLists:
    """The list files of a settlement batch: five CSV files, or one of 4101 documents."""

    def __init__(self, area: Area, request: SampleRequest, folder: Path, opened: ExitStack) -> None:
        self._area = area
        self._is_csv = request.lists == "csv"
        self._every_bad = round(1 / request.bad_share) if request.bad_share else 0
        self._good = self._broken = 0
        tables = TABLES if self._is_csv else {"setlinfo": TABLES["setlinfo"]}
        ending, list_format = ("csv", "csv") if self._is_csv else ("jsonl", "json4101")
        self._sections = {
            section: opened.enter_context(DataFile(folder / f"{table}.{ending}{request.suffix}", table, list_format))
            for section, table in tables.items()
        }
        self.files = list(self._sections.values())
        self._counts = {section: FileCount(file.table) for section, file in self._sections.items()}
        self.counts = list(self._counts.values())

    def write(self, columns: Columns, known: Sequence[Fault]) -> None:
        """Write the lists of a chunk's inpatients; those of a settlement with a fault are orphans."""
        visits = take(columns, visits_of_their_own(columns, known))
        stays = take(visits, in_bed(visits).nonzero()[0])
        names = list(stays)
        documents = []
        for values in zip(*(stays[name].tolist() for name in names), strict=True):
            stay = dict(zip(names, values, strict=True))
            document = list_document(self._area, stay)
            documents.append(document)
            self._count(document, "R_ORPHAN" if stay["fault"] > 0 else self._break_some(document, stay))
        if not self._is_csv:
            lines = (json.dumps(document, ensure_ascii=False, separators=(",", ":")) for document in documents)
            self._sections["setlinfo"].write_lines(lines)
            return
        for section, file in self._sections.items():
            file.write_rows(HEADERS[section], _rows(section, documents))

    def _break_some(self, document: Document, stay: Mapping[str, int]) -> str | None:
        """Break every n-th list; give the reason."""
        self._good += 1
        if not self._every_bad or self._good % self._every_bad:
            return None
        self._broken += 1
        return break_list(document, stay, self._broken - 1)

    def _count(self, document: Document, reason: str | None) -> None:
        """Count a document's rows; when the list is refused for a reason, what belongs to it is an orphan."""
        for section, count in self._counts.items():
            rows = 1 if section == "setlinfo" else len(document[section])
            count.read += rows
            if reason and rows:
                count.quarantined += rows
                count.reasons[reason if section == "setlinfo" else "R_ORPHAN"] += rows


def _rows(section: str, documents: list[Document]) -> Iterator[list[object]]:
    for document in documents:
        parts = [document["setlinfo"]] if section == "setlinfo" else document[section]
        for part in parts:
            part = {"setl_id": document["setlinfo"]["setl_id"], **part}
            yield [part.get(name, "") for name in HEADERS[section]]


def list_document(area: Area, stay: Mapping[str, int]) -> Document:
    """The 4101 document of one stay (a row of ``Columns`` as a mapping)."""
    number = stay["number"]
    admitted = EPOCH + timedelta(days=stay["begin_day"])
    discharged = EPOCH + timedelta(days=stay["end_day"])
    gives_birth = stay["diagnosis"] == DELIVERY_DIAGNOSIS
    is_unspecified = number % UNGROUPED_EVERY == 0 and not gives_birth
    main = UNSPECIFIED if is_unspecified else DIAGNOSES[stay["diagnosis"]]
    diagnoses = [main, *([LIVE_BIRTH] if gives_birth else []), *SECONDARY_DIAGNOSES[: number % 4]]
    operations = [main.operation] if main.operation else []
    doctor = doctor_code(area.code, stay["institution"], number % 7)
    own_pay = stay["fulamt_ownpay_amt"] + stay["overlmt_selfpay"]
    own_pay = min(own_pay, stay["psn_part_amt"])
    info = {
        "setl_id": f"{area.code}{SETTLEMENT_ID}{number}",
        "mdtrt_id": f"{area.code}{VISIT_ID}{stay['visit']}",
        "fixmedins_code": area.institutions[stay["institution"]].code,
        "psn_no": f"{area.code}{stay['person']:014d}",
        "medcasno": f"BA{number}",
        "gend": str(stay["gender"]),
        "brdy": str(EPOCH + timedelta(days=stay["birth_day"])),
        "age": f"{max(1, (stay['begin_day'] - stay['birth_day']) * 4 // 1461)}.0",
        "nwb_bir_wt": "3250.00" if gives_birth else "",
        "hi_type": "2" if INSURANCE_CODES[stay["insurance"]] == "390" else "1",
        "insuplc": area.code,
        "ipt_med_type": "1",
        "adm_way": str(1 + number % 2),
        "trt_type": "1",
        "adm_time": f"{admitted} 09:00:00",
        "dscg_time": f"{discharged} 10:30:00",
        "adm_caty": "A03",
        "dscg_caty": "A03",
        "act_ipt_days": str(max(1, (discharged - admitted).days)),
        "diag_code_cnt": str(len(diagnoses)),
        "oprn_oprt_code_cnt": str(len(operations)),
        "dscg_way": "1",
        "days_rinp_flag_31": "1",
        "bill_code": f"{area.code}0125",
        "bill_no": f"{number % 10**10:010d}",
        "biz_sn": f"SN{number}",
        "setl_begn_date": str(admitted),
        "setl_end_date": str(discharged),
        "hi_paymtd": "4",
        "hsorg": area.code,
        "psn_selfpay": fen_text(stay["psn_part_amt"] - own_pay),
        "psn_ownpay": fen_text(own_pay),
        "acct_pay": fen_text(stay["acct_pay"]),
        "psn_cashpay": fen_text(stay["psn_cash_pay"]),
        "chfpdr_code": doctor,
        "resp_nurs_code": f"N{doctor[1:]}",
    }
    return {
        "setlinfo": info,
        "diseinfo": [_diagnosis(seq, diagnosis) for seq, diagnosis in enumerate(diagnoses, start=1)],
        "oprninfo": [
            {
                "seq": str(seq),
                "oprn_oprt_type": "1" if seq == 1 else "2",
                "oprn_oprt_code": code,
                "oprn_oprt_name": name,
                "oprn_oprt_date": str(admitted + timedelta(days=1)),
                "anst_way": "01",
                "oper_dr_code": doctor,
                "anst_dr_code": doctor_code(area.code, stay["institution"], 8 + number % 7),
            }
            for seq, (code, name) in enumerate(operations, start=1)
        ],
        "iteminfo": _items(stay),
        "payinfo": [],
        "icuinfo": _intensive_care(stay, admitted + timedelta(days=2), admitted + timedelta(days=4)),
        "opspdiseinfo": [],
    }


def _diagnosis(seq: int, diagnosis: Diagnosis) -> dict[str, str]:
    return {
        "seq": str(seq),
        "diag_type": "1",
        "diag_code": diagnosis.code,
        "diag_name": diagnosis.name,
        "adm_cond_type": "1",
        "maindiag_flag": "1" if seq == 1 else "0",
    }


def _items(stay: Mapping[str, int]) -> list[dict[str, str]]:
    """Split the fee over charge items, and each item into own pay and class A, so that both ways add up."""
    items = []
    done = fee_so_far = own_so_far = 0
    for charge, share in CHARGE_SHARES:
        done += share
        amount = stay["medfee_sumamt"] * done // 100 - fee_so_far
        own = stay["fulamt_ownpay_amt"] * done // 100 - own_so_far
        fee_so_far += amount
        own_so_far += own
        items.append(
            {
                "med_chrgitm": charge,
                "amt": fen_text(amount),
                "claa_sumfee": fen_text(amount - own),
                "clab_amt": "0.00",
                "fulamt_ownpay_amt": fen_text(own),
                "oth_amt": "0.00",
            }
        )
    return items


def _intensive_care(stay: Mapping[str, int], entered: object, left: object) -> list[dict[str, str]]:
    if stay["end_day"] - stay["begin_day"] < INTENSIVE_CARE_STAY or stay["number"] % 10:
        return []
    return [
        {
            "scs_cutd_ward_type": "1",
            "scs_cutd_inpool_time": f"{entered} 08:00:00",
            "scs_cutd_exit_time": f"{left} 08:00:00",
        }
    ]
