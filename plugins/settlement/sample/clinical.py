"""Diagnoses, operations and chargeable items that a sample draws from.

Codes have the national form (医保版 ICD-10, ICD-9-CM-3, item codes of the national catalogue); item names are invented.
"""

from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Diagnosis:
    """A diagnosis, with the operation (code, name) that goes with it if there is one."""

    code: str
    name: str
    operation: tuple[str, str] | None = None


DIAGNOSES = (
    Diagnosis("J06.900", "急性上呼吸道感染"),
    Diagnosis("K29.700", "胃炎"),
    Diagnosis("M54.500", "腰痛"),
    Diagnosis("L30.900", "皮炎"),
    Diagnosis("R51.x00", "头痛"),
    Diagnosis("I10.x00", "特发性高血压"),
    Diagnosis("E11.900", "2型糖尿病"),
    Diagnosis("I25.100", "动脉硬化性心脏病"),
    Diagnosis("J18.900", "肺炎"),
    Diagnosis("I63.900", "脑梗死"),
    Diagnosis("J44.100", "慢性阻塞性肺病伴有急性加重"),
    Diagnosis("K80.200", "胆囊结石", operation=("51.2300", "腹腔镜下胆囊切除术")),
    Diagnosis("K35.800", "急性阑尾炎", operation=("47.0100", "腹腔镜下阑尾切除术")),
    Diagnosis("H25.900", "老年性白内障", operation=("13.4100", "白内障超声乳化抽吸术")),
    Diagnosis("Z34.900", "正常妊娠监督"),
    Diagnosis("O82.900", "经剖宫产术分娩", operation=("74.1x00", "子宫下段剖宫产术")),
)
OUTPATIENT_DIAGNOSES = range(0, 6)
CHRONIC_DIAGNOSES = range(5, 8)
INPATIENT_DIAGNOSES = range(8, 14)
PREGNANCY_DIAGNOSIS = 14
DELIVERY_DIAGNOSIS = 15

#: Other diagnoses of an inpatient list; they are free of sex and age.
SECONDARY_DIAGNOSES = (
    Diagnosis("I10.x00", "特发性高血压"),
    Diagnosis("E11.900", "2型糖尿病"),
    Diagnosis("E78.500", "高脂血症"),
    Diagnosis("D64.900", "贫血"),
)
LIVE_BIRTH = Diagnosis("Z37.000", "单一活产")
#: No scheme has a group for it.
UNSPECIFIED = Diagnosis("R69.x00", "原因不知和原因未特指的疾病")


@dataclass(frozen=True)
class Catalogue:
    """Chargeable items by rising price ceiling, drugs and services apart.

    ``ceilings`` are fen a unit; ``charge_types`` (收费类别) and ``levels`` (甲乙丙) are the national codes.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    charge_types: tuple[str, ...]
    levels: tuple[str, ...]
    ceilings: NDArray[np.int64]
    drug_count: int

    def ceiling_yuan(self, item: int) -> Decimal:
        """The price ceiling of an item in yuan a unit."""
        return Decimal(int(self.ceilings[item])) / 100


ITEMS_A_KIND = 150
WESTERN, CHINESE_PATENT = "09", "11"
#: Charge types of services in turn (收费类别): examination, laboratory, treatment, operation, nursing, material.
SERVICE_TYPES = ("03", "04", "05", "06", "07", "08")
LEVELS = ("01", "02", "01", "03")


def invent_catalogue() -> Catalogue:
    """Make up the items, the same for every seed: ceilings grow evenly on a logarithmic scale."""
    codes, names, charge_types, levels = [], [], [], []
    for number in range(ITEMS_A_KIND):
        patent = number % 4 == 3
        codes.append(f"ZA01AAA{number:04d}010300001" if patent else f"XA01AAA{number:03d}A001010100001")
        names.append(f"测试{'中成药' if patent else '西药'}{number:03d}")
        charge_types.append(CHINESE_PATENT if patent else WESTERN)
        levels.append(LEVELS[number % len(LEVELS)])
    for number in range(ITEMS_A_KIND):
        codes.append(f"0033{number:05d}000000")
        names.append(f"测试服务项目{number:03d}")
        charge_types.append(SERVICE_TYPES[number % len(SERVICE_TYPES)])
        levels.append(LEVELS[number % len(LEVELS)])
    drug_ceilings = np.geomspace(500, 200_000, ITEMS_A_KIND)
    service_ceilings = np.geomspace(200, 1_000_000, ITEMS_A_KIND)
    ceilings = np.rint(np.concatenate([drug_ceilings, service_ceilings])).astype(np.int64)
    return Catalogue(tuple(codes), tuple(names), tuple(charge_types), tuple(levels), ceilings, ITEMS_A_KIND)
