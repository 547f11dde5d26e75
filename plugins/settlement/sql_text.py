"""Names and values in the text of a statement, for the places that take no parameter."""


def literal(text: str) -> str:
    """Give `text` as a SQL string."""
    return "'" + text.replace("'", "''") + "'"


def quoted(name: str) -> str:
    """Give `name` as a SQL identifier."""
    return '"' + name.replace('"', '""') + '"'
