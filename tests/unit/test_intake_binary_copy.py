"""Rows as binary COPY: what PostgreSQL reads is what the engine had, whatever the type."""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import psycopg
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.intake import binary_copy


def fields(values: Sequence[Any], arrow: pa.DataType, type_: str) -> Iterator[bytes | None]:
    """The fields of one-column rows as the server would take them apart."""
    rows = binary_copy.encode([pa.array(values, arrow)], [type_])
    assert bytes(binary_copy.content(rows)) == b"".join(rows.to_pylist())
    for row in rows.to_pylist():
        assert row[:2] == b"\x00\x01"
        length = int.from_bytes(row[2:6], "big", signed=True)
        assert len(row) == 6 + max(length, 0)
        yield None if length < 0 else row[6:]


def read(content: bytes | None, type_name: str) -> Any:
    """Read a field with psycopg's own reader of PostgreSQL's binary form."""
    if content is None:
        return None
    oid = psycopg.postgres.types[type_name].oid
    return psycopg.adapt.Transformer().get_loader(oid, psycopg.pq.Format.BINARY).load(content)


@given(st.lists(st.one_of(st.none(), st.decimals(-(10**14) + 1, 10**14 - 1, places=2)), min_size=1))
def test_an_amount_stays_what_it_is(amounts: list[Decimal | None]) -> None:
    found = [read(field, "numeric") for field in fields(amounts, pa.decimal128(16, 2), "numeric(18,2)")]
    assert found == amounts


@pytest.mark.parametrize(("digits", "scale"), [(18, 0), (18, 1), (18, 3), (18, 4), (16, 6), (9, 9), (5, 4)])
def test_a_number_of_any_scale_stays_what_it_is(digits: int, scale: int) -> None:
    unit = Decimal(1).scaleb(-scale)
    numbers = [unit, -unit, unit * 0, unit * (10**digits - 1), unit * (10 ** (digits - 1)), unit * 10**scale, None]
    numbers = [number for number in numbers if number is None or abs(number) < Decimal(10) ** (digits - scale)]
    found = [read(field, "numeric") for field in fields(numbers, pa.decimal128(digits, scale), "numeric")]
    assert found == numbers


@given(st.lists(st.one_of(st.none(), st.text()), min_size=1))
def test_a_text_stays_what_it_is_and_empty_is_not_null(texts: list[str | None]) -> None:
    assert [read(field, "text") for field in fields(texts, pa.string(), "text")] == texts


@given(st.lists(st.one_of(st.none(), st.uuids()), min_size=1))
def test_an_identifier_stays_what_it_is(identifiers: list[UUID | None]) -> None:
    texts = [str(value) if value else None for value in identifiers]
    assert [read(field, "uuid") for field in fields(texts, pa.string(), "uuid")] == identifiers


@given(st.lists(st.one_of(st.none(), st.dates()), min_size=1))
def test_a_day_stays_what_it_is(days: list[date | None]) -> None:
    assert [read(field, "date") for field in fields(days, pa.date32(), "date")] == days


@pytest.mark.parametrize("type_", ["smallint", "integer", "bigint"])
def test_a_whole_number_stays_what_it_is(type_: str) -> None:
    name = {"smallint": "int2", "integer": "int4", "bigint": "int8"}[type_]
    arrow = {"smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64()}[type_]
    assert [read(field, name) for field in fields([0, -1, None, 32767], arrow, type_)] == [0, -1, None, 32767]


@pytest.mark.parametrize(
    ("wall_clock", "moment"),
    [
        ("2026-03-02 00:00:00", "2026-03-01 16:00:00"),
        ("1991-09-15 02:00:00", "1991-09-14 18:00:00"),
        ("1988-07-01 12:00:00", "1988-07-01 03:00:00"),  # summer time
        ("1986-05-04 02:30:00", "1986-05-03 18:30:00"),  # never came: summer time began
        ("1991-09-15 01:30:00", "1991-09-14 17:30:00"),  # came twice: summer time ended
    ],
)
def test_a_time_is_the_moment_that_postgresql_would_take_it_for(wall_clock: str, moment: str) -> None:
    [field] = fields([datetime.fromisoformat(wall_clock)], pa.timestamp("us"), "timestamp with time zone")
    assert field is not None
    microseconds = int.from_bytes(field, "big", signed=True)
    found = datetime(2000, 1, 1, tzinfo=ZoneInfo("UTC")).timestamp() + microseconds / 1_000_000
    assert datetime.fromtimestamp(found, UTC).isoformat(" ")[:19] == moment


def test_rows_behind_an_offset_are_the_rows_asked_for() -> None:
    columns = [pa.array(["a", None, "ccc", "dd"]), pa.array([Decimal("1.00"), None, Decimal("-3.10"), Decimal(4)])]
    whole = binary_copy.encode(columns, ["text", "numeric"])
    part = binary_copy.encode([column.slice(1, 2) for column in columns], ["text", "numeric"])
    assert part.to_pylist() == whole.to_pylist()[1:3]


def test_a_type_without_a_binary_form_is_refused() -> None:
    for column, type_ in [
        (pa.array([1.5]), "double precision"),
        (pa.array([1.5]), "numeric(18,2)"),
        (pa.array([1]), "text"),
        (pa.array([1]), "date"),
        (pa.array([1]), "uuid"),
    ]:
        with pytest.raises(TypeError):
            binary_copy.encode([column], [type_])
