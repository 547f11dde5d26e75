"""The sample keeps its promises: the same bytes for a seed, exact amounts, and counts that are known beforehand."""

import csv
import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from settlement.errors import SettlementError
from settlement.sample import SampleSummary, write_batches
from settlement.sample.pricing import ALL_CASES, GROUP_WEIGHTS
from settlement.sample.settlements import FUNDS, MONEY, PARTS

START = date(2026, 2, 27)
SCHEME = Path(__file__).parents[2] / "examples" / "schemes" / "small_drg"
Row = dict[str, str]


def read(folder: Path, table: str) -> list[Row]:
    """The rows of one file of a batch."""
    path = next(path for path in folder.iterdir() if path.name.split(".")[0] == table)
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(text.decode().splitlines()))


def money(row: Row, *names: str) -> Decimal:
    """Sum of the named amounts of a row."""
    return sum((Decimal(row[name]) for name in names), Decimal(0))


def identities(row: Row, *, account_in_fund: bool) -> list[bool]:
    """A1 to A4 of a settlement, written down a second time."""
    fund_parts = (*FUNDS, "acct_pay") if account_in_fund else FUNDS
    person = "psn_cash_pay" if account_in_fund else "psn_part_amt"
    return [
        money(row, "medfee_sumamt") == money(row, *PARTS),
        money(row, "fund_pay_sumamt") == money(row, *fund_parts),
        money(row, "psn_part_amt") == money(row, "acct_pay", "psn_cash_pay"),
        money(row, "medfee_sumamt") == money(row, "fund_pay_sumamt", person, "hosp_part_amt"),
    ]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SampleSummary]:
    """Three days of everything a sample can hold."""
    directory = tmp_path_factory.mktemp("sample")
    summary = write_batches(
        directory,
        area_code="330100",
        start=START,
        days=3,
        per_day=1500,
        late_share=0.01,
        fee_lines=True,
        lists="csv",
        declarations=True,
        budgets=True,
    )
    return directory, summary


