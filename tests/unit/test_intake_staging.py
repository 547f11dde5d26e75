"""Staging: what is hashed, expanded, decoded, and where it stops."""

import gzip
import hashlib
import io
import zipfile
from pathlib import Path

import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from settlement.contract import DeliveredFile
from settlement.contract.limits import Limits
from settlement.contract.tables import TABLES
from settlement.errors import SettlementError
from settlement.intake.staging import stage

LIMITS = Limits(file_bytes=1_000_000, line_bytes=100)
TEXT = "setl_id,名称\r\nA1,甲\r\n".encode()


def file(name: str, content: bytes, encoding: str = "utf-8", sha256: str | None = None) -> DeliveredFile:
    digest = sha256 or hashlib.sha256(content).hexdigest()
    return DeliveredFile(1, name, TABLES["settlement"], "jsonl", encoding, 1, digest, {})  # without a header


def staged(tmp_path: Path, name: str, content: bytes, limits: Limits = LIMITS, **fields: str) -> bytes:
    (tmp_path / name).write_bytes(content)
    return stage(file(name, content, **fields), UPath(tmp_path), tmp_path, limits).path.read_bytes()


def refusal(tmp_path: Path, name: str, content: bytes, limits: Limits = LIMITS, **fields: str) -> SettlementError:
    with pytest.raises(SettlementError) as error:
        staged(tmp_path, name, content, limits, **fields)
    return error.value


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return target.getvalue()


def test_plain_gzip_zstandard_and_zip_give_the_same_bytes(tmp_path: Path) -> None:
    forms = {
        "a.csv": TEXT,
        "a.csv.gz": gzip.compress(TEXT),
        "a.csv.zst": pyarrow.compress(TEXT, codec="zstd", asbytes=True),
        "a.csv.zip": zipped(("a.csv", TEXT)),
    }
    assert {staged(tmp_path, name, content) for name, content in forms.items()} == {TEXT}


def test_two_gzip_members_are_one_file(tmp_path: Path) -> None:
    assert staged(tmp_path, "a.csv.gz", gzip.compress(TEXT) + gzip.compress(b"A2,x\n")) == TEXT + b"A2,x\n"


def test_gb18030_becomes_utf8_and_four_byte_names_survive(tmp_path: Path) -> None:
    name = "测试\U00020164龘"
    assert staged(tmp_path, "a.csv", name.encode("gb18030"), encoding="gb18030").decode() == name


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    assert staged(tmp_path, "a.csv", b"\xef\xbb\xbf" + TEXT) == TEXT


@pytest.mark.parametrize(
    ("content", "offset"),
    [
        ("甲".encode("gb18030"), 0),
        (b"a,b\n1,\xff\n", 6),
        ("a,b\n".encode("utf-16"), 0),
        ("名称".encode()[:-1], 3),
    ],
)
def test_bytes_that_do_not_decode_are_refused_with_their_offset(tmp_path: Path, content: bytes, offset: int) -> None:
    error = refusal(tmp_path, "a.csv", content)
    assert error.code == "encoding_invalid"
    assert f"byte {offset} does not decode as utf-8" in error.message


def test_the_offset_counts_over_blocks(tmp_path: Path) -> None:
    content = ("é\n" * 700_000).encode() + b"\xff"
    error = refusal(tmp_path, "a.csv", content, Limits())
    assert f"byte {len(content) - 1} " in error.message


def test_another_hash_is_said_first(tmp_path: Path) -> None:
    error = refusal(tmp_path, "a.csv.gz", gzip.compress(TEXT)[:-5], sha256="0" * 64)
    assert error.code == "control_mismatch"
    assert "expected 000" in error.message


def test_an_archive_bomb_stops_early(tmp_path: Path) -> None:
    bomb = gzip.compress(b"1,2,3\n" * 5_000_000, compresslevel=9)
    assert refusal(tmp_path, "a.csv.gz", bomb).code == "file_too_large"
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 3_000_000


