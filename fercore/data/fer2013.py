"""The CSV forms of FER2013: one face per line, its pixels in one field.

Rows without a ``Usage`` column are Training where they carry labels and PublicTest, with label
-1, where they do not. No row is ever left out: whatever is wrong is an error with its line.
"""

from __future__ import annotations

import os
from codecs import BOM_UTF8
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, read_csv

from fercore.data import pixels
from fercore.data.faces import EMOTIONS, SIDE, SPLITS, UNLABELLED, DataError, Faces
from fercore.data.files import (
    MAX_BLANK,
    MAX_LINE,
    MAX_ROWS,
    Found,
    bad,
    blank_lines,
    cells,
    header,
    is_gzip,
    is_image,
    is_zip,
    listed,
    names,
    rows,
    table,
)

FORMS = {
    ("emotion", "pixels", "usage"): "fer2013.csv",
    ("emotion", "usage", "pixels"): "icml_face_data.csv",
    ("emotion", "pixels"): "Kaggle challenge train.csv",
    ("pixels",): "Kaggle challenge test.csv",
    ("label", "feature"): "course train.csv",
    ("id", "feature"): "course test.csv",
}
"""Form by column names, lower case; the columns may come in any order."""

WHOLE = ("fer2013.csv", "icml_face_data.csv")
"""The forms that hold all splits, in FER2013's own row order."""

ROLES = {"emotion": "label", "label": "label", "pixels": "pixels", "feature": "pixels"}
ROLES |= {"usage": "usage", "id": "id"}
LABELS = {str(label).encode(): label for label in range(len(EMOTIONS))}
USAGES = {split.encode(): code for code, split in enumerate(SPLITS)}

BLOCK = 1 << 22
"""Bytes of text that one thread parses at a time."""


class Chunk(NamedTuple):
    """Some rows: images, labels and the places of their splits in `SPLITS`."""

    images: NDArray[np.uint8]
    labels: list[int]
    splits: list[int]


def form_of(columns: list[str]) -> str | None:
    """The form that has these columns, or None; their order decides between equals."""
    same = [key for key in FORMS if sorted(key) == sorted(columns)]
    same.sort(key=lambda key: key != tuple(columns))
    return FORMS[same[0]] if same else None


def find(path: Path) -> Found | None:
    """Recognise a table: a CSV, plain, .gz or .zip, or a folder that holds one."""
    if path.is_dir():
        return _in_folder(path)
    if is_zip(path) and any(map(is_image, names(path))):
        return None
    with table(path) as stream:
        columns = header(path, stream)
    form = form_of(columns)
    if form is None:
        expected = "columns " + " or ".join(",".join(key) for key in FORMS)
        raise bad(path, expected, ",".join(columns)[:80] or "an empty line", line=1)
    packing = ", gzip" if is_gzip(path) else ", zip" if is_zip(path) else ""
    return Found(form + packing, path, partial(read, path))


def _in_folder(folder: Path) -> Found | None:
    """The one table in a folder; one with a Usage column is preferred: it holds all splits."""
    tables, errors = [], []
    for path in sorted(folder.iterdir()):
        if path.is_file() and {".csv", ".gz", ".zip"} & set(path.suffixes):
            try:
                tables.append(find(path))
            except DataError as error:  # another kind of table; it matters if there is no other
                errors.append(error)
    found = [one for one in tables if one]
    chosen = [one for one in found if one.form.startswith(WHOLE)] or found
    if len(chosen) > 1:
        several = listed([one.path.name for one in chosen])
        raise bad(folder, "one table of faces (name the file)", several)
    if errors and not chosen:
        raise errors[0]
    return chosen[0] if chosen else None


def read(path: Path) -> Faces:
    """Read a table block by block, on up to 8 cores; peak memory is some 100 MB over the pixels.

    path: a CSV of one of `FORMS`, or a .gz of it, or a .zip that holds only it.
    Raises DataError naming the file and the line of the first fault.
    """
    images, labels, splits = bytearray(), list[int](), list[int]()  # each grows in place
    with table(path) as stream:
        decode = partial(_decoded, [ROLES[name] for name in header(path, stream)])
        for chunk in _in_order(decode, _blocks(path, stream)):
            if chunk is None:
                raise _explained(path, good=len(labels))
            images += chunk.images.data
            labels += chunk.labels
            splits += chunk.splits
            if len(labels) > MAX_ROWS:
                raise bad(path, f"at most {MAX_ROWS:,} rows", "more")
    if not labels:
        raise bad(path, "rows in the form of the header", "none")
    pixels_of_all = np.frombuffer(images, np.uint8).reshape(-1, SIDE, SIDE)
    return Faces(pixels_of_all, np.array(labels, np.int64), np.array(SPLITS)[splits], path.name)


