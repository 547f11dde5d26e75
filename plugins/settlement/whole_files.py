"""Files that are either not there or whole, however many processes write them at once."""

import os
import secrets

from upath import UPath


def write_whole(path: UPath, content: bytes) -> None:
    """Put a file in place, or replace it, in one step; its folder is made where it is missing.

    An object store shows an object only once it is complete. A local file is written under a name no other
    writer has, flushed to the disk, and renamed.

    Raises:
        OSError: The folder cannot be written, or the disk is full; what was there before stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.protocol not in ("", "file"):
        path.write_bytes(content)
        return
    draft = f"{path.parent.path}/.{path.name}.{secrets.token_hex(4)}.draft"
    try:
        with open(draft, "wb") as sink:
            sink.write(content)
            sink.flush()
            os.fsync(sink.fileno())
        os.replace(draft, path.path)
    except BaseException:
        if os.path.exists(draft):
            os.unlink(draft)
        raise
