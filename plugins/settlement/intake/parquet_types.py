"""Typed Parquet values as the contract would have them in text, and which types cannot carry what a column holds."""

from settlement.contract.manifest import DeliveredFile
from settlement.contract.tables import Column
from settlement.errors import SettlementError
from settlement.invisible import stripped_in_engine

FLOATS = ("FLOAT", "DOUBLE")
AMOUNTS = ("money", "decimal", "ratio")
NAMES = ("text", "code")
WHOLE_NUMBERS = ("int", "flag")
EXACT_TO = 2**53
"""Whole numbers up to here are exact in a 64-bit float."""
SHANGHAI = "'Asia/Shanghai'"


def carries(column: Column, type_name: str) -> bool:
    """False where a value of the type is not the value that was meant.

    A 32-bit float (16-bit ones are read as such) has seven digits: 1234567.89 is not in it. A 64-bit float has
    fifteen, and its shortest text is what was written; what was computed with it, such as 0.30000000000000004, shows
    itself as an amount with too many decimals and is refused row by row. Ids and codes are no numbers at all: a float
    has lost their last digits and their leading zeros.
    """
    if type_name == "FLOAT":
        return column.kind not in (*AMOUNTS, *NAMES)
    return not (type_name == "DOUBLE" and column.kind in NAMES)


def inexact(file: DeliveredFile, column: Column, type_name: str) -> SettlementError:
    """The error for a column whose type cannot carry its values."""
    bits = "32" if type_name == "FLOAT" else "64"
    is_amount = column.kind in AMOUNTS
    what, chinese = ("an amount", "金额") if is_amount else ("a code or id", "代码")
    wanted = "decimal(18,2) or text (请改用 decimal(18,2) 或文本类型)" if is_amount else "text (请改用文本类型)"
    return SettlementError(
        "column_type",
        f"{file.name}: the column {column.name} holds {bits}-bit floats, which cannot carry {what}"
        f" ({bits} 位浮点数不能承载{chinese})",
        f"write it as {wanted}",
    )


def as_text(name: str, type_name: str, column: Column) -> str:
    """SQL for a typed value as the contract would have it in text; a day that came as a time of midnight is a day."""
    if type_name.startswith("DECIMAL"):
        text = f"{name}::VARCHAR"
        return f"case when contains({text}, '.') then rtrim(rtrim({text}, '0'), '.') else {text} end"
    if type_name in FLOATS and column.kind in WHOLE_NUMBERS:
        is_whole = f"{name} = trunc({name}) and abs({name}) <= {EXACT_TO}"
        return f"case when {is_whole} then {name}::BIGINT::VARCHAR else {name}::VARCHAR end"
    if type_name == "BOOLEAN":
        return f"{name}::INTEGER::VARCHAR"
    if type_name == "BLOB":
        return f"nullif({stripped_in_engine(f'decode({name})')}, '')"  # text that its writer did not mark as such
    if type_name.startswith("TIMESTAMP"):
        wall_clock = f"timezone({SHANGHAI}, {name})" if type_name.endswith("WITH TIME ZONE") else name
        if column.kind == "date":
            day = f"{wall_clock}::DATE"
            return f"case when {wall_clock} = {day} then {day}::VARCHAR else {wall_clock}::VARCHAR end"
        return f"{wall_clock}::VARCHAR"
    return f"nullif({stripped_in_engine(f'({name}::VARCHAR)')}, '')"
