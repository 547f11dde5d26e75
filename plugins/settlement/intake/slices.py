"""A delimited file in slices: cut at line ends, read by the engine one after another, in bounded memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from settlement.contract.limits import MIB

SLICE_BYTES = 32 * MIB
"""Some eighty thousand settlements: enough that planning a query for each slice costs little beside judging it."""


@dataclass(frozen=True)
class Slice:
    """Whole lines of a file, in a file of their own; `first_line` counts from 1."""

    path: Path
    first_line: int


def cut(path: Path, size: int = SLICE_BYTES) -> Iterator[Slice]:
    """Cut `path` after its header line into slices of about `size` bytes; at least one, which may be empty.

    Every line must be a row: the caller has made sure that no line end stands inside quotes. A slice's file is there
    until it is removed or the work folder is.
    """
    with path.open("rb") as source:
        source.readline()
        first_line = 2
        for number in count():
            content = source.read(size) + source.readline()
            if number and not content:
                return
            target = path.with_suffix(f".slice_{number}")
            target.write_bytes(content)
            yield Slice(target, first_line)
            first_line += content.count(b"\n")
