"""The text for users as an answer: JSON, or a page for people where the browser asks for one."""

from __future__ import annotations

from html import escape

from feedbackloop.gateway.asgi import Answer, answer
from feedbackloop.gateway.notice import Notice, Section

_HTML = (b"content-type", b"text/html; charset=utf-8")
_HEADERS = (
    (b"cache-control", b"no-cache"),
    (b"vary", b"accept"),
    (b"x-content-type-options", b"nosniff"),
)
_PAGE_ONLY = ((b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),)
_STYLE = (
    "body{max-width:42rem;margin:2rem auto;padding:0 1rem;font:1.05rem/1.6 system-ui,sans-serif}h1,h2{line-height:1.3}"
)
_TITLE = "What this service collects, and why"


def answer_of(notice: Notice, accept: bytes = b"") -> Answer:
    """The answer to `GET /v1/privacy` with this Accept header."""
    if prefers_html(accept):
        return Answer(200, page(notice).encode(), (_HTML, *_HEADERS, *_PAGE_ONLY))
    return answer(200, {**notice.content, "policySha256": notice.sha256}, headers=_HEADERS)


def prefers_html(accept: bytes) -> bool:
    """Whether HTML is named before JSON, as browsers do; programs that name neither get JSON."""
    kinds = [part.partition(b";")[0].strip().lower() for part in accept[:1000].split(b",")]
    wanted = [kind for kind in kinds if kind in (b"text/html", b"application/xhtml+xml", b"application/json")]
    return bool(wanted) and wanted[0] != b"application/json"


def page(notice: Notice) -> str:
    """Headings, paragraphs and lists, readable without style, script or picture."""
    own = "".join(f"<p>{escape(line)}</p>" for line in notice.own_words.split("\n") if line.strip())
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_TITLE}</title><style>{_STYLE}</style></head><body><main><h1>{_TITLE}</h1>{own}"
        f"{''.join(map(_section, notice.sections))}"
        f"<p>Version {escape(notice.policy_version)} of this text. Its fingerprint (SHA-256): "
        f"<code>{notice.sha256}</code></p></main></body></html>"
    )


def _section(section: Section) -> str:
    paragraphs = "".join(f"<p>{escape(sentence)}</p>" for sentence in section.sentences)
    items = "".join(f"<li>{escape(item)}</li>" for item in section.items)
    listed = f"<ul>{items}</ul>" if items else ""
    title = f'<h2 id="{section.key}">{escape(section.title)}</h2>'
    return f'<section aria-labelledby="{section.key}">{title}{paragraphs}{listed}</section>'
