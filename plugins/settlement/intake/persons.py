"""Persons become keys: person_key = HMAC-SM3(secret, psn_no), the same key for the same person, no way back."""

import hashlib
import os
from collections.abc import Callable

import duckdb
import pyarrow
from duckdb.func import PythonUDFType

from settlement.errors import SettlementError

BLOCK_BYTES = 64
"""Block length of SM3 (GB/T 32905)."""
LEAST_SECRET_BYTES = 16
IDENTITY_NUMBER_LENGTH = 18
"""Its check character is a capital X (GB 11643-1999), whatever some systems write; other numbers are as they stand."""

HINT = (
    "set SETTLEMENT_PERSON_KEY to at least 32 hex digits, and keep it: another secret gives other keys"
    " (请设置至少 32 位十六进制密钥并妥善保管)"
)


def person_secret() -> bytes:
    """Return the secret of ``SETTLEMENT_PERSON_KEY``, hex digits.

    Raises:
        SettlementError: ``person_key_missing``, ``person_key_invalid`` (not hex, or under 16 bytes).
    """
    text = os.environ.get("SETTLEMENT_PERSON_KEY", "")
    if not text:
        raise SettlementError("person_key_missing", "SETTLEMENT_PERSON_KEY is not set (人员密钥未设置)", HINT)
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        message = "SETTLEMENT_PERSON_KEY is not hexadecimal (人员密钥须为十六进制)"
        raise SettlementError("person_key_invalid", message, HINT) from None
    if len(secret) < LEAST_SECRET_BYTES:
        message = f"SETTLEMENT_PERSON_KEY has {len(secret)} bytes only (人员密钥过短)"
        raise SettlementError("person_key_invalid", message, HINT)
    return secret


def person_key_function(secret: bytes) -> Callable[[str], str]:
    """Return psn_no → person_key, 64 hex digits.

    HMAC by hand (RFC 2104): both padded blocks are hashed once and their states copied, which halves the work.
    """
    if len(secret) > BLOCK_BYTES:
        secret = hashlib.new("sm3", secret).digest()
    block = secret.ljust(BLOCK_BYTES, b"\0")
    inner = hashlib.new("sm3", bytes(byte ^ 0x36 for byte in block))
    outer = hashlib.new("sm3", bytes(byte ^ 0x5C for byte in block))

    def person_key(psn_no: str) -> str:
        if len(psn_no) == IDENTITY_NUMBER_LENGTH and psn_no[-1] == "x" and psn_no[:-1].isdecimal():
            psn_no = psn_no.upper()
        first, second = inner.copy(), outer.copy()
        first.update(psn_no.encode())
        second.update(first.digest())
        return second.hexdigest()

    return person_key


def register(engine: duckdb.DuckDBPyConnection, secret: bytes) -> None:
    """Give the engine the SQL function ``person_key(text)``; NULL stays NULL."""
    key_of = person_key_function(secret)

    def person_keys(numbers: pyarrow.Array) -> pyarrow.Array:
        return pyarrow.array(
            [None if number is None else key_of(number) for number in numbers.to_pylist()], pyarrow.string()
        )

    engine.create_function("person_key", person_keys, ["VARCHAR"], "VARCHAR", type=PythonUDFType.ARROW)
