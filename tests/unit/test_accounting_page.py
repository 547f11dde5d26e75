"""docs/accounting.md against the seeds it describes and the arithmetic it shows."""

import csv
import re
from decimal import Decimal
from pathlib import Path

import pytest

from settlement.money import yuan

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "dbt_project" / "seeds"
RATIO = Decimal("0.70")

Row = dict[str, str]


def tables_of_page() -> dict[str, list[Row]]:
    """Read the page's tables; each is known by the name of its first column."""
    tables: dict[str, list[Row]] = {}
    header: list[str] | None = None
    for line in (ROOT / "docs" / "accounting.md").read_text(encoding="utf-8").splitlines():
        if not line.startswith("|"):
            header = None
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if header is None:
            header = cells
            tables[header[0]] = []
        elif not set("".join(cells)) <= {"-"}:
            tables[header[0]].append(dict(zip(header, cells, strict=True)))
    return tables


PAGE = tables_of_page()


def seed(name: str) -> list[Row]:
    with (SEEDS / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_chart_of_accounts_is_the_seed() -> None:
    columns = {"account": "account", "account_code": "number", "name_zh": "中文", "name_en": "English"}
    shown = [tuple(row[column] for column in columns.values()) for row in PAGE["account"]]
    assert shown == [tuple(row[column] for column in columns) for row in seed("chart_of_accounts")]


def test_every_event_books_as_the_seed_says() -> None:
    shown = [(row["event"].split()[0], row["step"], row["debit"], row["credit"]) for row in PAGE["event"]]
    rules = [
        (row["event"], row["step_no"], row["debit_account"], row["credit_account"]) for row in seed("posting_rules")
    ]
    assert shown == rules


@pytest.mark.parametrize("day", PAGE["business_date"], ids=lambda day: day["business_date"])
def test_a_day_s_entitlement_is_rounded_once(day: Row) -> None:
    base = Decimal(day["accepted"]) + Decimal(day["late refund"])
    assert base == Decimal(day["base"])
    assert yuan(base * RATIO) == Decimal(day["entitled"])


@pytest.mark.parametrize("account", ["payable_institution", "payment_in_transit"])
def test_balances_follow_from_the_entries(account: str) -> None:
    balance = Decimal("0.00")
    for entry in PAGE["no"]:
        balance += Decimal(entry["amount"]) * ((entry["credit"] == account) - (entry["debit"] == account))
        assert balance == Decimal(entry[account]), entry["no"]


def test_each_run_pays_what_is_entitled_minus_what_was_instructed() -> None:
    instructed = Decimal("0.00")
    for run in [entry for entry in PAGE["no"] if entry["event"] == "instructed"]:
        known = [entry for entry in PAGE["no"] if entry["event"] == "accrued" and int(entry["no"]) < int(run["no"])]
        base: dict[str, Decimal] = {}
        for entry in known:
            side = 1 if entry["credit"] == "payable_institution" else -1
            day = entry["accounting_date"]
            base[day] = base.get(day, Decimal("0.00")) + side * Decimal(entry["amount"])
        entitled = sum((yuan(amount * RATIO) for amount in base.values()), Decimal("0.00"))
        assert Decimal(run["amount"]) == entitled - instructed
        instructed += Decimal(run["amount"])
    assert instructed == sum((Decimal(day["entitled"]) for day in PAGE["business_date"]), Decimal("0.00"))


def test_the_text_says_what_the_tables_say() -> None:
    text = (ROOT / "docs" / "accounting.md").read_text(encoding="utf-8")
    first_three = [Decimal(entry["amount"]) for entry in PAGE["no"] if entry["event"] == "instructed"][:3]
    assert f"{sum(first_three):,}" in text
    assert re.search(r"35,000\.00 − 319\.75 = 34,680\.25", text)
