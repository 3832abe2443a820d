"""Files that are a little or very wrong, in every form that `fercore.data.load` reads.

`FORMS[form](random, folder)` writes one, whole or spoilt, into an empty folder; the same random
state gives the same bytes.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import NamedTuple

from PIL import Image

from tests.face_files import csv_text, image_file, image_files, random_faces

Grid = list[list[str]]
Files = dict[str, bytes]


class Case(NamedTuple):
    """What `load` is given."""

    path: Path
    votes: Path | None = None


HEADERS = {
    "fer2013.csv": "emotion,pixels,Usage",
    "icml_face_data.csv": "emotion, Usage, pixels",
    "challenge train": "emotion,pixels",
    "challenge test": "pixels",
    "course train": "label,feature",
    "course test": "id,feature",
}
FACES = random_faces(4)
PHOTOS = image_files(random_faces(8))
PHOTOS |= {  # half of them JPEG, most of whose bytes may be changed without a checksum's noticing
    name.replace(".png", ".jpg"): image_file(image, "jpeg")
    for name, image in zip(list(PHOTOS)[::2], random_faces(8).images[::2], strict=True)
    if PHOTOS.pop(name)
}
FERPLUS = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)
ODD = ["", " ", "0", "00", "007", "7", "6", "255", "256", "999", "-1", "+1", "1.5", "1e3", "0x1f"]
ODD += ["nan", "NaN", "inf", "-inf", "Infinity", "1e999", "9" * 30, "9" * 5000, "1_0", "٣", "²"]
ODD += ["\x00", "\x1b[31m", "\ufeff", "é", "\u2028", "<script>", '"', '""', '"3"', "'3'", "=1+1"]
ODD += ["happy", "Training", "training", "PublicTest ", "Test", "\t5", "9 9", "1,2", "None", "-"]
ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-7", "utf-8-sig", "cp037"]
NAMES = ["a/b/c.csv", "../a.csv", "../../../../tmp/a.csv", "/tmp/a.csv", "C:\\a.csv", "c:a.csv"]
NAMES += ["x\\..\\..\\a.csv", "a.png", "a.csv/", "__MACOSX/._a.csv", ".a.csv", "", "\x1b[31m.csv"]
NAMES += ["\u202etxt.csv", "a\nb.csv", "con", "a" * 300, "./a.csv", "a//b.csv", "a.csv.gz", "é.csv"]


# ---------------------------------------------------------------- tables, as cells


def _grid(header: str) -> Grid:
    return [list(row) for row in _whole(header)]


@cache
def _text(header: str) -> bytes:
    return csv_text(FACES, header).encode()


@cache
def _whole(header: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(line.split(",")) for line in _text(header).decode().splitlines())


def _cell(random: Random, grid: Grid) -> tuple[int, int]:
    row = random.randrange(len(grid))
    return row, random.randrange(max(1, len(grid[row])))


def replace_cell(random: Random, grid: Grid) -> None:
    row, column = _cell(random, grid)
    grid[row][column : column + 1] = [random.choice(ODD)]


def replace_word(random: Random, grid: Grid) -> None:
    row, column = _cell(random, grid)
    words = "".join(grid[row][column : column + 1]).split(" ")
    place = random.randrange(len(words))
    words[place : place + random.choice([1, 1, 1, 0])] = [random.choice(ODD)]
    grid[row][column : column + 1] = [random.choice([" ", " ", "  ", "\t"]).join(words)]


def drop_word(random: Random, grid: Grid) -> None:
    row, column = _cell(random, grid)
    words = "".join(grid[row][column : column + 1]).split(" ")
    del words[random.randrange(len(words))]
    grid[row][column : column + 1] = [" ".join(words)]


def rename_column(random: Random, grid: Grid) -> None:
    old = random.randrange(len(grid[0])) if grid[0] else 0
    names = ["emotion", "pixels", "Usage", "label", "feature", "id", "USAGE", "Emotion"]
    grid[0][old : old + 1] = [random.choice([*names, *ODD])]


def reorder_columns(random: Random, grid: Grid) -> None:
    order = random.sample(range(len(grid[0])), len(grid[0]))
    rows = grid if random.random() < 0.7 else grid[:1]
    for row in rows:
        row[:] = [row[place] for place in order if place < len(row)]


def repeat_or_drop_column(random: Random, grid: Grid) -> None:
    place, times = random.randrange(max(1, len(grid[0]))), random.choice([0, 2, 2, 3])
    for row in grid if random.random() < 0.7 else grid[:1]:
        row[place : place + 1] = row[place : place + 1] * times


def repeat_rows(random: Random, grid: Grid) -> None:
    first = random.randrange(len(grid))
    grid[first:first] = [list(row) for row in grid[first : first + 2]] * random.choice([1, 2, 5])


def drop_row(random: Random, grid: Grid) -> None:
    if len(grid) > 1:
        del grid[random.randrange(len(grid))]


def blank_rows(random: Random, grid: Grid) -> None:
    place = random.randrange(len(grid) + 1)
    grid[place:place] = [[] for _ in range(random.choice([1, 3, 1000]))]


def swap_rows(random: Random, grid: Grid) -> None:
    a, b = random.randrange(len(grid)), random.randrange(len(grid))
    grid[a], grid[b] = grid[b], grid[a]


def huge_cell(random: Random, grid: Grid) -> None:
    row, column = _cell(random, grid)
    filling = random.choice(["7", " ", "7 ", "x", '"', "é"]) * random.choice([20_000, 140_000])
    grid[row][column : column + 1] = [filling]


def extra_cell(random: Random, grid: Grid) -> None:
    row, column = _cell(random, grid)
    grid[row].insert(column, random.choice(ODD))


GRID_OPS = [replace_cell, replace_word, drop_word, rename_column, reorder_columns, huge_cell]
GRID_OPS += [repeat_or_drop_column, repeat_rows, drop_row, blank_rows, swap_rows, extra_cell]


def render(random: Random, grid: Grid) -> bytes:
    """Cells as text: mostly UTF-8 with plain line ends, sometimes anything else."""
    usual = random.random() < 0.6
    end = "\n" if usual else random.choice(["\n", "\r\n", "\r\n", "\r", "\n\r", "\x0b", "\u2028"])
    quoted = not usual and random.random() < 0.3
    lines = [",".join(f'"{cell}"' if quoted else cell for cell in row) for row in grid]
    text = end.join(lines) + ("" if random.random() < 0.1 else end)
    if usual or random.random() < 0.7:
        bom = b"\xef\xbb\xbf" * random.choice([0, 0, 0, 1, 2]) if not usual else b""
        return bom + text.encode("utf-8", "surrogatepass")
    return text.encode(random.choice(ENCODINGS), "replace")


# ---------------------------------------------------------------- any bytes


def _flip(random: Random, body: bytearray) -> None:
    for _ in range(random.choice([1, 1, 2, 8])):
        body[random.randrange(len(body))] ^= random.choice([1, 2, 4, 8, 16, 32, 64, 128, 255])


def _poke(random: Random, body: bytearray) -> None:
    marks = [b"\n", b"\r", b'"', b",", b" ", b"\0", b"\x1a", b"\xff", b"9", b"PK\3\4", b"\x1f\x8b"]
    place = random.randrange(len(body))
    body[place : place + random.choice([0, 1])] = random.choice(marks) * random.choice([1, 1, 9])


def _cut(random: Random, body: bytearray) -> None:
    del body[random.randrange(len(body)) :]


def _drop(random: Random, body: bytearray) -> None:
    first = random.randrange(len(body))
    del body[first : first + random.choice([1, 3, 100, 5000])]


def _repeat(random: Random, body: bytearray) -> None:
    first = random.randrange(len(body))
    body[first:first] = body[first : first + random.choice([1, 3, 100, 5000])]


def _noise(random: Random, body: bytearray) -> None:
    first = random.randrange(len(body))
    body[first : first + random.choice([0, 4, 40])] = random.randbytes(random.choice([1, 4, 40]))


def _zeros(random: Random, body: bytearray) -> None:
    first = random.randrange(len(body))
    stop = min(len(body), first + random.choice([1, 4, 100]))
    body[first:stop] = bytes(stop - first)


BYTE_OPS = [_flip, _flip, _poke, _cut, _drop, _repeat, _noise, _zeros]


def scramble(random: Random, body: bytes) -> bytes:
    """One or two changes anywhere in some bytes."""
    changed = bytearray(body)
    for _ in range(random.choice([1, 1, 2])):
        if changed:
            random.choice(BYTE_OPS)(random, changed)
    return bytes(changed)


# ---------------------------------------------------------------- archives


def _bombs(make: Callable[[bytes], bytes]) -> list[bytes]:
    """Packed members of 16 MB each; many of them make a bomb."""
    return [make(unit * (16_000_000 // len(unit))) for unit in (b"\n", b"\0", b"7 ", b"3,7,x\n")]


GZ_BOMBS = _bombs(partial(gzip.compress, mtime=0))


def _swollen(random: Random, plain: bytes, body: bytes) -> bytes:
    """Now and then a bomb: good rows, but too many of them, or what is no row, without end."""
    if random.random() < 0.005:
        last = b"".join(body.splitlines(keepends=True)[-1:])
        return plain + gzip.compress(last * 1000, 1, mtime=0) * 101
    if random.random() < 0.1:
        return plain + random.choice(GZ_BOMBS) * random.choice([1, 20])
    return plain


def to_gzip(random: Random, body: bytes) -> bytes:
    plain = gzip.compress(body, 1, mtime=0)
    kind = random.randrange(14)
    if kind == 0:
        return b"".join(
            gzip.compress(body[i : i + 9000], 1, mtime=0) for i in range(0, len(body), 9000)
        )
    if kind == 1:
        return plain + random.choice([bytes(600), b"trailing", plain, b"\x1f\x8b", b"\n"])
    if kind == 2:
        return gzip.compress(random.choice([plain, to_zip(random, {"a.csv": body})]), mtime=0)
    if kind == 3:
        name = random.choice([b"/etc/passwd", b"../../a.csv", b"a" * 70_000, b"\xff\xfe"])
        return plain[:3] + b"\x08" + plain[4:10] + name + b"\0" + plain[10:]
    if kind == 4:
        return _swollen(random, plain, body)
    if kind == 5:
        return scramble(random, plain[:20]) + plain[20:]
    if kind == 6:
        return plain[:-8] + scramble(random, plain[-8:])
    return scramble(random, plain) if kind == 7 else plain


def to_zip(random: Random, files: Files) -> bytes:
    buffer = io.BytesIO()
    methods = [zipfile.ZIP_DEFLATED] * 20 + [
        zipfile.ZIP_STORED,
        zipfile.ZIP_BZIP2,
        zipfile.ZIP_LZMA,
    ]
    with zipfile.ZipFile(buffer, "w", random.choice(methods), compresslevel=1) as archive:
        for name, body in files.items():
            archive.writestr(zipfile.ZipInfo(name), body, archive.compression)
        if random.random() < 0.05:
            archive.comment = random.choice([b"PK\5\6", b"x" * 60_000, b"\xff"])
    return buffer.getvalue()


def _patch(random: Random, body: bytes) -> bytes:
    """Lie in one field of one header of a .zip: flags, method, CRC, sizes, name length, offset."""
    mark, local = random.choice([(b"PK\1\2", False), (b"PK\3\4", True), (b"PK\5\6", None)])
    starts = [found.start() for found in re.finditer(re.escape(mark), body[:-30])][:50]
    if not starts:
        return body
    fields = {True: [6, 8, 14, 18, 22, 26, 28], False: [8, 10, 16, 20, 24, 28, 30, 42]}
    place = random.choice(starts) + random.choice(fields.get(bool(local), [8]))
    if local is None:
        place = starts[-1] + random.choice([4, 6, 8, 10, 12, 16, 20])
    values = [0, 1, 8, 12, 14, 93, 99, 2**11, 2**15, 2**16 - 1, 2**31, 2**32 - 1]
    packed = struct.pack("<I", random.choice(values))[: random.choice([2, 4])]
    return body[:place] + packed + body[place + len(packed) :]


def zip_bomb(random: Random) -> bytes:
    name = random.choice(["a.csv", "train/happy/a.png"])
    return to_zip(random, {name: random.choice([b"\n", b"\0", b"7 "]) * 20_000_000})


def pack_zip(random: Random, files: Files, spoil: bool) -> bytes:
    """Files as a .zip; spoilt: with a member, a name or a header that is wrong."""
    if not spoil:
        return to_zip(random, files)
    kind, files = random.randrange(8), dict(files)
    first = next(iter(files), "")
    if kind == 0:
        body = files.pop(first, b"")
        files = {random.choice(NAMES): body, **files}
    elif kind == 1:
        extra = random.choice([b"", b"hello", files.get(first, b""), to_zip(random, files)])
        files[random.choice([*NAMES, "b.csv", "README.md", "inner.zip"])] = extra
    elif kind == 2:
        files = {"inner.zip": to_zip(random, files)}
    elif kind == 3 and random.random() < 0.02:
        return zip_bomb(random)
    body = to_zip(random, files)
    if kind in (4, 5):
        return _patch(random, body)
    if kind == 6:
        tail = len(body) - min(len(body), random.choice([30, 200, 2000]))
        return body[:tail] + scramble(random, body[tail:])
    return scramble(random, body) if kind == 7 else body


# ---------------------------------------------------------------- forms


def spoilt_table(random: Random, grid: Grid) -> bytes:
    for _ in range(random.choice([0, 0, 1, 1, 1, 2])):
        random.choice(GRID_OPS)(random, grid)
    body = render(random, grid)
    return scramble(random, body) if random.random() < 0.3 else body


def table_case(header: str, packing: str, random: Random, folder: Path) -> Case:
    grid = _grid(header)
    packed_only = packing and random.random() < 0.5
    body = _text(header) if packed_only else spoilt_table(random, grid)
    if packing == ".gz":
        body = to_gzip(random, body)
    elif packing == ".zip":
        body = pack_zip(random, {"inner.csv": body}, spoil=random.random() < 0.6)
    path = folder / f"faces.csv{packing}"
    path.write_bytes(body)
    return Case(path)


def votes_case(random: Random, folder: Path) -> Case:
    path = folder / "fer2013.csv"
    path.write_bytes(_text(HEADERS["fer2013.csv"]))
    votes = [[str(random.randrange(11)) for _ in range(10)] for _ in FACES.splits]
    grid = [
        FERPLUS.split(","),
        *([str(s), "fer.png", *v] for s, v in zip(FACES.splits, votes, strict=True)),
    ]
    body = spoilt_table(random, grid)
    packing = random.choice(["", "", ".gz", ".zip"])
    if packing == ".gz":
        body = to_gzip(random, body)
    elif packing == ".zip":
        body = pack_zip(random, {"fer2013new.csv": body}, spoil=random.random() < 0.3)
    (folder / f"votes{packing}").write_bytes(body)
    return Case(path, folder / f"votes{packing}")


def _wild_image(random: Random) -> bytes:
    """Other sizes, modes and formats than 8-bit grey PNG or JPEG of 48x48, and sizes that lie."""
    sides = [0, 1, 47, 48, 48, 48, 49, 300]
    size = (random.choice(sides) or 1, random.choice(sides) or 1)
    mode = random.choice(["L", "L", "1", "P", "RGB", "RGBA", "LA", "I", "I;16", "F", "CMYK"])
    kind = random.choice(["png", "jpeg", "gif", "bmp", "tiff", "ppm", "webp", "ico", "eps", "pcx"])
    buffer = io.BytesIO()
    try:
        Image.new(mode, size).save(buffer, kind)
    except (OSError, KeyError, ValueError):
        return b""
    body = bytearray(buffer.getvalue())
    if body[:4] == b"\x89PNG" and random.random() < 0.5:
        wide = [random.choice([0, 1, 48, 2**16, 2**31 - 1, 2**32 - 1]) for _ in range(2)]
        struct.pack_into(">II", body, 16, *wide)
        struct.pack_into(">I", body, 29, zlib.crc32(body[12:29]))
    return bytes(body)


def _text_bomb(random: Random) -> bytes:
    """A PNG whose compressed comment inflates to 60 MB."""
    text = b"note\0\0" + zlib.compress(bytes(60_000_000), 1)
    chunk = (
        struct.pack(">I", len(text))
        + b"zTXt"
        + text
        + struct.pack(">I", zlib.crc32(b"zTXt" + text))
    )
    good = next(iter(PHOTOS.values()))
    return good[:33] + chunk + good[33:]


def _spoil_content(random: Random, files: Files) -> None:
    name = random.choice(list(files))
    kind = random.randrange(8)
    if kind < 4:
        files[name] = scramble(random, files[name])
    elif kind < 6:
        files[name] = _wild_image(random)
    elif kind == 6:
        files[name] += bytes(random.choice([1, 1000, 2_000_000]))
    elif random.random() < 0.05:
        files[name] = _text_bomb(random)


def _spoil_name(random: Random, files: Files) -> None:
    old = random.choice(list(files))
    parts = old.split("/")
    words = ["<script>", "contempt", "Happy", "JOY", "sad ", "sad.", "neutralité", "é", "a" * 200]
    words += ["..", ".", "", "train", "test", "TRAIN", "PublicTest", "validation", ".hidden"]
    words += ["PrivateTest_1.png", "Training_" + "9" * 150 + ".png", "9.png", "a.PNG", "a.jpeg"]
    words += ["a.txt", "Thumbs.db", "a\nb.png", "\x1b[31m.png", "\u202e.png", "x.png", "٣.png"]
    place = random.randrange(len(parts))
    change = random.choice(["replace", "insert", "drop"])
    parts[place : place + (change != "insert")] = [] if change == "drop" else [random.choice(words)]
    body = files.pop(old) if random.random() < 0.7 else files[old]
    files["/".join(parts)] = body


def _spoil_list(random: Random, files: Files) -> None:
    name = random.choice(list(files))
    kind = random.randrange(4)
    if kind == 0:
        del files[name]
    elif kind == 1:
        files[random.choice(["README.md", "fer2013.csv", "train/note.txt", ".DS_Store"])] = b"hello"
    elif kind == 2:
        files["fer2013.csv"] = csv_text(FACES).encode()
    else:
        files.update({f"again/{key}": body for key, body in list(files.items())})


def spoilt_images(random: Random) -> Files:
    files = dict(PHOTOS)
    for _ in range(random.choice([0, 1, 1, 1, 2])):
        if files:
            random.choice([_spoil_content, _spoil_content, _spoil_name, _spoil_list])(random, files)
    return files


def image_zip_case(random: Random, folder: Path) -> Case:
    path = folder / "faces.zip"
    files = spoilt_images(random)
    if random.random() < 0.02:
        files["train/happy/Training_" + "9" * 5000 + ".png"] = next(iter(PHOTOS.values()))
    path.write_bytes(pack_zip(random, files, spoil=random.random() < 0.4))
    return Case(path)


def _odd_entry(random: Random, root: Path) -> None:
    """What only a folder can hold: links, pipes, folders with the name of an image."""
    place = root / random.choice(["train/happy/a.png", "test/sad/b", "c.csv", "train/d"])
    kind = random.randrange(6)
    if not place.parent.is_dir() or place.exists() or kind == 0:
        return
    if kind == 1:
        os.mkfifo(place)
    elif kind == 2:
        place.mkdir()
    else:
        where = [
            "gone.png",
            str(root),
            "/dev/zero",
            "/etc/hostname",
            str(next(root.rglob("*.png"), root)),
        ]
        place.symlink_to(random.choice(where))


def image_folder_case(random: Random, folder: Path) -> Case:
    root = folder / "faces"
    root.mkdir()
    for name, body in spoilt_images(random).items():
        file = root / name.replace("/..", "/").replace("\0", "").lstrip("/")
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
        except OSError:  # not a name that this system allows
            continue
    if random.random() < 0.1:
        _odd_entry(random, root)
    return Case(root)


FORMS: dict[str, Callable[[Random, Path], Case]] = {
    f"{form}{packing}": partial(table_case, header, packing)
    for form, header in HEADERS.items()
    for packing in ("", ".gz", ".zip")
}
FORMS |= {"image folder": image_folder_case, "image .zip": image_zip_case, "FER+ votes": votes_case}
