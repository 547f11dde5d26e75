"""Files that are either not there or whole, however many processes write them at once."""

import os
import secrets
import tempfile
from collections.abc import Iterable

from upath import UPath


def write_whole(path: UPath, content: bytes | Iterable[bytes]) -> None:
    """Put a file in place, or replace it, in one step; its folder is made where it is missing.

    Content that comes in pieces is never held as a whole.

    An object store shows an object only once it is complete. A local file is written under a name no other
    writer has, flushed to the disk, and renamed.

    Raises:
        OSError: The folder cannot be written, or the disk is full; what was there before stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    pieces = [content] if isinstance(content, bytes) else content
    if path.protocol not in ("", "file"):
        with tempfile.NamedTemporaryFile() as sink:
            sink.writelines(pieces)
            sink.flush()
            path.fs.put_file(sink.name, path.path)
        return
    draft = f"{path.parent.path}/.{path.name}.{secrets.token_hex(4)}.draft"
    try:
        with open(draft, "wb") as sink:
            sink.writelines(pieces)
            sink.flush()
            os.fsync(sink.fileno())
        os.replace(draft, path.path)
    except BaseException:
        if os.path.exists(draft):
            os.unlink(draft)
        raise