def _blocks(path: Path, stream: IO[bytes]) -> Iterator[bytes]:
    """Whole lines, some megabyte at a time; a line beyond MAX_LINE is broken, and so refused.

    Empty lines at the end of a block are left out, and one put before the next: a fault only where
    there is a next.
    """
    empty = b""
    while block := stream.read(BLOCK):
        block = b"".join([empty, block, stream.readline(MAX_LINE)])  # += would hold up the threads
        size, empty = len(block), b""
        if not block[-3:].splitlines()[-1]:
            block, empty = block.rstrip(b"\r\n"), b"\n"
        if block:
            yield block
        elif size > MAX_BLANK:
            raise blank_lines(path)


def _in_order(
    decode: Callable[[bytes], Chunk | None], blocks: Iterator[bytes]
) -> Iterator[Chunk | None]:
    """Decode on several threads, a few blocks ahead; numpy and arrow let go of Python's lock."""
    threads = min(8, os.cpu_count() or 1)
    with ThreadPoolExecutor(threads) as pool:
        ahead: deque[Future[Chunk | None]] = deque()
        for block in blocks:
            ahead.append(pool.submit(decode, block))
            if len(ahead) > 2 * threads:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _decoded(roles: list[str], block: bytes) -> Chunk | None:
    """The rows of some lines, or None if anything in them is wrong."""
    if block.startswith(BOM_UTF8):  # Arrow would pass over it, wherever in the file this is
        block = BOM_UTF8[:1] + block
    used = [role for role in roles if role != "id"]
    as_one = ReadOptions(column_names=roles, block_size=MAX_LINE, use_threads=False)
    as_they_are = ParseOptions(ignore_empty_lines=False)
    as_bytes = ConvertOptions(column_types=dict.fromkeys(used, pa.binary()), include_columns=used)
    try:
        parsed = read_csv(pa.BufferReader(block), as_one, as_they_are, as_bytes)
    except pa.ArrowInvalid:
        return None
    if b'"' in block:
        lines = block.splitlines()
        if parsed.num_rows != len(lines) or cells(lines[-1]) is None:
            return None  # a quote that is closed on another line, or never: was the file cut?
    columns = parsed.to_pydict()
    images = pixels.parse(columns["pixels"])
    default = USAGES[b"Training" if "label" in columns else b"PublicTest"]
    labels = _codes(columns.get("label"), LABELS, UNLABELLED, len(columns["pixels"]))
    splits = _codes(columns.get("usage"), USAGES, default, len(columns["pixels"]))
    if images is None or labels is None or splits is None:
        return None
    return Chunk(images, labels, splits)


def _codes(
    cells: list[bytes] | None, known: dict[bytes, int], default: int, rows: int
) -> list[int] | None:
    """Each cell's code, None if one is not known; the default where the column is missing."""
    if cells is None:
        return [default] * rows
    codes = [known[cell.strip()] for cell in cells if cell.strip() in known]
    return codes if len(codes) == rows else None


def _explained(path: Path, good: int) -> DataError:
    """The error for the first fault after so many good rows, found by a slow second look."""
    with table(path) as stream:
        roles = [ROLES[name] for name in header(path, stream)]
        for line, cells in islice(rows(path, stream, len(roles)), good, None):
            fault = _fault(dict(zip(roles, cells, strict=True)))
            if fault:
                return bad(path, *fault, line=line)
    return bad(path, "rows in the form of the header", f"a faulty one after row {good:,}")


def _fault(cells: dict[str, str]) -> tuple[str, str] | None:
    """What was expected of a row and what was found, or None if it is in order."""
    label, usage = cells.get("label"), cells.get("usage")
    if label is not None and label.encode("latin-1").strip() not in LABELS:
        return f"a label 0-{len(EMOTIONS) - 1}", f"{label[:20]!r}"
    if usage is not None and usage.encode("latin-1").strip() not in USAGES:
        return "a Usage of " + ", ".join(SPLITS), f"{usage[:20]!r}"
    return pixels.fault(cells["pixels"].encode("latin-1"))
