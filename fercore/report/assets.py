"""What the page carries besides its text: style sheet, scripts, and the policy that seals it."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path

import vl_convert
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]

from fercore.language import FONTS

TEMPLATES = Path(__file__).parent / "templates"


@cache
def css(language: str) -> str:
    """Our style sheet with the language's font, and the colours of code on light and dark paper."""
    sheet = (TEMPLATES / "report.css").read_text(encoding="utf-8")
    light, chosen = (
        _code("xcode", ".highlight"),
        _code("github-dark", "[data-theme=dark] .highlight"),
    )
    system = _code("github-dark", ":root:not([data-theme=light]) .highlight")
    dark = f"@media (prefers-color-scheme: dark) {{\n{system}\n}}\n{chosen}"
    return f"{sheet}\n{light}\n@media screen {{\n{dark}\n}}{_font(language)}"


def _font(language: str) -> str:
    """The reader's own fonts for the language, and behind them the one that comes with us."""
    if language not in FONTS:
        return ""
    data = base64.b64encode(FONTS[language].regular.read_bytes()).decode()
    template = (TEMPLATES / f"{language}.css").read_text(encoding="utf-8")
    return "\n" + template.replace("FONT_DATA", data)


def _code(style: str, where: str) -> str:
    return str(HtmlFormatter(style=style, nobackground=True).get_style_defs(where))


@cache
def scripts(charts: bool) -> tuple[str, ...]:
    """The page's own script, and after it Vega's (0.9 MB) if the page has charts."""
    own = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    return (
        (own, vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")) if charts else (own,)
    )


def policy(scripts: tuple[str, ...], fonts: bool = False) -> str:
    """Content security policy: these scripts and no others, nothing from anywhere.

    fonts: whether the page embeds one.
    """
    hashes = (hashlib.sha256(script.encode()).digest() for script in scripts)
    allowed = " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in hashes)
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"{'font-src data:; ' if fonts else ''}script-src {allowed}; base-uri 'none'; "
        "form-action 'none'"
    )
