"""Whatever a delivered file makes an engine say is a refusal of its batch: no run dies on a file."""

import csv
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import psycopg
import pyarrow as pa
from lxml import etree

from settlement.contract.manifest import Manifest, shown
from settlement.errors import SettlementError

log = logging.getLogger(__name__)

OF_THIS_MACHINE = (duckdb.OutOfMemoryException, duckdb.IOException)
OF_A_FILE = (
    duckdb.Error,
    psycopg.DataError,
    pa.ArrowException,
    etree.LxmlError,
    csv.Error,
    ValueError,
    ArithmeticError,
    RecursionError,
)
"""What reading, judging and storing raise because of a value that was delivered."""


@contextmanager
def as_refusals(manifest: Manifest) -> Iterator[None]:
    """Turn what is raised inside because of a delivered value into a refusal; faults of this machine stay theirs.

    The text of such an error may repeat a delivered value, so it goes neither into the receipt nor into the log; the
    log says where it was raised.

    Raises:
        SettlementError: ``file_malformed``.
    """
    try:
        yield
    except OF_THIS_MACHINE:
        raise
    except OF_A_FILE as error:
        kind = type(error).__name__
        where = "".join(traceback.format_tb(error.__traceback__))
        log.error("batch %s is refused, because reading it raised %s:\n%s", manifest.batch_id, kind, where)
        names = ", ".join(shown(file.name) for file in manifest.files[:5])
        raise SettlementError(
            "file_malformed",
            f"{names}: a value cannot be read or stored ({kind}) (文件中有无法读取或存储的内容)",
            "write the file again from its source; where it is in order, ask the operator, whose log says more"
            " (请重新导出; 如文件无误请联系运维)",
        ) from None
