"""Rows that break one rule each, so that the receipt of a sample can be predicted to the row.

A fault either changes the integer columns of its rows or replaces the text of one field after rendering. Each gives
exactly the reason code it is named after, and no other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from settlement.sample.area import Integers
from settlement.sample.settlements import MONEY, Columns

Change = Callable[[Columns, Integers], None]


@dataclass(frozen=True)
class Fault:
    """``texts`` are the fields replaced after rendering; ``needs`` names the other row a change is made from.

    ``twin``: an accepted row of the same chunk; ``conflict``: an accepted row of the day before.
    """

    reason: str
    change: Change | None = None
    texts: Mapping[str, str] = field(default_factory=dict)
    needs: str | None = None

    @property
    def has_children(self) -> bool:
        """Whether the row is a visit of its own, with fee lines and a list (which are then orphans)."""
        return self.needs is None


def _add_fen(column: str) -> Change:
    def change(columns: Columns, rows: Integers) -> None:
        columns[column][rows] += 1

    return change


def _negate(columns: Columns, rows: Integers) -> None:
    for name in MONEY:
        columns[name][rows] *= -1


def _settled_the_day_before(columns: Columns, rows: Integers) -> None:
    columns["business_day"][rows] -= 1


def _refund_twice_the_amount(columns: Columns, rows: Integers) -> None:
    """The row has become a copy of its twin; make it a refund of twice what was settled."""
    columns["original"][rows] = columns["number"][rows]
    columns["refund"][rows] = 1
    columns["number"][rows] = columns["own_number"][rows]
    for name in MONEY:
        columns[name][rows] *= -2


def faults(account_in_fund: bool, has_yesterday: bool) -> list[Fault]:
    """The faults that apply; which column breaks A3 alone depends on how the area counts the personal account."""
    person_column = "psn_part_amt" if account_in_fund else "psn_cash_pay"
    known = [
        Fault("R_MISSING", texts={"mdtrt_id": ""}),
        Fault("R_TYPE", texts={"preselfpay_amt": "NaN"}),
        Fault("R_TYPE", texts={"act_pay_dedc": "１２.００"}),
        Fault("R_TYPE", texts={"begndate": "2026-02-30"}),
        Fault("R_SCALE", texts={"hosp_part_amt": "0.005"}),
        Fault("R_RANGE", texts={"pool_prop_selfpay": "1.5000"}),
        Fault("R_CODE", texts={"insu_admdvs": "33O1"}),
        Fault("R_DICT", texts={"insutype": "999"}),
        Fault("R_SUM_PARTS", _add_fen("fulamt_ownpay_amt")),
        Fault("R_SUM_FUND", _add_fen("hifp_pay")),
        Fault("R_SUM_PERSON", _add_fen(person_column)),
        Fault("R_SUM_TOTAL", _add_fen("hosp_part_amt")),
        Fault("R_SIGN", _negate),
        Fault("R_DATE_ORDER", texts={"begndate": "2099-12-31"}),
        Fault("R_DATE_ORDER", texts={"brdy": "2099-12-31"}),
        Fault("R_DATE", _settled_the_day_before),
        Fault("R_INSTITUTION", texts={"fixmedins_code": "H99999999999"}),
        Fault("R_DUPLICATE", needs="twin"),
        Fault("R_REFUND", _refund_twice_the_amount, needs="twin"),
    ]
    if has_yesterday:
        known.append(Fault("R_CONFLICT", needs="conflict"))
    return known


def break_rows(
    columns: Columns, rows: Integers, twins: Integers, conflicts: Columns | None, known: list[Fault]
) -> None:
    """Give ``rows`` the faults in turn and note which in the column ``fault`` (1 = the first of ``known``).

    ``twins``: as many untouched rows of the chunk. ``conflicts``: settlements accepted on the day before.
    """
    columns["own_number"] = columns["number"].copy()
    for position, fault in enumerate(known):
        these = rows[position :: len(known)]
        if not len(these):
            continue
        if fault.needs == "twin":
            _copy_twin(columns, these, twins[position :: len(known)])
        if fault.needs == "conflict" and conflicts is not None:
            for name in ("number", "institution"):
                columns[name][these] = conflicts[name][: len(these)]
        if fault.change is not None:
            fault.change(columns, these)
        columns["fault"][these] = position + 1


def _copy_twin(columns: Columns, rows: Integers, twins: Integers) -> None:
    """Make ``rows`` copies of ``twins``, a second later: the twin comes first in the file and stays."""
    for name, values in columns.items():
        if name != "own_number":
            values[rows] = values[twins]
    columns["second"][rows] += 1
