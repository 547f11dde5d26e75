"""Characters that nobody sees: which they are, taken off the ends of what is delivered, and shown where they stay.

Systems that export to spreadsheets, read from the web or from fixed-width files leave them around a value. To a
computer `5300000000000000001` and the same digits with a no-break space behind them are two numbers, so one rule for
every format takes them off before anything is compared.
"""

import re

RANGES = (
    (0x0000, 0x0020),  # control characters and the blank
    (0x007F, 0x00A0),  # more of them, and the no-break space
    (0x00AD, 0x00AD),  # soft hyphen
    (0x034F, 0x034F),
    (0x061C, 0x061C),
    (0x115F, 0x1160),
    (0x1680, 0x1680),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x2000, 0x200F),  # blanks of every width, zero width among them, and marks of direction
    (0x2028, 0x202F),
    (0x205F, 0x206F),
    (0x2800, 0x2800),
    (0x3000, 0x3000),  # ideographic space
    (0x3164, 0x3164),
    (0xE5E5, 0xE5E5),  # what GB18030 makes of the blank A3A0 of old Chinese software
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),  # byte order mark
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0xE0000, 0xE0FFF),
)
"""First and last code point of each range of Unicode."""

NAMES = {0x00: "NUL", 0x09: "TAB", 0x0A: "LF", 0x0D: "CR", 0x1B: "ESC", 0x7F: "DEL"}
"""Control characters that people know by a name; the others are shown by number."""

_CLASS = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in RANGES)
_ENDS = re.compile(f"^[{_CLASS}]+|[{_CLASS}]+$")
_INVISIBLE = re.compile(f"[{_CLASS}]")
IN_ENGINE = "".join(f"\\x{{{first:x}}}-\\x{{{last:x}}}" for first, last in RANGES)
"""They as the inside of a character class of DuckDB's patterns."""


def stripped(text: str) -> str:
    """Give `text` without invisible characters at either end."""
    return _ENDS.sub("", text)


def stripped_in_engine(text: str) -> str:
    """The same as SQL of DuckDB over the column or expression `text`.

    To look at the first and the last character costs a tenth of a pattern, and nearly every value needs no more.
    """
    plain = f"{text} between '!' and '~' and {text}[-1] between '!' and '~'"
    return f"case when {plain} then {text} else regexp_replace({text}, '^[{IN_ENGINE}]+|[{IN_ENGINE}]+$', '', 'g') end"


def without_invisible(text: str) -> str:
    """Give `text` without invisible characters anywhere; blanks stay."""
    return _INVISIBLE.sub(lambda found: " " if found[0] == " " else "", text)


def shown(text: str) -> str:
    """Give `text` with a name in place of every character that cannot be seen: ⟨TAB⟩, ⟨U+00A0⟩. Blanks stay."""
    return _INVISIBLE.sub(lambda found: found[0] if found[0] == " " else _name(ord(found[0])), text)


def names_of(text: str) -> list[str]:
    """The names of the invisible characters in `text`, each once, blanks aside."""
    return list(dict.fromkeys(_name(ord(character)) for character in _INVISIBLE.findall(text) if character != " "))


def _name(code_point: int) -> str:
    return f"⟨{NAMES.get(code_point, f'U+{code_point:04X}')}⟩"
