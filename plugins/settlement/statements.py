"""SQL statements kept in files of their own, in the `sql` folder of the package that runs them."""

from functools import cache
from importlib.resources import files

from psycopg import sql


@cache
def statement(package: str, name: str) -> sql.SQL:
    """Return `sql/<name>.sql` of `package`, e.g. ``statement("settlement.ledger", "insert_entries")``.

    Values travel as parameters (``%(name)s``); identifiers, where a statement has them, by :meth:`sql.SQL.format`.
    """
    text = files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8")
    return sql.SQL(text)
