"""Takes from a chapter whatever a browser would fetch or run."""

from __future__ import annotations

import re

from bs4.element import Tag

_LOADS = ["script", "link", "iframe", "object", "embed", "base", "meta"]
_SOURCES = {"srcset", "poster", "background", "ping", "xlink:href"}
_ELSEWHERE = re.compile(r"^(?!data:|#)")
_FETCHED = re.compile(r"@import[^;]*;?|url\(\s*(?![\"']?(?:data:|#))[^)]*\)", re.IGNORECASE)


def make_offline(section: Tag) -> None:
    """Drop scripts, frames and links to files elsewhere; a picture leaves its description.

    The page's policy (`fercore.report.assets.policy`) forbids the same: this keeps the console
    of the browser silent, and the page good where a policy is not obeyed.
    """
    for tag in [*section.find_all(_LOADS), *section.find_all("image", href=_ELSEWHERE)]:
        tag.decompose()
    for tag in section.find_all(src=_ELSEWHERE):
        tag.replace_with(f"[{tag.get('alt') or tag['src']}: not embedded]")
    for tag in section.find_all(True):
        for name in _SOURCES & tag.attrs.keys():
            if _ELSEWHERE.match(str(tag[name])):
                del tag[name]
    for sheet in section.find_all("style"):
        sheet.string = _FETCHED.sub("", sheet.get_text())
    for tag in section.find_all(style=_FETCHED):
        tag["style"] = _FETCHED.sub("none", str(tag["style"]))
