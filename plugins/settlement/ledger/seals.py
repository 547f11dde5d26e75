"""The chain of seals: every posting run of an area is sealed over the seal before it, so no entry can be changed,
removed or slipped in later without the chain breaking from there on.

A seal is the SM3 digest (GB/T 32905) of the previous seal, a line feed and the run's canonical text. It can be
recomputed without this program, for run 7 for example by
``(psql -Atc "select previous_seal from ledger.posting_run where posting_run_id = 7"; psql -f canonical_text.sql) |
openssl dgst -sm3``.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import psycopg
from cryptography.hazmat.primitives import hashes
from psycopg import sql

from settlement.statements import statement


@dataclass(frozen=True)
class SealFault:
    """The first posting run of an area that does not hold: its chain is broken from here on."""

    area_code: str
    posting_run_id: int
    fault: str
    """``chain_broken``: does not continue the run before it; ``seal_differs``: its entries are not what was sealed;
    ``totals_differ``: its number of entries or total is not what was recorded."""


@dataclass(frozen=True)
class ChainVerification:
    """What recomputing the seals of one area found."""

    area_code: str
    run_count: int
    last_seal: str
    fault: SealFault | None


def genesis(area_code: str) -> str:
    """Return the seal that the first posting run of an area follows."""
    digest = _sm3()
    digest.update(f"genesis|{area_code}".encode())
    return digest.hexdigest()


def last_seal(connection: psycopg.Connection[Any], area_code: str) -> str:
    """Return the newest seal of an area, or its genesis seal."""
    row = connection.execute(
        "select seal from ledger.posting_run where area_code = %s order by posting_run_id desc limit 1", [area_code]
    ).fetchone()
    return row[0] if row else genesis(area_code)


def seal(connection: psycopg.Connection[Any], posting_run_id: int, previous_seal: str) -> str:
    """Compute the seal of a posting run from what the books hold now."""
    text = statement("settlement.ledger", "canonical_text")
    return digest_of_copy(connection, text, {"posting_run_id": posting_run_id}, previous_seal)


def seal_proposal(connection: psycopg.Connection[Any], previous_seal: str) -> str:
    """Compute the seal of the run that ``pg_temp.posting_proposal`` is about to become.

    The run is recorded before its entries, so that the ledger can refuse entries without one.
    """
    return digest_of_copy(connection, statement("settlement.ledger", "canonical_text_of_proposal"), {}, previous_seal)


def digest_of_copy(
    connection: psycopg.Connection[Any], text: sql.SQL, parameters: dict[str, int], previous_seal: str
) -> str:
    """Give the SM3 digest of a seal, a line feed and a text that COPY gives, row by row, whatever its size."""
    digest = _sm3()
    digest.update(f"{previous_seal}\n".encode())
    with connection.cursor() as cursor, cursor.copy(text, parameters) as rows:
        for row in rows:
            digest.update(row)
    return digest.hexdigest()


def verify(connection: psycopg.Connection[Any], area_code: str | None = None) -> list[ChainVerification]:
    """Recompute the chain of one area, or of every area that has posted; stops in each at the first broken run."""
    if area_code is not None:
        return [_verify_area(connection, area_code)]
    areas = connection.execute("select distinct area_code from ledger.posting_run order by area_code").fetchall()
    return [_verify_area(connection, area) for (area,) in areas]


def _verify_area(connection: psycopg.Connection[Any], area_code: str) -> ChainVerification:
    expected, run_count = genesis(area_code), 0
    for run_id, previous_seal, kept_seal, has_same_totals in _runs(connection, area_code):
        fault = None
        if previous_seal != expected:
            fault = "chain_broken"
        elif seal(connection, run_id, previous_seal) != kept_seal:
            fault = "seal_differs"
        elif not has_same_totals:
            fault = "totals_differ"
        if fault:
            return ChainVerification(area_code, run_count, expected, SealFault(area_code, run_id, fault))
        expected, run_count = kept_seal, run_count + 1
    return ChainVerification(area_code, run_count, expected, None)


def _runs(connection: psycopg.Connection[Any], area_code: str) -> Iterator[tuple[int, str, str, bool]]:
    query = statement("settlement.ledger", "posting_runs")
    yield from connection.execute(query, {"area_code": area_code}).fetchall()


class _Digest(Protocol):
    def update(self, data: bytes | bytearray | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


def _sm3() -> _Digest:
    """Return an SM3 digest: from hashlib where its OpenSSL carries SM3, else from cryptography's."""
    if "sm3" in hashlib.algorithms_available:
        return hashlib.new("sm3")
    return _CryptographySm3()


class _CryptographySm3:
    """SM3 with hashlib's interface."""

    def __init__(self) -> None:
        self._hash = hashes.Hash(hashes.SM3())

    def update(self, data: bytes | bytearray | memoryview, /) -> None:
        self._hash.update(bytes(data))

    def hexdigest(self) -> str:
        return self._hash.finalize().hex()
