"""Opening what may be broken or hostile: plain files, .gz, .zip and folders, with clear errors.

Nothing is ever unpacked to disk, and what an archive may hold is limited, so a damaged or
malicious archive costs an error message, not the disk or the memory.
"""

from __future__ import annotations

import csv
import os
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import IO, cast

from fercore.data.faces import DataError, Faces
from fercore.plain import cut, plain

# Where it is installed, isal inflates three to four times faster than zlib.
FAST = find_spec("isal") is not None
gzip = import_module("isal.igzip" if FAST else "gzip")
inflate = import_module("isal.isal_zlib" if FAST else "zlib")

MAX_ROWS = 100_000
"""Most images one source may hold: nearly three times FER2013, 230 MB of pixels."""
MAX_LINE = 1 << 19
"""Longest line of a table, in bytes; 2,304 pixels with single spaces take at most 9,215. It is also
what Arrow parses at a time: with a quarter of it reading takes 5 % longer."""
csv.field_size_limit(MAX_LINE)  # else a long cell in quotes is an error of the csv module
MAX_BLANK = 1 << 20
"""Most bytes of blank lines in one go: a packed file may hold them without end."""
MAX_TABLE = MAX_ROWS * 10_000
"""Largest table an archive may declare, in bytes."""
MAX_IMAGE = 1 << 20
"""Largest image file, in bytes; a 48x48 image takes some 2,000."""
MAX_DEPTH = 8
"""Deepest folder that is looked into."""

DAMAGE: tuple[type[Exception], ...] = (EOFError, OSError, RuntimeError, ValueError, struct.error)
DAMAGE += (zlib.error, inflate.error, zipfile.BadZipFile)
"""What is raised on archives that are cut short, damaged or encrypted."""
CLUTTER = ("__MACOSX", "Thumbs.db", "desktop.ini")
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")


@dataclass(frozen=True)
class Found:
    """A source that a reader recognised: its form in words, where it lies, how to read it."""

    form: str
    path: Path
    read: Callable[[], Faces]


def bad(path: Path, expected: str, found: str, *, line: int | None = None) -> DataError:
    """The error for one fault; `line` is 1-based, as an editor counts."""
    place = plain(cut(str(path), 1000)) + ("" if line is None else f", line {line}")
    return DataError(f"{place}: expected {expected}, found {plain(cut(found, 300))}")


@contextmanager
def damage(path: Path) -> Iterator[None]:
    """Turn what damaged or unreadable files raise into a DataError that names the file."""
    try:
        yield
    except DataError:
        raise
    except DAMAGE as error:
        detail = str(error) or type(error).__name__
        raise bad(path, "a whole, readable file", f"a fault: {detail}") from error


def magic(path: Path) -> bytes:
    """The first four bytes of a file."""
    with damage(path), path.open("rb") as file:
        return file.read(4)


def is_zip(path: Path) -> bool:
    """Whether a file begins as .zip archives do (an empty archive included)."""
    return path.is_file() and magic(path) in (b"PK\x03\x04", b"PK\x05\x06")


def is_gzip(path: Path) -> bool:
    """Whether a file begins as .gz files do."""
    return path.is_file() and magic(path)[:2] == b"\x1f\x8b"


def is_clutter(name: str) -> bool:
    """Whether a name is what operating systems leave behind (.DS_Store, Thumbs.db, __MACOSX)."""
    return any(part.startswith(".") or part in CLUTTER for part in name.split("/"))


def is_image(name: str) -> bool:
    """Whether a file's name is that of an image."""
    return name.lower().endswith(IMAGE_SUFFIXES)


def names(path: Path) -> list[str]:
    """Files in a folder or a .zip, clutter left out: sorted, relative, with forward slashes."""
    found = _zipped(path) if path.is_file() else _walked(path)
    kept = sorted(name for name in found if not is_clutter(name))
    if len(set(kept)) < len(kept):
        twice = next(a for a, b in pairwise(kept) if a == b)
        raise bad(path, "each name once", f"{twice!r} twice")
    return kept


