"""Rules of arithmetic that macros write as SQL, against the same rule told a second time, on a real PostgreSQL."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
from tests.fixtures.servers import Server

MACROS = Path(__file__).parents[2] / "dbt_project" / "macros"
FEN = Decimal("0.01")

amounts = st.decimals(min_value=-(10**12), max_value=10**12, places=2)
weights = st.dictionaries(
    st.text("abcdef", min_size=1, max_size=4),
    st.decimals(min_value=0, max_value=10**9, places=4),
    min_size=1,
    max_size=30,
).filter(lambda weights: any(weights.values()))


def sql_of(macro: str, *arguments: str, file: str = "") -> str:
    """Give the SQL that a macro writes."""
    source = (MACROS / f"{file or macro}.sql").read_text(encoding="utf-8")
    return str(getattr(Environment().from_string(source).module, macro)(*arguments))


def rows(postgres: Server, query: str, parameters: Mapping[str, object]) -> list[tuple]:
    with psycopg.connect(postgres.admin_dsn()) as connection:
        return connection.execute(query, parameters).fetchall()  # type: ignore[call-overload]


def split(
    postgres: Server, parts: Mapping[str, tuple[Decimal, Mapping[str, Decimal]]]
) -> dict[str, dict[str, Decimal]]:
    """Split several totals over their weights by the macro, in one statement as the models do."""
    listed = [(name, total, key, weight) for name, (total, of) in parts.items() for key, weight in of.items()]
    shares = sql_of(
        "split_by_largest_remainder", "part", "total", "weight", "name", 'key collate "C"', file="largest_remainder"
    )
    query = f"""
        with part as (
            select * from unnest(
                %(names)s::text[], %(totals)s::numeric(18, 2)[], %(keys)s::text[], %(weights)s::numeric(18, 4)[]
            ) as part (name, total, key, weight)
        )
        select name, key, share_amount from ({shares}) as split
    """
    columns = dict(zip(("names", "totals", "keys", "weights"), map(list, zip(*listed, strict=True)), strict=True))
    found: dict[str, dict[str, Decimal]] = {name: {} for name in parts}
    for name, key, share in rows(postgres, query, columns):
        found[name][key] = share
    return found


def largest_remainders(total: Decimal, weights: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The rule in whole numbers: every part rounded down, and each fen left over to the largest remainder.

    Of equal remainders the heavier part gets it, of equal parts the one whose key comes first.
    """
    whole = {key: int(weight * 10_000) for key, weight in weights.items()}
    divided = {key: divmod(int(abs(total) * 100) * weight, sum(whole.values())) for key, weight in whole.items()}
    left = int(abs(total) * 100) - sum(fen for fen, _ in divided.values())
    lucky = sorted(weights, key=lambda key: (-divided[key][1], -whole[key], key))[:left]
    return {key: (fen + (key in lucky)) * FEN.copy_sign(total) for key, (fen, _) in divided.items()}


@given(st.dictionaries(st.text("xyz", min_size=1, max_size=3), st.tuples(amounts, weights), min_size=1, max_size=5))
def test_a_total_is_divided_by_largest_remainder_and_loses_no_fen(
    postgres: Server, parts: dict[str, tuple[Decimal, dict[str, Decimal]]]
) -> None:
    found = split(postgres, parts)
    for name, (total, of) in parts.items():
        assert sum(found[name].values()) == total
        assert found[name] == largest_remainders(total, of)


@pytest.mark.parametrize(
    ("total", "of", "shares"),
    [
        ("100.00", {"a": 1, "b": 1, "c": 4}, {"a": "16.67", "b": "16.66", "c": "66.67"}),
        ("0.02", {"a": 1, "b": 3}, {"a": "0.00", "b": "0.02"}),
        ("0.01", {"b": 5, "a": 5}, {"a": "0.01", "b": "0.00"}),
        ("-0.05", {"a": 0, "b": 2}, {"a": "0.00", "b": "-0.05"}),
    ],
    ids=["the spare fen", "a tie goes to the heavier", "then to the smaller key", "below zero as its mirror"],
)
def test_a_spare_fen_has_one_owner(postgres: Server, total: str, of: dict[str, int], shares: dict[str, str]) -> None:
    found = split(postgres, {"one": (Decimal(total), {key: Decimal(weight) for key, weight in of.items()})})
    assert found["one"] == {key: Decimal(share) for key, share in shares.items()}


@pytest.mark.parametrize(
    ("frequency", "day", "payable_from"),
    [
        ("day", "2026-03-02", "2026-03-03"),
        ("week", "2026-03-01", "2026-03-02"),
        ("week", "2026-03-02", "2026-03-09"),
        ("ten_day", "2026-02-10", "2026-02-11"),
        ("ten_day", "2026-02-11", "2026-02-21"),
        ("ten_day", "2026-02-21", "2026-03-01"),
        ("ten_day", "2026-03-31", "2026-04-01"),
        ("month", "2026-02-15", "2026-03-01"),
    ],
)
def test_money_is_payable_from_the_day_after_its_window(
    postgres: Server, frequency: str, day: str, payable_from: str
) -> None:
    rule = sql_of("payable_from", "%(day)s::date", "%(frequency)s::text")
    assert rows(postgres, f"select ({rule})::text", {"day": day, "frequency": frequency}) == [(payable_from,)]
