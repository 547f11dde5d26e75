"""What a sender wrote renders nothing, judged by a Markdown renderer that also makes links of bare addresses."""

import pytest
from markdown_it import MarkdownIt

from settlement.markdown import plain

HOSTILE = {
    "picture": "![x](http://127.0.0.1:9999/md.png)",
    "link": "[official site](https://evil.example)",
    "reference link": "[a][b]",
    "bare address": "see https://evil.example/a?b=c now",
    "bare www": "see www.example.com now",
    "mail": "write to boss@example.com",
    "address in angle brackets": "<https://evil.example>",
    "html": "<img src=x onerror=alert(1)><b>bold</b>",
    "entity": "&lt;b&gt; &#x41;",
    "emphasis": "*a* **b** _c_ __d__ ~~e~~",
    "code": "`rm -rf` ```x```",
    "address with code": "http://e.example/`x`y`",
    "heading": "# big",
    "list": "- one",
    "numbered list": "1. one",
    "lines": "one\n\n# two\r\n---\nthree",
    "escape": "\\[x](y)",
    "formula": "$x$ $$y$$",
}
RENDERED = {"image", "link_open", "html_inline", "html_block", "em_open", "strong_open", "s_open", "heading_open"}
RENDERED |= {"bullet_list_open", "ordered_list_open", "fence", "code_block", "hr", "blockquote_open", "hardbreak"}


@pytest.fixture(scope="module")
def renderer() -> MarkdownIt:
    return MarkdownIt("gfm-like", {"linkify": True, "html": True})


def kinds(renderer: MarkdownIt, text: str) -> set[str]:
    tokens = renderer.parse(text)
    return {inner.type for token in tokens for inner in [token, *(token.children or [])]}


def shown(renderer: MarkdownIt, text: str) -> str:
    tokens = renderer.parse(text)
    return "".join(inner.content for token in tokens for inner in token.children or [])


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_a_sender_wrote_renders_nothing(renderer: MarkdownIt, text: str) -> None:
    assert not kinds(renderer, plain(text)) & RENDERED
    assert not kinds(renderer, f"{plain(text)}: rejected") & RENDERED


@pytest.mark.parametrize("name", sorted(set(HOSTILE) - {"reference link", "escape", "entity", "formula"}))
def test_the_renderer_would_have_rendered_it(renderer: MarkdownIt, name: str) -> None:
    assert kinds(renderer, HOSTILE[name]) & (RENDERED | {"code_inline"})


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in ("lines", "bare www")])
def test_it_is_shown_as_it_was_written(renderer: MarkdownIt, name: str) -> None:
    assert shown(renderer, plain(HOSTILE[name])) == HOSTILE[name]


def test_line_ends_and_invisible_signs_are_shown() -> None:
    assert plain("a\nb\u200bc\u202ed") == "a⟨U+000A⟩b⟨U+200B⟩c⟨U+202E⟩d"


def test_a_bar_makes_no_cell(renderer: MarkdownIt) -> None:
    html = renderer.render(f"| name | amount |\n|---|---|\n| {plain('a | b www.x.example/|y')} | 1.00 |\n")
    assert html.count("<td>") == 2
    assert "a | b" in html


def test_our_own_words_stay_as_they_are() -> None:
    text = "accepted: 1,204 read, 1,199 accepted, 5 refused; 3 reasons (by platform); R_SUM_FUND 统筹区"
    assert plain(text) == text