def _zipped(path: Path) -> list[str]:
    with damage(path), zipfile.ZipFile(path) as archive:
        found = [info.filename for info in archive.infolist()]
        methods = {info.compress_type for info in archive.infolist()}
        longest = max((info.compress_size for info in archive.infolist()), default=0)
    if longest > path.stat().st_size:  # zipfile would set aside as much memory
        raise bad(path, "a whole, readable file", f"a member of {longest:,} packed bytes")
    if methods - {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:  # others take gigabytes, if told to
        raise bad(path, "a .zip stored or deflated", f"compression methods {sorted(methods)}")
    for name in found:
        parts = name.replace("\\", "/").split("/")  # backslashes and drives are Windows' ways out
        if ".." in parts or not parts[0] or ":" in parts[0]:
            raise bad(path, "names inside the archive's folder", f"{name!r}")
    return [name for name in found if not name.endswith("/")]


def _walked(path: Path) -> Iterator[str]:
    for folder, folders, files in os.walk(path, onerror=_refuse, followlinks=True):
        inside = Path(folder).relative_to(path)
        folders[:] = [name for name in folders if not is_clutter(name)]
        if len(inside.parts) > MAX_DEPTH:
            raise bad(path, f"at most {MAX_DEPTH} folders deep", f"{inside} (a loop of links?)")
        prefix = f"{inside.as_posix()}/" if inside.parts else ""
        yield from (prefix + name for name in files)


def _refuse(error: OSError) -> None:
    """Make os.walk raise, as it would else pass over folders that it may not read."""
    raise error


@contextmanager
def members(path: Path, limit: int) -> Iterator[Callable[[str], bytes]]:
    """A function that reads one file by name from a folder or .zip, at most `limit` bytes."""

    def checked(name: str, size: int) -> None:
        if size > limit:
            raise bad(path / name, f"at most {limit:,} bytes", f"{size:,}")

    def from_folder(name: str) -> bytes:
        file = path / name
        with damage(file):
            if not file.is_file():
                raise bad(file, "a file", "a broken link, a pipe or a device")
            checked(name, file.stat().st_size)
            return file.read_bytes()

    if not path.is_file():
        yield from_folder
        return
    with damage(path), zipfile.ZipFile(path) as archive:

        def from_zip(name: str) -> bytes:
            with damage(path / name):
                checked(name, archive.getinfo(name).file_size)  # zipfile reads no more than this
                return archive.read(name)

        yield from_zip


@contextmanager
def table(path: Path) -> Iterator[IO[bytes]]:
    """The bytes of a table: a plain file, a .gz, or a .zip that holds one file."""
    with damage(path):
        if is_gzip(path):
            with gzip.open(path, "rb") as stream:
                yield cast("IO[bytes]", stream)
        elif is_zip(path):
            with zipfile.ZipFile(path) as archive, archive.open(_only(path, archive)) as member:
                yield member
        else:
            with path.open("rb") as plain:
                yield plain


def _only(path: Path, archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    inside = names(path)
    if len(inside) != 1:
        raise bad(path, "a .zip with one CSV", f"{len(inside)} files: {listed(inside)}")
    info = archive.getinfo(inside[0])
    if info.file_size > MAX_TABLE:
        raise bad(path, f"a table of at most {MAX_TABLE:,} bytes", f"{info.file_size:,}")
    return info


def listed(items: list[str], most: int = 5) -> str:
    """The first items, comma-separated, for a message."""
    return ", ".join(items[:most]) + (", ..." if len(items) > most else "")


def header(path: Path, stream: IO[bytes]) -> list[str]:
    """The column names of a table's first line: lower case, spaces and byte order mark gone."""
    line = stream.readline(MAX_LINE)
    if not line:
        raise bad(path, "a CSV with a header line", "an empty file")
    try:
        text = line.decode("utf-8-sig").strip()
        cells = next(csv.reader([text], strict=True), []) if text.isprintable() else None
    except (UnicodeDecodeError, csv.Error):
        cells = None
    if cells is None:
        raise bad(path, "a CSV in UTF-8 with a header line", f"{line[:20]!r}", line=1)
    return [cell.strip().lower() for cell in cells]


def blank_lines(path: Path) -> DataError:
    """The error for a table that goes on and on without a row."""
    return bad(path, "a row now and then", f"more than {MAX_BLANK:,} bytes of blank lines")


def rows(path: Path, stream: IO[bytes], columns: int) -> Iterator[tuple[int, list[str]]]:
    """Each row after the header with its line number, slowly.

    Cells are decoded as Latin-1, so that each byte stays one character.
    """
    empty = 0
    for line, text in _lines(path, stream):
        if not text:
            empty = empty or line
            continue
        if empty:
            raise bad(path, "a row", "an empty line", line=empty)
        found = cells(text)
        if found is None:
            raise bad(path, "a line of CSV", "a quote that is not closed", line=line)
        if len(found) != columns:
            raise bad(path, f"{columns} fields", f"{len(found)}", line=line)
        yield line, found


def cells(line: bytes) -> list[str] | None:
    """The fields of one line of CSV, as Latin-1; None if a quote is open at its end."""
    reader = csv.reader([line.decode("latin-1"), ""])
    found = next(reader)
    return found if reader.line_num == 1 else None


def _lines(path: Path, stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    r"""Lines after the header with the number of their \n; a lone \r ends one too."""
    blank = 0
    for line, text in enumerate(iter(partial(stream.readline, MAX_LINE), b""), start=2):
        blank = 0 if text.strip(b"\r\n") else blank + len(text)
        if blank > MAX_BLANK:
            raise blank_lines(path)
        if len(text) == MAX_LINE:
            raise bad(path, f"lines under {MAX_LINE:,} bytes", "a longer one", line=line)
        yield from ((line, part) for part in text.splitlines())