# By name, since an archive holds the moment it was made at, and the id of a test must not.
DAMAGED_OR_ODD = {
    "a gzip file cut short": ("a.csv.gz", gzip.compress(TEXT)[:-5]),
    "a gzip file with something after it": ("a.csv.gz", gzip.compress(TEXT) + b"junk"),
    "no gzip file": ("a.csv.gz", TEXT),
    "no zstandard file": ("a.csv.zst", TEXT),
    "a zstandard file cut short": ("a.csv.zst", pyarrow.compress(TEXT * 50, codec="zstd", asbytes=True)[:-7]),
    "no zip file": ("a.csv.zip", TEXT),
    "an empty zip file": ("a.csv.zip", zipped()),
    "two members": ("a.csv.zip", zipped(("a.csv", TEXT), ("b.csv", TEXT))),
    "a member outside the folder": ("a.csv.zip", zipped(("../../etc/x", TEXT))),
    "a folder": ("a.csv.zip", zipped(("folder/", b""))),
}


@pytest.mark.parametrize("archive", DAMAGED_OR_ODD)
def test_a_damaged_or_odd_archive_is_refused(tmp_path: Path, archive: str) -> None:
    assert refusal(tmp_path, *DAMAGED_OR_ODD[archive]).code == "archive_invalid"


@pytest.mark.parametrize("inner", [gzip.compress(TEXT), zipped(("a.csv", TEXT))], ids=["gzip", "zip"])
def test_an_archive_inside_an_archive_is_refused(tmp_path: Path, inner: bytes) -> None:
    assert refusal(tmp_path, "a.csv.gz", gzip.compress(inner)).code == "archive_nested"


def test_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(TEXT)
    (tmp_path / "a.csv").symlink_to(tmp_path / "secret")
    with pytest.raises(SettlementError) as error:
        stage(file("a.csv", TEXT), UPath(tmp_path), tmp_path, LIMITS)
    assert error.value.code == "file_not_plain"


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "b.csv").mkdir()
    for name, code in (("a.csv", "file_missing"), ("b.csv", "file_not_plain")):
        with pytest.raises(SettlementError) as error:
            stage(file(name, TEXT), UPath(tmp_path), tmp_path, LIMITS)
        assert error.value.code == code


@given(st.lists(st.integers(0, 140), max_size=12), st.sampled_from([b"\n", b"\r\n", b"\r"]), st.booleans())
def test_a_line_is_too_long_above_the_limit(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], end: bytes, is_open: bool
) -> None:
    content = end.join(b"x" * length for length in lengths) + (b"" if is_open else end)
    folder = tmp_path_factory.mktemp("lines")
    longest = max(lengths, default=0)
    if longest > LIMITS.line_bytes:
        assert refusal(folder, "a.csv", content).code == "line_too_long"
    else:
        assert staged(folder, "a.csv", content) == content


@pytest.mark.parametrize(
    ("content", "lines"),
    [(b"", 0), (b"a", 1), (b"a\nb\n", 2), (b"a\r\nb", 2), (b"a\rb\r", 2), (b"a\nb\rc\r\nd\r", 4), (b"a\n\rb", 3)],
)
def test_lines_are_counted_by_their_ends(tmp_path: Path, content: bytes, lines: int) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert stage(file("a.csv", content), UPath(tmp_path), tmp_path, LIMITS).lines == lines


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
@pytest.mark.parametrize("damage", [b"\xff", b"\x00", b"\xa5"])
def test_a_damaged_member_of_a_zip_is_refused_however_it_is_compressed(
    tmp_path: Path, method: int, damage: bytes
) -> None:
    whole = zipped(("a.csv", TEXT * 20), method=method)
    for start in range(48, whole.index(b"PK\x01\x02") - 8, 4):  # after the headers, where nothing is left unused
        content = whole[:start] + damage * 8 + whole[start + 8 :]
        assert refusal(tmp_path, "a.csv.zip", content, Limits()).code in ("archive_invalid", "encoding_invalid")


def chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)


