"""Settlements of one chunk as integer columns: money in fen, dates in days, codes as positions in a tuple.

Every amount is derived so that the identities of a settlement hold to the fen: medical fee = its four parts; fund
total = its funds (and the personal account, where the area counts it in); personal part = account + cash; medical
fee = the funds + personal part + what the institution bears.
"""

from collections.abc import Mapping
from datetime import date

import numpy as np
from numpy.typing import NDArray

from settlement.sample import clinical
from settlement.sample.area import (
    EMPLOYEE,
    MATERNITY,
    RESIDENT,
    RETIRED_CADRE,
    Area,
    Integers,
    People,
    people,
)

#: One array a column, all of one length. Money columns carry the contract's names.
Columns = dict[str, NDArray[np.int64]]

EPOCH = date(1970, 1, 1)
PARTS = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
FUNDS = ("hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "hifdm_pay", "maf_pay", "oth_pay")
MONEY = (
    "medfee_sumamt",
    *PARTS,
    "act_pay_dedc",
    *FUNDS,
    "fund_pay_sumamt",
    "psn_part_amt",
    "acct_pay",
    "psn_cash_pay",
    "acct_mulaid_pay",
    "hosp_part_amt",
)

OUTPATIENT, CHRONIC, INPATIENT, BIRTH, PHARMACY = range(5)
#: Together they give a mean fee near 870 yuan with the 95th percentile near 3,500, as a real settlement table has.
CARE_CLASS_SHARES = (0.41, 0.13, 0.055, 0.01, 0.395)
#: Median fee in fen and the spread of its logarithm.
FEE_MEDIANS = np.array([29_000, 66_000, 700_000, 200_000, 12_000])
FEE_SPREADS = np.array([0.80, 0.85, 0.70, 0.90, 0.80])
FEE_SMALLEST, FEE_LARGEST = 500, 60_000_000
#: The pooled fund's usual share of what is in scope, in hundredths of a per cent.
FUND_RATES = np.array([6000, 7500, 7500, 8000, 5000])

MED_TYPES = ("11", "13", "110101", "14", "140104", "140201", "21", "22", "24", "28", "51", "52", "41")
MED_TYPES_OF = {
    OUTPATIENT: (0, 0, 0, 1, 2),
    CHRONIC: (3, 4, 5),
    INPATIENT: (6, 6, 6, 7, 8, 9),
    BIRTH: (10, 11),
    PHARMACY: (12,),
}
DELIVERY = 11
CLEARING_TYPES = ("11", "21", "41")
PERSON_TYPES = ("1101", "1102", "1201", "1202", "1300", "1402", "1403", "1501")


def invent_settlements(
    rng: np.random.Generator, area: Area, business_date: date, first_number: int, count: int, account_in_fund: bool
) -> Columns:
    """Make up ``count`` ordinary settlements of one day, numbered from ``first_number``."""
    care = rng.choice(len(CARE_CLASS_SHARES), size=count, p=CARE_CLASS_SHARES).astype(np.int64)
    patients = _pick_people(rng, area, care)
    day = (business_date - EPOCH).days
    med_type = _pick_med_type(rng, care)
    in_bed = (care == INPATIENT) | (med_type == DELIVERY)
    stay = np.where(in_bed, 1 + rng.poisson(7, count), 0)
    columns: Columns = {
        "number": first_number + np.arange(count, dtype=np.int64),
        "visit": first_number + np.arange(count, dtype=np.int64),
        "original": np.zeros(count, dtype=np.int64),
        "refund": np.zeros(count, dtype=np.int64),
        "institution": _pick_institution(rng, area, care, in_bed),
        "person": patients.number,
        "gender": patients.gender,
        "birth_day": (area.population_date - EPOCH).days - patients.age_days,
        "insurance": np.where((care == BIRTH) & (patients.insurance == EMPLOYEE), MATERNITY, patients.insurance),
        "person_type": _person_type(patients),
        "med_type": med_type,
        "clearing_type": np.where(in_bed, 1, np.where(care == PHARMACY, 2, 0)),
        "business_day": np.full(count, day, dtype=np.int64),
        "second": rng.integers(7 * 3600, 22 * 3600, count),
        "begin_day": day - stay,
        "end_day": np.full(count, day, dtype=np.int64),
        "diagnosis": _pick_diagnosis(rng, care, med_type),
    }
    columns.update(_amounts(rng, care, patients, account_in_fund))
    return columns


def take(columns: Mapping[str, Integers], rows: NDArray[np.int64] | slice) -> Columns:
    """The given rows of every column, copied."""
    return {name: values[rows].copy() for name, values in columns.items()}


def join(parts: list[Columns]) -> Columns:
    """Chunks below one another."""
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def in_bed(columns: Columns) -> NDArray[np.bool_]:
    """Which rows are inpatient stays, and so have a settlement list."""
    return columns["clearing_type"] == 1


def add_up(columns: Columns, account_in_fund: bool) -> None:
    """Set the totals from their parts; what neither a fund nor the institution bears is the person's."""
    columns["medfee_sumamt"] = _sum(columns, PARTS)
    funds = _sum(columns, FUNDS)
    columns["psn_part_amt"] = columns["medfee_sumamt"] - funds - columns["hosp_part_amt"]
    columns["psn_cash_pay"] = columns["psn_part_amt"] - columns["acct_pay"]
    columns["fund_pay_sumamt"] = funds + columns["acct_pay"] if account_in_fund else funds


def _sum(columns: Columns, names: tuple[str, ...]) -> Integers:
    return np.sum([columns[name] for name in names], axis=0, dtype=np.int64)


def _pick_people(rng: np.random.Generator, area: Area, care: Integers) -> People:
    """Mothers for births, the elderly for chronic care, anybody otherwise (see ``People`` for the numbers)."""
    anybody = rng.integers(0, area.people_count, len(care))
    mothers = anybody // 40 * 40
    elders = anybody // 10 * 10 + 1 + anybody % 2
    return people(np.where(care == BIRTH, mothers, np.where(care == CHRONIC, elders, anybody)))


def _pick_institution(rng: np.random.Generator, area: Area, care: Integers, in_bed: NDArray[np.bool_]) -> Integers:
    count = len(care)
    pharmacies = len(area.institutions) - area.hospital_count
    anywhere = area.pick_institutions(rng, count, 0, area.hospital_count)
    wards = area.pick_institutions(rng, count, 0, area.inpatient_hospital_count)
    shops = area.pick_institutions(rng, count, area.hospital_count, pharmacies)
    return np.where(care == PHARMACY, shops, np.where(in_bed, wards, anywhere))


def _pick_med_type(rng: np.random.Generator, care: Integers) -> Integers:
    picked = np.zeros(len(care), dtype=np.int64)
    drawn = rng.random(len(care))
    for care_class, choices in MED_TYPES_OF.items():
        rows = care == care_class
        picked[rows] = np.array(choices)[(drawn[rows] * len(choices)).astype(np.int64)]
    return picked


def _pick_diagnosis(rng: np.random.Generator, care: Integers, med_type: Integers) -> Integers:
    count = len(care)
    inpatient = clinical.INPATIENT_DIAGNOSES
    chronic = clinical.CHRONIC_DIAGNOSES
    outpatient = clinical.OUTPATIENT_DIAGNOSES
    return np.select(
        [med_type == DELIVERY, care == BIRTH, care == INPATIENT, care == CHRONIC],
        [
            np.full(count, clinical.DELIVERY_DIAGNOSIS),
            np.full(count, clinical.PREGNANCY_DIAGNOSIS),
            rng.integers(inpatient.start, inpatient.stop, count),
            rng.integers(chronic.start, chronic.stop, count),
        ],
        rng.integers(outpatient.start, outpatient.stop, count),
    )


def _person_type(patients: People) -> Integers:
    """Positions in ``PERSON_TYPES``: in work, retired (civil servants apart), cadre, or resident by age."""
    years = patients.age_days // 365
    resident = np.select([years < 7, years < 18], [5, 6], 7)
    employee = np.where(years < 60, 0, 2) + patients.is_civil_servant
    cadre = np.full(len(years), 4)
    choices = [patients.insurance == RESIDENT, patients.insurance == RETIRED_CADRE]
    return np.select(choices, [resident, cadre], employee).astype(np.int64)


def _amounts(rng: np.random.Generator, care: Integers, patients: People, account_in_fund: bool) -> Columns:
    """Draw the fee and share it out: first the parts by scope, then the funds one after another, then the person."""
    count = len(care)
    drawn = np.rint(FEE_MEDIANS[care] * np.exp(FEE_SPREADS[care] * rng.standard_normal(count)))
    fee = np.clip(drawn, FEE_SMALLEST, FEE_LARGEST).astype(np.int64)
    amounts: Columns = {name: np.zeros(count, dtype=np.int64) for name in MONEY}
    for name, most in (("fulamt_ownpay_amt", 600), ("overlmt_selfpay", 150), ("preselfpay_amt", 500)):
        amounts[name] = fee * rng.integers(0, most, count) // 10_000
    in_scope = fee - amounts["fulamt_ownpay_amt"] - amounts["overlmt_selfpay"] - amounts["preselfpay_amt"]
    amounts["inscp_scp_amt"] = in_scope

    deductible = np.where(care == INPATIENT, rng.choice(np.array([30_000, 60_000, 80_000]), count), 0)
    amounts["act_pay_dedc"] = np.minimum(deductible, in_scope)
    rate = np.clip(FUND_RATES[care] + 500 * rng.integers(-2, 3, count), 4000, 9500)
    amounts["pool_prop_selfpay"] = rate
    amounts["hifp_pay"] = (in_scope - amounts["act_pay_dedc"]) * rate // 10_000
    left = fee - amounts["hifp_pay"]
    for name, rows, rate_of_left in _small_funds(rng, care, patients, fee):
        amounts[name] = np.where(rows, left * rate_of_left // 10_000, 0)
        left = left - amounts[name]
    amounts["hosp_part_amt"] = np.where(rng.random(count) < 0.01, np.minimum(left, 100), 0)
    left = left - amounts["hosp_part_amt"]

    has_account = (patients.insurance != RESIDENT) & (rng.random(count) < 0.6)
    share = np.where(care == PHARMACY, 10_000, rng.integers(2_000, 10_001, count))
    amounts["acct_pay"] = np.where(has_account, left * share // 10_000, 0)
    amounts["acct_mulaid_pay"] = np.where(rng.random(count) < 0.05, amounts["acct_pay"] * 3 // 10, 0)
    add_up(amounts, account_in_fund)
    return amounts


def _small_funds(
    rng: np.random.Generator, care: Integers, patients: People, fee: Integers
) -> list[tuple[str, NDArray[np.bool_], int]]:
    """(column, who gets it, hundredths of a per cent of what is still unpaid) in the order the funds pay."""
    employee = patients.insurance == EMPLOYEE
    costly = fee > 2_000_000
    return [
        ("hifmi_pay", (patients.insurance == RESIDENT) & costly, 5500),
        ("hifob_pay", employee & costly, 6000),
        ("hifes_pay", employee & (rng.random(len(care)) < 0.03), 3000),
        ("cvlserv_pay", patients.is_civil_servant, 4000),
        ("hifdm_pay", patients.is_veteran, 5000),
        ("maf_pay", patients.is_poor, 6000),
        ("oth_pay", rng.random(len(care)) < 0.004, 1000),
    ]
