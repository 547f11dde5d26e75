"""Every error of receiving says what is wrong and how to mend it in Chinese and in English."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import settlement

PACKAGE = Path(str(settlement.__file__)).parent
RECEIVING = [
    *sorted((PACKAGE / "contract").glob("*.py")),
    *sorted((PACKAGE / "intake").glob("*.py")),
    PACKAGE / "tasks" / "loading.py",
]
CHINESE = re.compile("[\u4e00-\u9fff]")


def errors(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "SettlementError":
            yield node


def is_said_in_chinese(words: ast.expr, named: dict[str, ast.expr]) -> bool:
    """True for words with Chinese in them, and for those of another error or an argument as they are."""
    if isinstance(words, ast.Attribute) or (isinstance(words, ast.Name) and words.id not in named):
        return True
    return any(
        (isinstance(part, ast.Constant) and isinstance(part.value, str) and CHINESE.search(part.value))
        or (isinstance(part, ast.Name) and (part.id == "chinese" or has_chinese(named.get(part.id))))
        for part in ast.walk(words)
    )


def has_chinese(words: ast.expr | None) -> bool:
    return words is not None and bool(CHINESE.search(ast.unparse(words)))


@pytest.mark.parametrize("path", RECEIVING, ids=lambda path: path.name)
def test_what_receiving_refuses_is_said_in_both_languages(path: Path) -> None:
    tree = ast.parse(path.read_text())
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    missing = [
        f"{path.name}:{words.lineno}"
        for error in errors(tree)
        for words in error.args[1:]
        if not is_said_in_chinese(words, named)
    ]
    assert missing == []
