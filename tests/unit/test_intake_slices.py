"""Slices: every line behind the header is in exactly one, whole, and knows its number."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.intake.slices import cut

LINES = st.lists(st.text(alphabet="ab,甲\r", max_size=6).map(str.encode), max_size=20)


@given(LINES, st.integers(1, 40), st.booleans())
def test_slices_are_the_lines_behind_the_header(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], size: int, is_last_open: bool
) -> None:
    path = tmp_path_factory.mktemp("slices") / "file_1"
    content = b"".join(line + b"\n" for line in lines)
    if is_last_open:
        content = content.removesuffix(b"\n")
    path.write_bytes(b"header\n" + content)
    slices = list(cut(path, size))
    assert b"".join(piece.path.read_bytes() for piece in slices) == content
    line_no = 2
    for piece in slices:
        assert piece.first_line == line_no
        line_no += piece.path.read_bytes().count(b"\n")
        assert piece is slices[-1] or piece.path.read_bytes().endswith(b"\n")


def test_a_header_alone_gives_one_empty_slice(tmp_path: Path) -> None:
    path = tmp_path / "file_1"
    path.write_bytes(b"header")
    [piece] = cut(path)
    assert (piece.first_line, piece.path.read_bytes()) == (2, b"")
