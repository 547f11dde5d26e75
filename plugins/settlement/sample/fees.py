"""Fee lines whose amounts add up to their settlement, part by part.

Among them are a few charged twice (equal but for their serial) and a few above the price ceiling: what a review finds.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from settlement.sample import render
from settlement.sample.area import Area, Integers
from settlement.sample.clinical import Catalogue
from settlement.sample.faults import Fault
from settlement.sample.files import DataFile
from settlement.sample.reference import DOCTORS_AN_INSTITUTION
from settlement.sample.settlements import PARTS, Columns, in_bed, take
from settlement.sample.summary import FileCount, SampleRequest

#: Settlements whose lines are made at once.
SETTLEMENTS_AT_ONCE = 10_000
#: Shares of the lines that qualify (even amounts; dearer than one unit), so what is found is a fraction of these.
DOUBLED_SHARE = 0.02
ABOVE_CEILING_SHARE = 0.005
DRUG_SHARE = 0.45
#: Boxes of a drug on a line, and units of a service, at most.
DRUG_UNITS, SERVICE_UNITS = 4, 30
SELF_PAY_RATIOS = {"01": "0.0000", "02": "0.1000", "03": "1.0000"}
#: The settlement's column and the fee line's, which the national platform names differently.
LINE_PARTS = dict(zip(PARTS, ("fulamt_ownpay_amt", "overlmt_amt", "preselfpay_amt", "inscp_scp_amt"), strict=True))


class FeeLines:
    """The fee_item file of a settlement batch."""

    def __init__(
        self, area: Area, catalogue: Catalogue, request: SampleRequest, folder: Path, opened: ExitStack
    ) -> None:
        self._area = area
        self._catalogue = catalogue
        self._seed = request.seed
        self._file = opened.enter_context(DataFile(folder / f"fee_item.csv{request.suffix}", "fee_item"))
        self._count = FileCount("fee_item")
        self.files = [self._file]
        self.counts = [self._count]

    def write(self, columns: Columns, known: Sequence[Fault]) -> None:
        """Write the lines of a chunk of settlements; those of a settlement with a fault are orphans."""
        visits = take(columns, visits_of_their_own(columns, known))
        for first in range(0, len(visits["number"]), SETTLEMENTS_AT_ONCE):
            some = take(visits, slice(first, first + SETTLEMENTS_AT_ONCE))
            rng = np.random.default_rng([self._seed, int(some["number"][0])])
            lines = invent_lines(rng, some, self._catalogue)
            self._file.write_table(self._table(some, lines))
            self._file.add_control({"det_item_fee_sumamt": lines["amount"]})
            orphans = int((some["fault"][lines["settlement"]] > 0).sum())
            self._count.read += len(lines["amount"])
            self._count.quarantined += orphans
            if orphans:
                self._count.reasons["R_ORPHAN"] += orphans

    def _table(self, visits: Columns, lines: Columns) -> pa.Table:
        items = self._catalogue
        visit = lines["settlement"]
        item = lines["item"]
        doctor = visits["institution"][visit] * DOCTORS_AN_INSTITUTION + lines["doctor"]
        return pa.table(
            {
                "setl_id": render.settlement_id(self._area.code, visits["number"][visit]),
                "feedetl_sn": render.padded_text(lines["serial"], 4),
                "med_list_codg": render.named(item, items.codes),
                "med_list_name": render.named(item, items.names),
                "medins_list_codg": render.identifier("L", item),
                "med_chrgitm_type": render.named(item, items.charge_types),
                "chrgitm_lv": render.named(item, items.levels),
                "cnt": render.decimal_text(lines["units"] * 10_000, 4),
                "pric": render.decimal_text(lines["price"], 6),
                "det_item_fee_sumamt": render.decimal_text(lines["amount"], 2),
                **{name: render.decimal_text(lines[name], 2) for name in LINE_PARTS.values()},
                "pric_uplmt_amt": render.decimal_text(items.ceilings[item] * 10_000, 6),
                "selfpay_prop": render.named(item, [SELF_PAY_RATIOS[level] for level in items.levels]),
                "lmt_used_flag": render.whole_text(np.zeros(len(item), dtype=np.int64)),
                "fee_ocur_time": render.time_text(lines["day"], lines["second"]),
                "bilg_dept_codg": render.named(lines["doctor"] % 3, ("A03", "A04", "A07")),
                "bilg_dr_codg": render.prefixed("D" + self._area.code, render.padded_text(doctor, 6)),
                "drug_trac_codg": self._trace_codes(visits["number"][visit], lines),
            }
        )

    def _trace_codes(self, numbers: Integers, lines: Columns) -> pa.Array:
        """One invented code of 20 digits a box of a drug: box, settlement number, line; nothing for services."""
        is_drug = lines["item"] < self._catalogue.drug_count
        serial = render.padded_text(lines["trace_serial"] % 100, 2)
        base = pc.binary_join_element_wise(render.whole_text(numbers), serial, "")
        codes = pc.if_else(pa.array(is_drug), render.prefixed("1", base), "")
        for box in range(2, DRUG_UNITS + 1):
            more = pc.binary_join_element_wise(codes, render.prefixed(str(box), base), "|")
            codes = pc.if_else(pa.array(is_drug & (lines["units"] >= box)), more, codes)
        return codes


def visits_of_their_own(columns: Columns, known: Sequence[Fault]) -> Integers:
    """Rows that bring fee lines and a list: no refunds, nothing sent again, no second row of a settlement."""
    has_children = np.array([True, *(fault.has_children for fault in known)])
    return np.flatnonzero((columns["refund"] == 0) & (columns["repeated"] == 0) & has_children[columns["fault"]])


def invent_lines(rng: np.random.Generator, visits: Columns, catalogue: Catalogue) -> Columns:
    """Split each visit's four parts over its lines in proportion to random weights, exactly to the fen."""
    per_visit = _lines_per_visit(rng, visits)
    visit = np.repeat(np.arange(len(per_visit)), per_visit)
    first_line = np.repeat(np.cumsum(per_visit) - per_visit, per_visit)
    position = np.arange(len(visit)) - first_line
    weight = rng.integers(1, 20, len(visit))
    until = np.cumsum(weight)
    total = np.bincount(visit, weights=weight).astype(np.int64)[visit]
    until = until - (until[first_line] - weight[first_line])
    lines: Columns = {"settlement": visit, "trace_serial": position}
    for header, name in LINE_PARTS.items():
        whole = np.abs(visits[header])[visit]
        lines[name] = whole * until // total - whole * (until - weight) // total
    lines["amount"] = np.sum([lines[name] for name in LINE_PARTS.values()], axis=0, dtype=np.int64)
    lines["doctor"] = rng.integers(0, DOCTORS_AN_INSTITUTION, len(visit))
    stay = (visits["end_day"] - visits["begin_day"]).clip(min=0)[visit]
    lines["day"] = visits["begin_day"][visit] + position * stay // per_visit[visit]
    lines["second"] = np.where(
        stay > 0, 8 * 3600 + position * 60, visits["second"][visit] - 60 * (per_visit[visit] - position)
    )
    lines = _double_some(rng, lines)
    lines.update(_price(rng, lines["amount"], catalogue))
    lines = _copy_choice_to_doubles(lines)
    return lines


