"""The institutions' own totals of a day: they agree with what will be accepted of it, late settlements included."""

from collections.abc import Iterator
from datetime import date

import numpy as np

from settlement.sample.area import INSURANCE_CODES, Area, Integers
from settlement.sample.files import fen_text
from settlement.sample.settlements import CLEARING_TYPES, Columns

HEADER = (
    "fixmedins_code", "insutype", "clr_type", "stmt_begndate", "stmt_enddate", "medfee_sumamt", "fund_pay_sumamt",
    "acct_pay", "fixmedins_setl_cnt",
)  # fmt: skip
MONEY = ("medfee_sumamt", "fund_pay_sumamt", "acct_pay")


class DayTotals:
    """Sums in fen by institution, insurance type and clearing type; a refund takes one off the count."""

    def __init__(self, area: Area) -> None:
        self._area = area
        self._shape = (len(area.institutions), len(INSURANCE_CODES), len(CLEARING_TYPES))
        self._sums = {name: np.zeros(self._shape, dtype=np.int64) for name in MONEY}
        self._count = np.zeros(self._shape, dtype=np.int64)
        self._rows = np.zeros(self._shape, dtype=np.int64)

    def add(self, columns: Columns, accepted: np.ndarray) -> None:
        """Add the rows where ``accepted`` is true."""
        key: tuple[Integers, ...] = tuple(
            columns[name][accepted] for name in ("institution", "insurance", "clearing_type")
        )
        for name, sums in self._sums.items():
            np.add.at(sums, key, columns[name][accepted])
        np.add.at(self._count, key, 1 - 2 * columns["refund"][accepted])
        np.add.at(self._rows, key, 1)

    def rows(self, business_date: date) -> Iterator[tuple[object, ...]]:
        """One row a group that has settlements, in the order of its key."""
        for institution, insurance, clearing in np.argwhere(self._rows > 0):
            key = (institution, insurance, clearing)
            yield (
                self._area.institutions[institution].code,
                INSURANCE_CODES[insurance],
                CLEARING_TYPES[clearing],
                business_date.isoformat(),
                business_date.isoformat(),
                *(fen_text(int(self._sums[name][key])) for name in MONEY),
                int(self._count[key]),
            )