@pytest.mark.parametrize(
    "beside",
    [
        [("__MACOSX/._a.csv", b"x"), (".DS_Store", b"x")],
        [("data/", b"")],
        [("Thumbs.db", b"x"), ("desktop.ini", b"x"), ("__MACOSX/", b"")],
    ],
    ids=["macos", "folder", "windows"],
)
@pytest.mark.parametrize("name", ["a.csv", "data/a.csv", "数据/结算.csv"])
def test_what_systems_put_beside_the_one_file_of_a_zip_does_not_count(
    tmp_path: Path, name: str, beside: list[tuple[str, bytes]]
) -> None:
    assert staged(tmp_path, "a.csv.zip", zipped(*beside, (name, TEXT))) == TEXT


def encrypted() -> bytes:
    """A zip whose member says that it is encrypted."""
    content = bytearray(zipped(("a.csv", TEXT)))
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


def linked() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        member = zipfile.ZipInfo("a.csv")
        member.external_attr = 0o120777 << 16
        archive.writestr(member, "/etc/passwd")
    return target.getvalue()


TOLD = {
    "several files are named": ("a.csv.zip", zipped(("a.csv", TEXT), ("b.csv", TEXT)), "'a.csv', 'b.csv'"),
    "nothing but metadata": ("a.csv.zip", zipped(("__MACOSX/._a.csv", b"x")), "0 data files"),
    "encrypted": ("a.csv.zip", encrypted(), "is encrypted"),
    "a link": ("a.csv.zip", linked(), "is a symbolic link"),
    "thousands of members": ("a.csv.zip", zipped(*((f"{n}.csv", b"") for n in range(1_200))), "1200 members"),
    "an absolute name": ("a.csv.zip", zipped(("/etc/a.csv", TEXT)), "leads out of it"),
    "gzip under a plain name": ("a.csv", gzip.compress(TEXT), "this is gzip"),
    "zstandard under a plain name": ("a.csv", pyarrow.compress(TEXT, codec="zstd", asbytes=True), "this is zstandard"),
    "zip under a plain name": ("a.csv", zipped(("a.csv", TEXT)), "this is zip"),
    "plain text under a gzip name": ("a.csv.gz", TEXT, "this is not gzip, it is plain text"),
    "plain text under a zstandard name": ("a.csv.zst", TEXT, "this is not zstandard, it is plain text"),
    "plain text under a zip name": ("a.csv.zip", TEXT, "this is not zip, it is plain text"),
    "zip under a gzip name": ("a.csv.gz", zipped(("a.csv", TEXT)), "this is not gzip, it is zip"),
    "gzip under a zip name": ("a.csv.zip", gzip.compress(TEXT), "this is not zip, it is gzip"),
    "junk behind gzip": ("a.csv.gz", gzip.compress(TEXT) + b"junk", "something else stands behind"),
    "cut off": ("a.csv.gz", gzip.compress(TEXT)[:-5], "it is cut off"),
}


@pytest.mark.parametrize("what", TOLD)
def test_an_archive_is_told_by_what_it_is_in_both_languages(tmp_path: Path, what: str) -> None:
    name, content, words = TOLD[what]
    error = refusal(tmp_path, name, content)
    assert error.code == "archive_invalid"
    assert words in error.message
    assert chinese(error.message)
    assert chinese(error.hint)


@pytest.mark.parametrize(
    ("content", "is_even"),
    [
        (b"a\nb\n", True),
        (b"a\r\nb\r\n", True),
        (b"a\r\nb\n", False),
        (b"a\rb\n", False),
        (b"a\rb\r", False),
        (b"a", False),
        (b"a\r\n\rb\r\n", False),
    ],
)
def test_line_ends_are_even_when_all_are_alike_and_no_carriage_return_stands_alone(
    tmp_path: Path, content: bytes, is_even: bool
) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert stage(file("a.csv", content), UPath(tmp_path), tmp_path, LIMITS).has_even_ends is is_even


def test_a_line_end_across_two_blocks_is_one(tmp_path: Path) -> None:
    content = b"x" * (2**20 - 1) + b"\r\n" + b"y\r\n"
    (tmp_path / "a.csv").write_bytes(content)
    found = stage(file("a.csv", content), UPath(tmp_path), tmp_path, Limits(line_bytes=2**21))
    assert (found.lines, found.has_even_ends) == (2, True)