def _lines_per_visit(rng: np.random.Generator, visits: Columns) -> Integers:
    count = len(visits["number"])
    stay = (visits["end_day"] - visits["begin_day"]).clip(min=0)
    wanted = np.where(in_bed(visits), 10 + 2 * stay + rng.poisson(6, count), 1 + rng.poisson(2.6, count))
    affordable = np.maximum(1, np.abs(visits["medfee_sumamt"]) // 200)
    return np.minimum(wanted, affordable)


def _double_some(rng: np.random.Generator, lines: Columns) -> Columns:
    """Halve a few lines whose parts are all even and charge each half: the second one is the double."""
    even = np.all([lines[name] % 2 == 0 for name in LINE_PARTS.values()], axis=0)
    doubled = even & (lines["amount"] > 0) & (rng.random(len(even)) < DOUBLED_SHARE)
    for name in (*LINE_PARTS.values(), "amount"):
        lines[name] = np.where(doubled, lines[name] // 2, lines[name])
    rows = np.repeat(np.arange(len(doubled)), 1 + doubled)
    lines = take(lines, rows)
    lines["is_double"] = np.concatenate([[0], (rows[1:] == rows[:-1]).astype(np.int64)])
    starts = np.flatnonzero(np.concatenate([[True], lines["settlement"][1:] != lines["settlement"][:-1]]))
    counts = np.diff(np.append(starts, len(rows)))
    lines["serial"] = 1 + np.arange(len(rows)) - np.repeat(starts, counts)
    return lines


def _price(rng: np.random.Generator, amount: Integers, catalogue: Catalogue) -> Columns:
    """Choose an item each line can be (units x price = amount, price up to its ceiling), a few of them too dear."""
    drugs = catalogue.ceilings[: catalogue.drug_count]
    services = catalogue.ceilings[catalogue.drug_count :]
    drawn = rng.random(len(amount))
    cheapest_drug = np.searchsorted(drugs, amount // DRUG_UNITS + 1)
    cheapest_service = np.minimum(np.searchsorted(services, amount // SERVICE_UNITS + 1), len(services) - 1)
    is_drug = (rng.random(len(amount)) < DRUG_SHARE) & (cheapest_drug < len(drugs))
    item = np.where(
        is_drug,
        cheapest_drug + (drawn * (len(drugs) - cheapest_drug)).astype(np.int64),
        len(drugs) + cheapest_service + (drawn * (len(services) - cheapest_service)).astype(np.int64),
    )
    ceiling = catalogue.ceilings[item]
    units = np.maximum(1, -(-amount // ceiling))
    too_dear = (rng.random(len(amount)) < ABOVE_CEILING_SHARE) & (amount > ceiling) & (amount % ceiling > 0)
    units = np.where(too_dear, amount // ceiling, units)
    return {"item": item, "units": units, "price": (amount * 10_000 + units // 2) // units}


def _copy_choice_to_doubles(lines: Columns) -> Columns:
    """A line charged twice is the same item, doctor and time both times."""
    doubles = np.flatnonzero(lines["is_double"])
    for name in ("item", "units", "price"):
        lines[name][doubles] = lines[name][doubles - 1]
    return lines
