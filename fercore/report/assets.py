"""What the page carries besides its text: style sheet, scripts, and the policy that seals it."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

import vl_convert
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

TEMPLATES = Path(__file__).parent / "templates"


@cache
def css() -> str:
    """Our style sheet, then the colours of code on light and on dark paper."""
    sheet = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    light, chosen = (
        _code("xcode", ".highlight"),
        _code("github-dark", "[data-theme=dark] .highlight"),
    )
    system = _code("github-dark", ":root:not([data-theme=light]) .highlight")
    dark = f"@media (prefers-color-scheme: dark) {{\n{system}\n}}\n{chosen}"
    return f"{sheet}\n{light}\n@media screen {{\n{dark}\n}}"


def _code(style: str, where: str) -> str:
    return str(HtmlFormatter(style=style, nobackground=True).get_style_defs(where))


@cache
def scripts(charts: bool) -> tuple[str, ...]:
    """The page's own script, and after it Vega's (0.9 MB) if the page has charts."""
    own = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    return (
        (own, vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")) if charts else (own,)
    )


def policy(scripts: tuple[str, ...]) -> str:
    """Content security policy: these scripts and no others, nothing from anywhere."""
    hashes = (hashlib.sha256(script.encode()).digest() for script in scripts)
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in hashes)
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {allowed}; base-uri 'none'; form-action 'none'"
    )
