"""What `fercore.data.load` must make of a file, said by a second, slow and simple reading of it.

`judge` loads a case and returns "loaded" or "refused", or raises `WrongError`: another exception
than DataError, a message that does not name the place, faces that the second reading does not find,
a fault named at another line, a file that is good but refused, anything written elsewhere than in
the cache.
"""

from __future__ import annotations

import csv
import gzip
import io
import lzma
import os
import re
import sys
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from PIL import Image

from fercore.data import DataError, Faces, load
from fercore.data.crops import Crops
from tests.fuzz_files import FERPLUS, HEADERS, Case

LIMIT = 8_000_000
"""Bytes of a table that are looked at; more than any file has that is not a bomb."""
LINE = 1 << 19
BLANK = " \t\r\n\x0b\x0c"
NUMBERS = {f"{number:0{digits}d}" for number in range(256) for digits in (1, 2, 3)}
SPLITS = ["Training", "PublicTest", "PrivateTest"]
LABELS = {"ang": 0, "dis": 1, "fea": 2, "afr": 2, "sca": 2, "hap": 3, "joy": 3, "sad": 4}
LABELS |= {"sur": 5, "neu": 6}
DAMAGED = (
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    zlib.error,
    zipfile.BadZipFile,
    lzma.LZMAError,
)


csv.field_size_limit(LIMIT)

T = TypeVar("T")
E = TypeVar("E", bound=Exception)


class WrongError(AssertionError):
    """The reader did not keep its promise; the text says how."""


class Reading(NamedTuple):
    """Rows of a table as (cells of text by column, line), and the first line at fault, if any."""

    rows: list[dict[str, str]]
    fault: int | None


def judge(case: Case, cache: Path) -> str:
    """Load a case; "loaded" or "refused". Raises `WrongError`. cache: FERCORE_CACHE."""

    def read() -> tuple[Faces, Faces]:
        faces = load(case.path, ferplus=case.votes)
        return faces, load(case.path, ferplus=case.votes) if len(faces) % 2 else faces

    found = attempt(read, DataError, cache)
    if isinstance(found, DataError):
        check_message(str(found), case)
        _check_refusal(str(found), case)
        return "refused"
    faces, again = found
    if again.fingerprint != faces.fingerprint:
        raise WrongError("the cache holds other faces than were read")
    check_faces(faces, case)
    return "loaded"


