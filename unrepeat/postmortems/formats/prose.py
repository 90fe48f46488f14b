"""People's Markdown, made harmless: as HTML (markdown-it without raw HTML, then nh3), and as Markdown without raw HTML or script links."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_TAGS = {
    *("p", "br", "hr", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "h3", "h4", "h5"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}}
_SCHEMES = {"http", "https", "mailto"}
_SCRIPT_LINK = re.compile(r"(\]\(|\]:)(?=[\s<]*(?:javascript|vbscript|data|file)\s*:)", re.IGNORECASE)


@cache
def _reader() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "breaks": False}).enable(["table", "strikethrough"])
    made.add_render_rule("image", _image_as_link)
    made.core.ruler.push("lower_headings", _lower_headings)
    return made


def _image_as_link(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any) -> str:
    """A picture from elsewhere would be an outside request and a way to watch readers: it becomes a link."""
    token = tokens[index]
    said = renderer.renderInlineAsText(token.children or [], options, env) or "picture"
    return f'<a href="{_escape(str(token.attrs.get("src", "")))}">{_escape(said)}</a>'


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def _lower_headings(state: Any) -> None:
    """A heading inside a section stands below the section's own (h2)."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + 2, 5)}"


@lru_cache(maxsize=256)
def to_html(text: str) -> str:
    """The Markdown as HTML: no raw HTML, no script, no picture from elsewhere, links to the web and mail only."""
    return nh3.clean(
        _reader().render(text), tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener nofollow"
    )


def to_text(text: str) -> str:
    """The words of the Markdown, for search: one line."""
    return " ".join(
        nh3.clean(_reader().render(text), tags=set())
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
        .split()
    )


@cache
def _html_finder() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": True})


def to_markdown(text: str) -> str:
    """The Markdown, safe for a reader that lets raw HTML and script links through; headings stand below the section's."""
    safe = _SCRIPT_LINK.sub(lambda found: f"]\\{found[1][1:]}", text)
    for _ in range(10):
        raw = sorted(_raw_html(safe), key=len, reverse=True)
        if not raw:
            break
        for tag in raw:
            safe = safe.replace(tag, tag.replace("<", "\\<"))
    else:
        safe = safe.replace("<", "&lt;")
    return _lowered(safe).strip()


def _lowered(text: str) -> str:
    """The Markdown with its headings two levels lower."""
    lines = text.split("\n")
    for token in _html_finder().parse(text):
        if token.type != "heading_open" or not token.map or token.level:
            continue
        first, after = token.map
        if token.markup.startswith("#"):
            lines[first] = f"##{lines[first].lstrip()}"
        else:  # underlined
            lines[first], lines[after - 1] = f"{'###' if token.markup == '=' else '####'} {lines[first].lstrip()}", ""
    return "\n".join(lines)


def _raw_html(text: str) -> set[str]:
    found = set()
    for token in _html_finder().parse(text):
        for part in (token, *(token.children or ())):
            if part.type in ("html_block", "html_inline"):
                found.add(part.content)
    return found
