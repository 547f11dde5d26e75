"""Text of others inside our Markdown: Airflow renders the notes of runs and the words of questions.

What a sender, a bank or a register wrote is shown as it is written and renders nothing: no picture that the reader's
browser would fetch, no link, no HTML, no table of its own, no line of its own. Addresses stand as code, because the
renderer makes links of bare ones too.
"""

import re
import unicodedata

INVISIBLE = ("Cc", "Cf", "Zl", "Zp", "Co", "Cn", "Cs")
ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://|www\.|mailto:|xmpp:)[^\s]*|[\w.+-]+@[\w.-]+", re.IGNORECASE)
SPECIAL = re.compile(r"[\\`*\[\]<>|~&$]|(?<![^\W_])_|_(?![^\W_])")
START_OF_BLOCK = re.compile(r"^(\s*)([#+=-]|\d+(?=[.)]))")


def plain(text: object) -> str:
    """Write a text so that Markdown shows it as it is, in a line or in a cell of a table."""
    visible = _visible(str(text))
    parts, end = [], 0
    for address in ADDRESS.finditer(visible):
        parts += [_escaped(visible[end : address.start()]), _code(address.group())]
        end = address.end()
    parts.append(_escaped(visible[end:]))
    return START_OF_BLOCK.sub(_harmless_start, "".join(parts))


def _visible(text: str) -> str:
    """Put line ends and what nobody can see in signs that everybody can."""
    return "".join(f"⟨U+{ord(sign):04X}⟩" if unicodedata.category(sign) in INVISIBLE else sign for sign in text)


def _escaped(text: str) -> str:
    return SPECIAL.sub(r"\\\g<0>", text)


def _code(text: str) -> str:
    """Set a text as code: behind a fence longer than any in it. A cell of a table ends at a bar even in code."""
    longest = max((len(ticks) for ticks in re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    padding = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{padding}{text.replace('|', '¦')}{padding}{fence}"


def _harmless_start(match: re.Match[str]) -> str:
    """Keep a beginning from making a heading or a list: `1.` needs its dot escaped, every other sign itself."""
    space, sign = match.groups()
    return f"{space}{sign}\\" if sign.isdigit() else f"{space}\\{sign}"
