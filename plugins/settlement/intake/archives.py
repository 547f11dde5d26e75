"""What is packed how: which member of a zip is the data file, and what a file is that its name does not say."""

import struct
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from settlement.contract.limits import MIB
from settlement.contract.manifest import DeliveredFile, shown
from settlement.errors import SettlementError

MAGIC = {
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstandard",
    b"PK\x03\x04": "zip (or an Excel workbook)",
    b"PK\x05\x06": "zip",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bzip2",
    b"Rar!": "rar",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"\xd0\xcf\x11\xe0": "an Excel workbook (.xls)",
}
FORMATS = {"gz": "gzip", "zst": "zstandard", "zip": "zip"}
ENCRYPTED = 0x1
LINK = 0o120000
MEMBERS = 1_000
DIRECTORY_BYTES = 1 * MIB
"""What Python reads of a zip at once is its directory; a data file and what systems put beside it need far less."""
END, END_BYTES = b"PK\x05\x06", 22
END_64, LOCATOR_BYTES = b"PK\x06\x07", 20
LONGEST_COMMENT = 65_535


def refuse_hidden_archive(file: DeliveredFile, beginning: bytes) -> None:
    """Refuse a file whose bytes, expanded where its name says so, begin like an archive.

    Raises:
        SettlementError: ``archive_nested``, or ``archive_invalid`` for an archive under a plain name.
    """
    kind = _kind(beginning)
    if kind is None:
        return
    if file.compression:
        raise SettlementError(
            "archive_nested",
            f"{file.name} holds another archive: this is {kind} (压缩文件内还有压缩文件: {kind})",
            "compress the data file itself, once (请只压缩一次)",
        )
    raise SettlementError(
        "archive_invalid",
        f"{file.name}: this is {kind}, although its name says plain {file.format} (文件实为 {kind})",
        "send the data file itself, or name the file .gz, .zst or .zip after what it is, in the manifest too"
        " (请送达原始文件, 或按实际压缩方式加后缀 .gz .zst .zip)",
    )


def damaged(file: DeliveredFile, error: Exception, beginning: bytes, *, is_begun: bool) -> SettlementError:
    """The error for an archive that a library could not expand; `is_begun` says that it could expand a part."""
    expected = FORMATS[file.compression or ""]
    kind = _kind(beginning)
    if not is_begun and not (kind or "").startswith(expected):
        really = kind or ("plain text" if _is_text(beginning) else "something else")
        chinese = kind or ("普通文本" if _is_text(beginning) else "其他内容")
        return bad_archive(file, f"this is not {expected}, it is {really}", f"并非 {expected}, 实为 {chinese}")
    if isinstance(error, EOFError):
        return bad_archive(file, "it is cut off", "压缩文件不完整")
    if "Not a gzipped file" in str(error):
        return bad_archive(file, "something else stands behind the gzip data", "gzip 数据之后有多余内容")
    return bad_archive(file, "it is damaged", "压缩文件已损坏")


def bad_archive(file: DeliveredFile, reason: str, chinese: str) -> SettlementError:
    """The error for an archive that cannot be taken."""
    return SettlementError(
        "archive_invalid",
        f"{file.name}: {reason} ({chinese})",
        "compress the one data file again, without a password, and send it (请重新压缩单个数据文件, 不加密)",
    )


def check_directory(file: DeliveredFile, path: Path) -> None:
    """Look at how large the directory of a zip says it is, before a library reads it into memory.

    Raises:
        SettlementError: ``archive_invalid``.
    """
    size = path.stat().st_size
    with path.open("rb") as source:
        source.seek(max(size - LONGEST_COMMENT - END_BYTES - LOCATOR_BYTES, 0))
        tail = source.read()
        end = tail.rfind(END)
        if end < 0 or len(tail) - end < END_BYTES:
            return  # no zip: the library says so
        members, directory = struct.unpack("<HI", tail[end + 10 : end + 16])
        locator = tail[max(end - LOCATOR_BYTES, 0) : end]
        if locator.startswith(END_64):
            source.seek(struct.unpack("<Q", locator[8:16])[0])
            record = source.read(56)
            if len(record) == 56:
                members, directory = struct.unpack("<QQ", record[32:48])
    if members > MEMBERS or directory > DIRECTORY_BYTES:
        raise bad_archive(file, f"it has {members} members; one data file is allowed", "压缩包成员过多")


def only_data_file(file: DeliveredFile, members: Sequence[zipfile.ZipInfo]) -> zipfile.ZipInfo:
    """Give the one data file of a zip; folders and what systems put beside a file do not count.

    Raises:
        SettlementError: ``archive_invalid``; the members are named.
    """
    found = [member for member in members if not _is_beside(member)]
    if len(found) != 1:
        named = ", ".join(shown(member.filename) for member in (found or members)[:5])
        more = ", …" if len(found or members) > 5 else ""
        raise bad_archive(
            file,
            f"it has {len(found)} data files; exactly one is allowed" + (f": {named}{more}" if named else ""),
            f"压缩包内须恰有一个数据文件, 现有 {len(found)} 个",
        )
    [member] = found
    name = PurePosixPath(member.filename.replace("\\", "/"))
    if name.is_absolute() or ".." in name.parts or ":" in name.parts[0]:
        raise bad_archive(file, f"the name of its member {shown(member.filename)} leads out of it", "成员名含非法路径")
    if member.external_attr >> 16 & 0o170000 == LINK:
        raise bad_archive(file, f"its member {shown(member.filename)} is a symbolic link", "成员是符号链接")
    if member.flag_bits & ENCRYPTED:
        raise bad_archive(file, f"its member {shown(member.filename)} is encrypted", "压缩包已加密")
    return member


def _is_beside(member: zipfile.ZipInfo) -> bool:
    """True for folders, and for what macOS and Windows add to an archive by themselves."""
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    return (
        member.is_dir()
        or not parts
        or "__MACOSX" in parts
        or parts[-1].startswith("._")
        or parts[-1].lower() in (".ds_store", "thumbs.db", "desktop.ini")
    )


def _kind(beginning: bytes) -> str | None:
    return next((kind for magic, kind in MAGIC.items() if beginning.startswith(magic)), None)


def _is_text(beginning: bytes) -> bool:
    """True when nothing but printable ASCII, line ends and bytes of other scripts stands there."""
    return bool(beginning) and all(byte >= 0x20 or byte in b"\t\r\n" for byte in beginning)
