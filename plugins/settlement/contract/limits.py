"""How large a batch may be. Every limit can be set by an environment variable, e.g. SETTLEMENT_LIMIT_FILES=128."""

import os
from dataclasses import dataclass, fields

from settlement.errors import SettlementError

KIB, MIB, GIB = 2**10, 2**20, 2**30


@dataclass(frozen=True)
class Limits:
    """Bytes unless the name says otherwise."""

    files: int = 64
    manifest_bytes: int = 1 * MIB
    file_bytes: int = 4 * GIB
    """Of one file, uncompressed; checked while reading, so an archive bomb stops early."""
    line_bytes: int = 1 * MIB
    columns: int = 1_000
    duckdb_memory: int = 208 * MIB
    duckdb_threads: int = 2

    @classmethod
    def from_environment(cls) -> "Limits":
        """Read the limits that are set, e.g. ``SETTLEMENT_LIMIT_FILE_BYTES``; the others keep their defaults.

        Raises:
            SettlementError: ``limit_invalid`` when a value is not a whole number above zero.
        """
        return cls(**{field.name: _limit(field.name, int(str(field.default))) for field in fields(cls)})


def _limit(name: str, default: int) -> int:
    variable = f"SETTLEMENT_LIMIT_{name.upper()}"
    text = os.environ.get(variable)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise SettlementError(
            "limit_invalid", f"{variable} is {text!r}, not a whole number above zero", f"unset it to use {default}"
        )
    return int(text)
