"""Settlement months and payment windows."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.errors import SettlementError
from settlement.periods import (
    FREQUENCIES,
    Frequency,
    Window,
    month_of,
    month_window,
    next_month,
    payable_from,
    payment_window,
    previous_month,
)

days = st.dates(min_value=date(2000, 1, 1), max_value=date(2100, 12, 31))


def test_a_month_is_text_and_knows_its_days() -> None:
    assert month_of(date(2026, 2, 27)) == "2026-02"
    assert month_window("2026-02") == Window(date(2026, 2, 1), date(2026, 2, 28))
    assert month_window("2024-02").last == date(2024, 2, 29)
    assert month_window("2025-12").last == date(2025, 12, 31)


def test_months_follow_each_other_over_the_year() -> None:
    assert next_month("2025-12") == "2026-01"
    assert previous_month("2026-01") == "2025-12"


@pytest.mark.parametrize(
    "text", ["2026-13", "2026-00", "2026-2", "202602", "2026-02-01", "\uff12026-02", "0000-01", ""]
)
def test_other_text_is_no_month(text: str) -> None:
    with pytest.raises(SettlementError) as caught:
        month_window(text)
    assert caught.value.code == "month_invalid"


@pytest.mark.parametrize(
    ("frequency", "day", "first", "last"),
    [
        ("day", "2026-03-02", "2026-03-02", "2026-03-02"),
        ("week", "2026-03-01", "2026-02-23", "2026-03-01"),
        ("week", "2026-03-02", "2026-03-02", "2026-03-08"),
        ("ten_day", "2026-02-10", "2026-02-01", "2026-02-10"),
        ("ten_day", "2026-02-11", "2026-02-11", "2026-02-20"),
        ("ten_day", "2026-02-21", "2026-02-21", "2026-02-28"),
        ("ten_day", "2026-03-31", "2026-03-21", "2026-03-31"),
        ("month", "2026-02-15", "2026-02-01", "2026-02-28"),
    ],
)
def test_windows_have_their_bounds(frequency: Frequency, day: str, first: str, last: str) -> None:
    window = payment_window(frequency, date.fromisoformat(day))
    assert window == Window(date.fromisoformat(first), date.fromisoformat(last))


@given(st.sampled_from(FREQUENCIES), days)
def test_windows_hold_their_day_and_leave_no_gap(frequency: Frequency, day: date) -> None:
    window = payment_window(frequency, day)
    assert day in window
    assert payment_window(frequency, window.first) == payment_window(frequency, window.last) == window
    assert payment_window(frequency, window.last + timedelta(days=1)).first == window.last + timedelta(days=1)
    assert payable_from(frequency, day) == window.last + timedelta(days=1)


def test_an_unknown_frequency_is_refused() -> None:
    with pytest.raises(SettlementError) as caught:
        payment_window("hour", date(2026, 3, 2))  # type: ignore[arg-type]
    assert caught.value.code == "frequency_invalid"