def digest(directory: Path) -> dict[str, str]:
    """Every file of a sample with the hash of its bytes."""
    return {
        str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_a_seed_always_gives_the_same_bytes(tmp_path: Path) -> None:
    digests = []
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        write_batches(
            tmp_path / name,
            area_code="330100",
            start=START,
            days=2,
            per_day=300,
            seed=seed,
            fee_lines=True,
            lists="csv",
        )
        digests.append(digest(tmp_path / name))
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


@settings(max_examples=15)
@given(seed=st.integers(0, 2**31), account_in_fund=st.booleans(), per_day=st.integers(1, 400))
def test_identities_hold_for_every_good_row(seed: int, account_in_fund: bool, per_day: int) -> None:
    with TemporaryDirectory() as directory:
        summary = write_batches(
            Path(directory),
            area_code="350200",
            start=START,
            days=2,
            per_day=per_day,
            seed=seed,
            bad_share=0.0,
            refund_share=0.2,
            late_share=0.05,
            fund_sum_includes_account=account_in_fund,
        )
        for batch in summary.batches:
            if batch.kind != "settlement":
                continue
            for row in read(Path(directory) / batch.batch_id, "settlement"):
                assert all(identities(row, account_in_fund=account_in_fund)), row
                amounts = [Decimal(row[name]) for name in MONEY]
                assert max(amounts) <= 0 if row["refd_setl_flag"] == "1" else min(amounts) >= 0, row


def test_every_reason_a_settlement_can_have_occurs(sample: tuple[Path, SampleSummary]) -> None:
    _, summary = sample
    for batch in summary.batches:
        for file in batch.files:
            assert sum(file.reasons.values()) == file.quarantined
    assert {reason for reason in summary.reasons if reason.startswith("R_SUM")} == {
        "R_SUM_PARTS",
        "R_SUM_FUND",
        "R_SUM_PERSON",
        "R_SUM_TOTAL",
    }
    assert summary.batches[3].file("settlement").reasons["R_CONFLICT"] > 0


def test_manifests_tell_rows_hashes_and_control_sums(sample: tuple[Path, SampleSummary]) -> None:
    directory, summary = sample
    for batch in summary.batches:
        folder = directory / batch.batch_id
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["batch_id"] == batch.batch_id
        for entry in manifest["files"]:
            rows = read(folder, entry["table"])
            assert entry["rows"] == len(rows) == batch.file(entry["table"]).read
            assert entry["sha256"] == hashlib.sha256((folder / entry["name"]).read_bytes()).hexdigest()
            for name, control in entry["control"].items():
                assert Decimal(control) == sum(Decimal(row[name]) for row in rows)


def test_refunds_reverse_an_accepted_settlement_fund_by_fund(sample: tuple[Path, SampleSummary]) -> None:
    directory, summary = sample
    settled: dict[str, Row] = {}
    refunds: list[Row] = []
    pending = 0
    for batch in summary.batches:
        if batch.kind != "settlement":
            continue
        rows = read(directory / batch.batch_id, "settlement")
        for row in rows:
            if row["refd_setl_flag"] == "0":
                settled.setdefault(row["setl_id"], row)
        arrived = [row for row in rows if row["refd_setl_flag"] == "1"]
        pending += sum(row["init_setl_id"] not in settled for row in arrived)
        refunds += arrived
    too_large = 0
    for row in refunds:
        original = settled[row["init_setl_id"]]
        assert (row["fixmedins_code"], row["psn_no"]) == (original["fixmedins_code"], original["psn_no"])
        too_large += any(-Decimal(row[name]) > Decimal(original[name]) for name in FUNDS)
    assert too_large == summary.reasons["R_REFUND"] > 0
    assert pending == summary.refunds_pending > 0


def test_fee_lines_add_up_to_their_settlement(sample: tuple[Path, SampleSummary]) -> None:
    directory, summary = sample
    folder = directory / summary.batches[1].batch_id
    headers = {row["setl_id"]: row for row in read(folder, "settlement") if row["refd_setl_flag"] == "0"}
    ceilings = {
        row["med_list_codg"]: Decimal(row["price_ceiling"])
        for row in read(directory / summary.batch_ids[0], "catalogue_item")
    }
    lines = read(folder, "fee_item")
    dear, doubles = 0, 0
    for setl_id, group in groupby(lines, key=lambda line: line["setl_id"]):
        visit = list(group)
        assert len({line["feedetl_sn"] for line in visit}) == len(visit)
        header = headers[setl_id]
        if "NaN" not in header.values() and money(header, "medfee_sumamt") == money(header, *PARTS):
            assert sum(money(line, "det_item_fee_sumamt") for line in visit) == abs(money(header, "medfee_sumamt"))
            assert sum(money(line, "inscp_scp_amt") for line in visit) == abs(money(header, "inscp_scp_amt"))
        contents = [tuple(text for name, text in line.items() if name != "feedetl_sn") for line in visit]
        doubles += len(contents) - len(set(contents))
    for line in lines:
        price, units = Decimal(line["pric"]), Decimal(line["cnt"])
        assert abs(price * units - Decimal(line["det_item_fee_sumamt"])) < Decimal("0.005")
        dear += price > ceilings[line["med_list_codg"]]
    assert 0 < doubles < len(lines) / 100
    assert 0 < dear < len(lines) / 100


def test_lists_belong_to_their_stay(sample: tuple[Path, SampleSummary]) -> None:
    """Every list but those that are counted as broken."""
    directory, summary = sample
    batch = summary.batches[1]
    folder = directory / batch.batch_id
    headers = {row["setl_id"]: row for row in read(folder, "settlement") if row["refd_setl_flag"] == "0"}
    children: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for section in ("diagnosis", "operation", "item", "icu"):
        for row in read(folder, f"settlement_list_{section}"):
            children[section][row["setl_id"]].append(row)
    lists = read(folder, "settlement_list")
    sound = [list_is_sound(row, headers[row["setl_id"]], children) for row in lists]
    broken = {code: rows for code, rows in batch.file("settlement_list").reasons.items() if code != "R_ORPHAN"}
    seen_elsewhere = ("L_DX_EXTERNAL", "L_DX_AGE", "L_DX_SEX", "L_NEWBORN", "L_BIRTH_WEIGHT", "L_OPERATION_DATE")
    assert sound.count(False) == sum(rows for code, rows in broken.items() if code not in seen_elsewhere) > 0


def list_is_sound(row: Row, header: Row, children: Mapping[str, Mapping[str, list[Row]]]) -> bool:
    """Whether counts, stay, main diagnosis and amounts of a list agree with what belongs to it."""
    setl_id = row["setl_id"]
    days = (date.fromisoformat(row["dscg_time"][:10]) - date.fromisoformat(row["adm_time"][:10])).days
    items = sum(Decimal(item["amt"]) for item in children["item"][setl_id])
    assert money(row, "psn_selfpay", "psn_ownpay") == money(row, "acct_pay", "psn_cashpay")
    return (
        int(row["act_ipt_days"]) == days
        and int(row["diag_code_cnt"]) == len(children["diagnosis"][setl_id])
        and int(row["oprn_oprt_code_cnt"]) == len(children["operation"][setl_id])
        and [diagnosis["maindiag_flag"] for diagnosis in children["diagnosis"][setl_id]].count("1") == 1
        and items == abs(Decimal(header["medfee_sumamt"]))
    )


def test_every_group_of_the_example_scheme_has_its_standard(sample: tuple[Path, SampleSummary]) -> None:
    directory, summary = sample
    with (SCHEME / "drg.csv").open(encoding="utf-8", newline="") as source:
        groups = {row["drg"] for row in csv.DictReader(source)}
    assert groups | {ALL_CASES} == GROUP_WEIGHTS.keys()
    standards = read(directory / summary.batch_ids[0], "group_standard")
    assert {row["group_code"] for row in standards} == GROUP_WEIGHTS.keys()
    assert all(money(row, "mean_cost") == Decimal(row["weight"]) * 8000 for row in standards)


def test_what_prices_inpatients_comes_with_lists_alone(sample: tuple[Path, SampleSummary], tmp_path: Path) -> None:
    directory, summary = sample
    reference = directory / summary.batch_ids[0]
    assert [row["method"] for row in read(reference, "inpatient_method")] == ["drg"]
    coefficients = {row["fixmedins_code"]: row["grade_coefficient"] for row in read(reference, "institution_factor")}
    treating = {row["fixmedins_code"] for row in read(directory / summary.batch_ids[1], "settlement_list")}
    assert treating <= coefficients.keys()
    assert set(coefficients.values()) == {"1.100000", "1.000000", "0.900000"}
    assert {row["care_class"] for row in read(reference, "fund_budget")} == {"all", "inpatient"}
    plain = write_batches(tmp_path, area_code="330100", start=START, days=1, per_day=10)
    tables = {file.table for file in plain.batches[0].files}
    assert not tables & {"inpatient_method", "institution_factor", "group_standard", "fund_budget"}


def test_sizes_and_amounts_are_as_in_life(tmp_path: Path) -> None:
    summary = write_batches(
        tmp_path, area_code="330100", start=START, days=1, per_day=20_000, bad_share=0, refund_share=0
    )
    rows = read(tmp_path / summary.batch_ids[1], "settlement")
    fees = sorted(Decimal(row["medfee_sumamt"]) for row in rows)
    assert 700 < sum(fees) / len(fees) < 1050
    assert 2800 < fees[len(fees) * 95 // 100] < 4200
    assert {row["insutype"] for row in rows} >= {"310", "390", "340", "510"}
    assert {row["med_type"][:2] for row in rows} >= {"11", "14", "21", "41", "51", "52"}
    assert all(any(Decimal(row[fund]) > 0 for row in rows) for fund in FUNDS)
    busiest, *_, quietest = Counter(row["fixmedins_code"] for row in rows).most_common()
    assert busiest[1] > 10 * quietest[1]
    assert all(row["psn_name"].startswith("测试") and row["certno"].startswith("TEST") for row in rows)


def test_an_impossible_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettlementError, match="area_code is six digits"):
        write_batches(tmp_path, area_code="杭州", start=START, days=1, per_day=10)
    write_batches(tmp_path, area_code="330100", start=START, days=1, per_day=10)
    with pytest.raises(SettlementError, match="sample_exists"):
        write_batches(tmp_path, area_code="330100", start=START, days=1, per_day=10)
