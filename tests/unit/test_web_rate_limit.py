"""The token bucket of each account."""

import pytest

from settlement.web.rate_limit import RateLimit, RateLimited


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_calls_over_the_limit_are_refused_until_the_bucket_fills_again():
    clock = Clock()
    limit = RateLimit(60, clock)
    for _ in range(60):
        limit.take("platform")
    with pytest.raises(RateLimited) as refused:
        limit.take("platform")
    assert (refused.value.code, refused.value.seconds) == ("rate_limited", 1)
    clock.now = 1.0
    limit.take("platform")
    with pytest.raises(RateLimited):
        limit.take("platform")


def test_one_account_does_not_use_up_anothers_calls():
    limit = RateLimit(1, Clock())
    limit.take("a")
    limit.take("b")
    with pytest.raises(RateLimited):
        limit.take("a")


def test_an_idle_account_saves_up_no_more_than_one_minute():
    clock = Clock()
    limit = RateLimit(2, clock)
    clock.now = 3600.0
    limit.take("a")
    limit.take("a")
    with pytest.raises(RateLimited):
        limit.take("a")
