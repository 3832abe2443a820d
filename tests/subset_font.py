"""Makes the font of the Chinese report: `python -m tests.subset_font FILES`.

FILES is files/ of the npm package @fontsource/noto-sans-tc (`npm pack @fontsource/noto-sans-tc`):
Noto Sans TC, under the SIL Open Font License, in pieces by use, the commonest last. Kept are the
characters of the catalogue, of ASCII, and of the `COMMON` commonest pieces, so that a new
sentence seldom needs a new font.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from fontTools.merge import Merger
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

from fercore.language import FONTS, catalogue

LANGUAGE, COMMON = "zh-TW", 4
SYMBOLS = "".join(map(chr, range(0x20, 0x7F))) + "±−×→–·…≈“”‘’°²"
TABLES = ["GPOS", "GSUB", "GDEF", "BASE", "STAT", "vhea", "vmtx", "gasp", "prep"]
"""What neither drawings nor Typst need here; without them the pieces can be merged."""


def letters(language: str = LANGUAGE) -> set[str]:
    """Every character that the language's catalogue prints."""
    return set("".join(catalogue(language).values())) - {"\n"}


def _pieces(folder: Path, weight: int) -> list[Path]:
    """Latin first, then the numbered pieces, the commonest characters first."""
    found = {
        int(number[1]): path
        for path in folder.glob(f"noto-sans-tc-*-{weight}-normal.woff")
        if (number := re.match(r"noto-sans-tc-(\d+)-", path.name))
    }
    latin = folder / f"noto-sans-tc-latin-{weight}-normal.woff"
    return [latin, *(found[number] for number in sorted(found, reverse=True))]


def _cut(pieces: Iterable[Path], wanted: set[int]) -> list[TTFont]:
    """Of each piece what is wanted and no earlier piece had; of the first ones all they have."""
    fonts, had = [], set[int]()
    for place, path in enumerate(pieces):
        font = TTFont(path)
        there = set(font.getBestCmap())
        keep = (there if 0 < place <= COMMON else there & wanted) - had
        if keep:
            options = Options(hinting=False, drop_tables=TABLES, name_IDs=[0, 13, 14])
            subsetter = Subsetter(options)
            subsetter.populate(unicodes=keep)
            subsetter.subset(font)
            font.flavor = None
            fonts.append(font)
            had |= keep
    missing = "".join(map(chr, sorted(wanted - had)))
    print(f"{len(had)} characters; the font has none for: {missing or 'nothing'}")
    return fonts


def _write(folder: Path, weight: int, target: Path) -> None:
    parts = []
    wanted = set(map(ord, letters() | set(SYMBOLS)))
    for number, font in enumerate(_cut(_pieces(folder, weight), wanted)):
        parts.append(target.with_name(f".part-{number}.ttf"))
        font.save(parts[-1])
    try:
        merged = Merger().merge([str(part) for part in parts])
    finally:
        for part in parts:
            part.unlink()
    family, style = FONTS[LANGUAGE].family, target.stem.partition("-")[2]
    for number, text in {1: family, 2: style, 4: f"{family} {style}", 6: target.stem}.items():
        merged["name"].setName(text, number, 3, 1, 0x409)
    merged["OS/2"].usWeightClass = weight
    merged["OS/2"].fsSelection = 0x20 if style == "Bold" else 0x40
    merged["head"].macStyle = int(style == "Bold")
    merged.save(target)
    print(f"{target}: {target.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    _write(Path(sys.argv[1]), 400, FONTS[LANGUAGE].regular)
    _write(Path(sys.argv[1]), 700, FONTS[LANGUAGE].bold)
