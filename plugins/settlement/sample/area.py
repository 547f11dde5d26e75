"""The invented area of a sample: its institutions with their sizes, and its people."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from settlement.sample.summary import SampleRequest

Integers = NDArray[np.int64]

#: Of every three institutions two are medical and one is a pharmacy.
PHARMACY_EVERY = 3
#: (hosp_lv, institution_class) by size: the largest are tertiary, the smallest primary. A pharmacy has level 11.
HOSPITAL_GRADES = (("02", "A"), ("05", "B"), ("08", "C"), ("09", "D"))
#: Inpatients are taken by the largest share of the hospitals only.
INPATIENT_HOSPITAL_SHARE = 0.5
#: People per settlement of a day: a person comes about twice a month.
PEOPLE_PER_DAILY_SETTLEMENT = 15


@dataclass(frozen=True)
class Institution:
    """One institution of the sample."""

    code: str
    name: str
    is_pharmacy: bool
    hospital_level: str
    institution_class: str


@dataclass(frozen=True)
class Area:
    """Institutions ordered hospitals first, each kind from the largest to the smallest."""

    code: str
    name: str
    institutions: tuple[Institution, ...]
    hospital_count: int
    people_count: int
    population_date: date

    @property
    def inpatient_hospital_count(self) -> int:
        """How many hospitals, from the largest on, take inpatients."""
        return max(1, round(self.hospital_count * INPATIENT_HOSPITAL_SHARE))

    def pick_institutions(self, rng: np.random.Generator, count: int, first: int, among: int) -> Integers:
        """Draw ``count`` institutions from ``among`` ones starting at ``first``, sizes falling as 1 / rank (Zipf)."""
        sizes = 1.0 / np.arange(1, among + 1)
        borders = np.cumsum(sizes / sizes.sum())
        drawn = np.searchsorted(borders, rng.random(count), side="right")
        return first + np.minimum(drawn, among - 1).astype(np.int64)


def invent_area(request: SampleRequest) -> Area:
    """Make up the area: names say that they are tests, codes follow the national form (H or P, area, five digits)."""
    hospital_count = request.institutions - request.institutions // PHARMACY_EVERY
    institutions = []
    for number in range(1, request.institutions + 1):
        is_pharmacy = number > hospital_count
        grade = HOSPITAL_GRADES[min(3, 4 * (number - 1) // hospital_count)]
        level, institution_class = ("11", "D") if is_pharmacy else grade
        institutions.append(
            Institution(
                code=f"{'P' if is_pharmacy else 'H'}{request.area_code}{number:05d}",
                name=f"测试{request.area_code}第{number}{'药店' if is_pharmacy else '医院'}",
                is_pharmacy=is_pharmacy,
                hospital_level=level,
                institution_class=institution_class,
            )
        )
    return Area(
        code=request.area_code,
        name=f"测试统筹区{request.area_code}",
        institutions=tuple(institutions),
        hospital_count=hospital_count,
        people_count=max(400, request.per_day * PEOPLE_PER_DAILY_SETTLEMENT),
        population_date=date(request.start.year, 1, 1),
    )


@dataclass(frozen=True)
class People:
    """What is fixed about each person, computed from the number alone: the same person is the same every day.

    Numbers divisible by 40 are women of childbearing age; those with last digit 1 or 2 are elderly and chronically ill.
    """

    number: Integers
    age_days: Integers
    gender: Integers
    insurance: Integers
    is_civil_servant: NDArray[np.bool_]
    is_veteran: NDArray[np.bool_]
    is_poor: NDArray[np.bool_]


EMPLOYEE, RESIDENT, RETIRED_CADRE, MATERNITY = range(4)
INSURANCE_CODES = ("310", "390", "340", "510")
MALE, FEMALE = 1, 2


def people(numbers: Integers) -> People:
    """Describe the people with these numbers."""
    mixed = _mix(numbers)
    mother = numbers % 40 == 0
    elder = np.isin(numbers % 10, (1, 2))
    age_days = np.where(
        mother, 22 * 365 + mixed % (18 * 365), np.where(elder, 60 * 365 + mixed % (30 * 365), 400 + mixed % (80 * 365))
    )
    employee = (mixed >> 20) % 100 < 55
    cadre = elder & ((mixed >> 28) % 100 == 0)
    insurance = np.where(employee & (age_days >= 18 * 365), EMPLOYEE, RESIDENT)
    insurance = np.where(cadre & (age_days > 80 * 365), RETIRED_CADRE, insurance)
    return People(
        number=numbers,
        age_days=age_days,
        gender=np.where(mother, FEMALE, 1 + (mixed >> 36) % 2),
        insurance=insurance,
        is_civil_servant=(insurance == EMPLOYEE) & ((mixed >> 40) % 10 == 0),
        is_veteran=(mixed >> 44) % 997 == 0,
        is_poor=(insurance == RESIDENT) & ((mixed >> 48) % 50 == 0),
    )


def _mix(numbers: Integers) -> Integers:
    """Scatter consecutive numbers (the finaliser of SplitMix64), so that neighbours are nothing alike."""
    value = numbers.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((value ^ (value >> np.uint64(31))) >> np.uint64(1)).astype(np.int64)
