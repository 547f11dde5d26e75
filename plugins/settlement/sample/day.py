"""The rows of one day, chunk by chunk: ordinary settlements, refunds, rows with faults, and what comes late."""

from dataclasses import dataclass
from datetime import date

import numpy as np

from settlement.sample.area import Area, Integers
from settlement.sample.faults import Fault, break_rows, faults
from settlement.sample.settlements import (
    EPOCH,
    FUNDS,
    MONEY,
    PARTS,
    Columns,
    add_up,
    in_bed,
    invent_settlements,
    join,
    take,
)
from settlement.sample.summary import CHUNK_ROWS, SampleRequest

#: A settlement's number is its date and a serial; refunds and late settlements have serials of their own.
SERIALS_A_DAY = 1_000_000_000
FIRST_REFUND = 400_000_000
FIRST_LATE = 700_000_000
#: How many of a day's refunds reverse a settlement of the day before.
NEXT_DAY_REFUND_SHARE = 0.5
PARTIAL_REFUND_SHARE = 0.2
#: Accepted rows of a chunk that the late batch sends once more.
REPEATED_ROWS = 20


@dataclass(frozen=True)
class Carried:
    """What a chunk leaves for the days after.

    ``to_refund`` are accepted settlements reversed tomorrow, ``kept`` accepted ones that are sent again (changed, with
    tomorrow's rows; unchanged, with the late batch), ``late`` settlements that are only delivered after tomorrow's.
    """

    to_refund: Columns
    kept: Columns
    late: Columns


@dataclass(frozen=True)
class DayChunk:
    """Rows in file order with the columns ``fault``, ``pending`` and ``repeated`` (0 where nothing is the matter)."""

    columns: Columns
    known_faults: list[Fault]
    carried: Carried


def invent_chunk(
    request: SampleRequest, area: Area, day_number: int, chunk_number: int, yesterday: Carried | None
) -> DayChunk:
    """Make up one chunk of a day; the same seed, day and chunk always give the same rows."""
    rng = np.random.default_rng([request.seed, int(request.area_code), day_number, chunk_number])
    business_date = request.business_dates[day_number]
    size = request.chunk_sizes()[chunk_number]
    is_last_day = day_number == request.days - 1
    included = request.fund_sum_includes_account
    serial = chunk_number * CHUNK_ROWS
    base = int(business_date.strftime("%Y%m%d")) * SERIALS_A_DAY

    refund_count = round(size * request.refund_share)
    bad_count = round(size * request.bad_share)
    late_count = 0 if is_last_day else round(size * request.late_share)
    tomorrow_count = 0 if is_last_day else round(refund_count * NEXT_DAY_REFUND_SHARE)

    ordinary = invent_settlements(rng, area, business_date, base + serial, size - refund_count, included)
    late = invent_settlements(rng, area, business_date, base + FIRST_LATE + serial, late_count, included)

    early = take(yesterday.late, slice(0, None, 2)) if yesterday else take(late, slice(0, 0))
    earlier = join([early, yesterday.to_refund]) if yesterday else early
    earlier = take(earlier, slice(0, refund_count))
    same_day_count = refund_count - len(earlier["number"])
    bad, twins, rest = _pick_bad(rng, ordinary, bad_count)
    to_refund_today, to_refund_tomorrow, plain = np.split(rest, np.cumsum([same_day_count, tomorrow_count]))
    refunds = refund(
        rng,
        join([earlier, take(ordinary, to_refund_today)]),
        base + FIRST_REFUND + serial,
        business_date,
        account_in_fund=included,
    )
    carried = Carried(
        to_refund=take(ordinary, to_refund_tomorrow),
        kept=take(ordinary, np.sort(plain)[: max(bad_count, REPEATED_ROWS)]),
        late=late,
    )

    columns = join([ordinary, refunds])
    for mark in ("fault", "pending", "repeated"):
        columns[mark] = np.zeros(size, dtype=np.int64)
    first_refund_row = size - refund_count
    columns["pending"][first_refund_row : first_refund_row + min(len(early["number"]), refund_count)] = 1
    conflicts = yesterday.kept if yesterday else None
    known = faults(included, has_yesterday=conflicts is not None and len(conflicts["number"]) > 0)
    break_rows(columns, bad, twins, conflicts, known)
    in_time = np.argsort(columns["second"], kind="stable")
    return DayChunk(take(columns, in_time), known, carried)


def _pick_bad(rng: np.random.Generator, ordinary: Columns, count: int) -> tuple[Integers, Integers, Integers]:
    """Rows to break, as many for them to be twins of, and the others, each in random order.

    Inpatients are left out while there is anybody else: the orphans of one list could put a small file above the
    area's limit, and the batch would be held. Lists have bad rows of their own.
    """
    shuffled = rng.permutation(len(ordinary["number"]))
    outpatients_first = shuffled[np.argsort(in_bed(ordinary)[shuffled], kind="stable")]
    bad, twins, others = np.split(outpatients_first, [count, 2 * count])
    return bad, twins, rng.permutation(others)


def late_rows(carried: Carried) -> Columns:
    """The rows of a late batch: settlements held back, and a few rows sent once more without a change."""
    columns = join([carried.late, take(carried.kept, slice(0, REPEATED_ROWS))])
    late_count = len(carried.late["number"])
    for mark in ("fault", "pending", "repeated"):
        columns[mark] = np.zeros(len(columns["number"]), dtype=np.int64)
    columns["repeated"][late_count:] = 1
    return columns


def refund(
    rng: np.random.Generator, originals: Columns, first_number: int, business_date: date, *, account_in_fund: bool
) -> Columns:
    """Reverse settlements on ``business_date``, most of them whole, some by one to three quarters."""
    count = len(originals["number"])
    columns = take(originals, slice(None))
    columns["original"] = originals["number"].copy()
    columns["number"] = first_number + np.arange(count, dtype=np.int64)
    columns["refund"] = np.ones(count, dtype=np.int64)
    columns["business_day"] = np.full(count, (business_date - EPOCH).days, dtype=np.int64)
    columns["second"] = originals["second"] + rng.integers(60, 3600, count)
    _keep_quarters(columns, _quarters(rng, originals), account_in_fund)
    for name in MONEY:
        columns[name] *= -1
    return columns


def _quarters(rng: np.random.Generator, originals: Columns) -> Integers:
    """How many quarters are refunded. Where the person paid too little cash to round against, all four."""
    count = len(originals["number"])
    partial = (rng.random(count) < PARTIAL_REFUND_SHARE) & (originals["psn_cash_pay"] >= 1_000)
    return np.where(partial, rng.integers(1, 4, count), 4)


def _keep_quarters(columns: Columns, quarters: Integers, account_in_fund: bool) -> None:
    for name in (*PARTS, *FUNDS, "act_pay_dedc", "acct_pay", "acct_mulaid_pay", "hosp_part_amt"):
        columns[name] = columns[name] * quarters // 4
    add_up(columns, account_in_fund)