def attempt(read: Callable[[], T], allowed: type[E] | tuple[type[E], ...], cache: Path) -> T | E:
    """What `read` returns, or the error that it may raise; anything else is a `WrongError`."""
    try:
        with watched(cache), warnings.catch_warnings():
            warnings.simplefilter("error")
            return read()
    except allowed as error:
        return error
    except (WrongError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise WrongError(f"{type(error).__name__}: {error}") from error


@contextmanager
def watched(cache: Path) -> Iterator[None]:
    """Raise `WrongError` if anything is opened for writing, made or moved outside the cache."""
    watch.cache, watch.faults = str(cache), []
    try:
        yield
    finally:
        faults, watch.cache = watch.faults, None
    if faults:
        raise WrongError(f"written outside the cache: {faults}")


class watch:  # noqa: N801 (a namespace)
    cache: str | None = None
    faults: list[str] = []  # noqa: RUF012


def _on_event(event: str, arguments: tuple[Any, ...]) -> None:
    if watch.cache is None:
        return
    if event == "open" and isinstance(arguments[2], int):
        writing = arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        paths = arguments[:1] if writing else ()
    elif event in ("os.mkdir", "os.rename", "os.link", "os.symlink", "shutil.copyfile"):
        paths = arguments[:2] if event != "os.mkdir" else arguments[:1]
    elif event in ("subprocess.Popen", "os.exec", "os.system", "os.posix_spawn"):
        watch.faults.append(f"{event} {arguments[:2]}")
        paths = ()
    else:
        return
    for path in paths:
        if not isinstance(path, int) and not os.fsdecode(path).startswith(watch.cache):
            watch.faults.append(f"{event} {path!r}")


sys.addaudithook(_on_event)


# ---------------------------------------------------------------- what was said


def check_message(message: str, case: Case) -> None:
    named = [case.path, *([case.votes] if case.votes else [])]
    if not any(message.startswith(str(path)) for path in named):
        raise WrongError(f"the message does not begin with the path: {message!r}")
    if not message.isprintable() or len(message) > 2000:
        raise WrongError(
            f"not one printable, readable line: {message[:300]!r} ({len(message)} long)"
        )


def _check_refusal(message: str, case: Case) -> None:
    """A table in order must not be refused, and a fault must be named at its line."""
    table = case.votes or case.path
    if table.is_dir() or (not case.votes and _holds_images(table)):
        return
    if (text := unpacked(table)) is None or any_long(text):
        return
    columns = FERPLUS if case.votes else None
    reading = read_table(text, columns)
    if reading is None:
        return
    if reading.fault is None and reading.rows and _fits(reading, case):
        raise WrongError(f"in order, but refused: {message}")
    named = re.match(r", line (\d+): ", message[len(str(table)) :])
    found = int(named[1]) if named else None
    if reading.rows and reading.fault != found and not (case.votes and reading.fault is None):
        raise WrongError(f"the first fault is in line {reading.fault}, not in {found}: {message}")


def any_long(text: bytes) -> bool:
    """Whether a line is longer than the reader allows."""
    return len(text) >= LIMIT or max(map(len, text.split(b"\n"))) >= LINE - 1


def _fits(reading: Reading, case: Case) -> bool:
    if case.votes is None:
        return True
    usages = [row["usage"].strip() for row in reading.rows]
    return usages == _table(case.path)[2]


# ---------------------------------------------------------------- what was read


def check_faces(faces: Faces | Crops, case: Case) -> None:
    found = [image.tobytes() for image in faces.images]
    labels, splits = faces.labels.tolist(), faces.splits.tolist()
    if case.path.is_dir() or _holds_images(case.path):
        images, counts = _pictures(case.path)
        same = sorted(found) == sorted(images) and sorted(labels) == sorted(counts)
    else:
        same = (found, labels, splits) == _table(case.path)
    if not same:
        raise WrongError(
            f"{len(found)} faces, labels {labels}, splits {splits}: not those in the file"
        )
    if case.votes is not None and isinstance(faces, Faces):
        _check_votes(faces, case.votes)


def _check_votes(faces: Faces, path: Path) -> None:
    reading = read_table(unpacked(path) or b"", FERPLUS)
    if reading is None or faces.votes is None:
        raise WrongError("votes from a table that is none")
    expected = [[int(row[name]) for name in list(row)[2:]] for row in reading.rows]
    if faces.votes.tolist() != expected:
        raise WrongError(f"votes {faces.votes.tolist()}, not {expected}")


def _table(path: Path) -> tuple[list[bytes], list[int], list[str]]:
    text = unpacked(path)
    reading = None if text is None else read_table(text)
    if reading is None or reading.fault is not None:
        raise WrongError(
            f"loaded, but {'damaged' if reading is None else f'line {reading.fault} is at fault'}"
        )
    images, labels, splits = [], [], []
    for row in reading.rows:
        pixels, label = (
            row.get("pixels", row.get("feature", "")),
            row.get("emotion", row.get("label")),
        )
        images.append(bytes(map(int, pixels.split())))
        labels.append(-1 if label is None else int(label))
        default = "PublicTest" if label is None else "Training"
        splits.append(row.get("usage", default).strip())
    return images, labels, splits


def read_table(text: bytes, columns: str | None = None) -> Reading | None:
    """The rows before the first fault; None where the header is that of no form."""
    head, *lines = text.split(b"\n")
    try:
        title = head.decode("utf-8-sig").strip()
        cells = next(csv.reader([title], strict=True))
    except (UnicodeDecodeError, csv.Error, StopIteration):
        return None
    header = [cell.strip().lower() for cell in cells if title.isprintable()]
    wanted = [columns] if columns else HEADERS.values()
    forms = [[cell.strip().lower() for cell in form.split(",")] for form in wanted]
    if sorted(header) not in map(sorted, forms) or (columns and header not in forms):
        return None
    rows: list[dict[str, str]] = []
    empty = None
    for number, line in enumerate(lines, start=2):
        for part in (line + b"\n").splitlines():  # a lone \r ends a line too
            if not part:
                empty = empty or number
                continue
            if empty:  # and a row after it
                return Reading(rows, empty)
            reader = csv.reader([part.decode("latin-1"), ""])
            row = _row(next(reader), header)
            if row is None or reader.line_num > 1:  # a quote that is not closed
                return Reading(rows, number)
            rows.append(row)
    return Reading(rows, None)


def _row(cells: list[str], header: list[str]) -> dict[str, str] | None:
    row = dict(zip(header, cells, strict=False))
    good = len(cells) == len(header) and all(_good(*item) for item in row.items())
    return row if good else None


def _good(name: str, text: str) -> bool:
    if name in ("emotion", "label"):
        return text.strip(BLANK) in list("0123456")
    if name in ("pixels", "feature"):
        words = re.split(rf"[{BLANK}]+", text.strip(BLANK))
        return len(words) == 48 * 48 and NUMBERS.issuperset(words)
    if name == "usage":
        return text.strip(BLANK) in SPLITS
    if name in ("id", "image name"):
        return True
    return text.strip() in {str(votes) for votes in range(11)}


def unpacked(path: Path) -> bytes | None:
    """The text of a table, at most LIMIT bytes; None where the archive is damaged or holds more."""
    body = path.read_bytes()
    try:
        if body[:2] == b"\x1f\x8b" and body[3] & 2:
            return None  # the header has a checksum, which the standard library does not check
        if body[:2] == b"\x1f\x8b":
            with gzip.open(io.BytesIO(body)) as stream:
                return stream.read(LIMIT)
        if body[:4] in (b"PK\3\4", b"PK\5\6"):
            with zipfile.ZipFile(path) as archive:
                (name,) = _members(archive)
                if archive.getinfo(name).file_size > 10**9:
                    return None
                with archive.open(name) as member:
                    return member.read(LIMIT)
    except DAMAGED:
        return None
    return body


def _members(archive: zipfile.ZipFile) -> list[str]:
    infos = archive.infolist()
    if any(info.compress_type not in (0, 8) for info in infos):
        raise ValueError("neither stored nor deflated")
    if any(info.compress_size > Path(archive.filename or "").stat().st_size for info in infos):
        raise ValueError("a member that is longer than the archive")
    names = [info.filename for info in infos]
    if any(
        re.match(r"$|[/\\]|[^/\\]*:", name) or ".." in re.split(r"[/\\]", name) for name in names
    ):
        raise ValueError("a name that leads out of the archive's folder")
    return [name for name in names if not name.endswith("/") and not _clutter(name)]


def _clutter(name: str) -> bool:
    parts = name.split("/")
    system = {"Thumbs.db", "desktop.ini", "__MACOSX"} & set(parts)
    return bool(system) or any(part[:1] == "." for part in parts)


def _holds_images(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return path.read_bytes()[:2] == b"PK" and any(map(_is_picture, _members(archive)))
    except DAMAGED:
        return False


def _is_picture(name: str) -> bool:
    return name.lower().endswith((".png", ".jpg", ".jpeg"))


def _pictures(path: Path) -> tuple[list[bytes], list[int]]:
    """Pixels and labels of every image, in no order."""
    chosen = pictures(path)
    arrays = [np.asarray(Image.open(io.BytesIO(body))) for body in chosen.values()]
    if any(array.shape != (48, 48) or array.dtype != np.uint8 for array in arrays):
        raise WrongError("loaded an image that is not 8-bit grey of 48x48")
    labels = [LABELS[name.split("/")[-2].lower()[:3]] for name in chosen]
    return [array.tobytes() for array in arrays], labels


def pictures(path: Path) -> dict[str, bytes]:
    """Content of every image in a folder or .zip by its name."""
    if path.is_dir():
        walked = (
            Path(top, name) for top, _, names in os.walk(path, followlinks=True) for name in names
        )
        found = {
            file.relative_to(path).as_posix(): file for file in walked if _is_picture(file.name)
        }
        return {name: file.read_bytes() for name, file in found.items() if not _clutter(name)}
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in _members(archive) if _is_picture(name)}
