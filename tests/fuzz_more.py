"""What is read beside faces for training: crops for `fercore predict`, weights, presets.

`MORE` has, by form, what makes a case and what judges it, as `fuzz_files.FORMS` and
`fuzz_oracle.judge` do for `fercore.data.load`.
"""

from __future__ import annotations

import io
import json
import re
import struct
import warnings
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from PIL import Image, ImageOps

from fercore import presets, weights
from fercore.cli.terminal import safe
from fercore.data import DataError, crops
from fercore.data.folder import CLASSES
from fercore.report.notebooks import ParameterError
from fercore.report.paths import absolute
from fercore.setting import Setting, StudyError, check, typed
from fercore.weights import WeightsError
from tests import fuzz_files, fuzz_oracle
from tests.face_files import random_faces
from tests.fuzz_files import ODD, Case, scramble
from tests.fuzz_oracle import WrongError, attempt

ROOT = Path(__file__).parents[1]
FACES = random_faces(20).images
Pixels = NDArray[np.uint8]


# ---------------------------------------------------------------- crops


def crop_case(random: Random, folder: Path) -> Case:
    """One picture of any size, mode and form, whole or spoilt."""
    face = FACES[random.randrange(len(FACES))]
    size = (random.choice([1, 20, 48, 90]), random.choice([1, 31, 48, 200]))
    mode = random.choice(["L", "L", "1", "P", "RGB", "RGBA", "LA", "CMYK"])
    kind = "jpeg" if mode == "CMYK" else random.choice(["png", "jpeg"])
    body = fuzz_files._wild_image(random)
    if random.random() < 0.8:
        picture = Image.fromarray(face).resize(size).convert(mode)
        picture = picture.convert("RGB") if kind == "jpeg" and mode in "RGBA P LA" else picture
        body = _saved(picture, kind, random)
    path = folder / f"face{random.choice(['.png', '.jpg', '.JPEG', '.webp', '', '.txt'])}"
    path.write_bytes(scramble(random, body) if random.random() < 0.6 else body)
    return Case(path)


def _saved(picture: Image.Image, kind: str, random: Random) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = random.randrange(10)  # 1 to 8 turn and mirror
    file = io.BytesIO()
    picture.save(file, kind, exif=exif)
    return file.getvalue()


def judge_crops(case: Case, cache: Path) -> str:
    """Read a picture, a folder or a .zip of them as `fercore predict` does."""
    found = attempt(lambda: crops.read(case.path), DataError, cache)
    if isinstance(found, DataError):
        fuzz_oracle.check_message(str(found), case)
        if case.path.is_file() and len(one := _chosen(case.path)) == 1 and _good(*one.values()):
            raise WrongError(f"in order, but refused: {found}")
        return "refused"
    chosen = _chosen(case.path)
    if not chosen:  # tables among what should have been pictures
        fuzz_oracle.check_faces(found, case)
        return "loaded"
    expected = [_grey(body) for body in chosen.values()]
    if found.names != list(chosen) or not np.array_equal(found.images, expected):
        raise WrongError(f"{found.names}: not those in the file, or other pixels")
    labels = [CLASSES.get(Path(name).parent.name.lower(), -1) for name in chosen]
    if found.labels.tolist() != labels:
        raise WrongError(f"labels {found.labels.tolist()}, not {labels}")
    return "loaded"


def _chosen(path: Path) -> dict[str, bytes]:
    """The pictures by name; of a file that is no archive the file itself."""
    body = path.read_bytes() if path.is_file() else b""
    named = path.suffix.lower() in (".png", ".jpg", ".jpeg")
    if body[:4] == b"\x89PNG" or body[:3] == b"\xff\xd8\xff" or (named and path.is_file()):
        return {path.name: body}
    try:
        return dict(sorted(fuzz_oracle.pictures(path).items()))
    except fuzz_oracle.DAMAGED:
        return {}


def _good(body: bytes) -> bool:
    try:
        return _grey(body).shape == (48, 48)
    except Exception:
        return False


def _grey(body: bytes) -> Pixels:
    """As docs/predict.md says, by other means than the reader's."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image: Image.Image = Image.open(io.BytesIO(body))
        if image.format not in ("PNG", "JPEG") or image.mode[0] in "IF":
            raise ValueError("another kind of picture")
        if image.size == (48, 48) and image.mode == "L":
            return np.asarray(image)
        image = ImageOps.exif_transpose(image)
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        white.alpha_composite(image.convert("RGBA"))
        image = white
    (wide, high), side = image.size, min(image.size)
    left, top = (wide - side) / 2, (high - side) / 2
    box = (left, top, left + side, top + side)
    return np.asarray(image.convert("L").resize((48, 48), Image.Resampling.BICUBIC, box=box))


# ---------------------------------------------------------------- weights and their record


WEIGHTS = ROOT / "fercore" / "weights" / "b-mobilenet-46k.safetensors"
LIES = [(b"F32", b"I32"), (b"F32", b"F16"), (b"F32", b"BF16"), (b"weight", b"height")]
LIES += [(b"[7,", b"[8,"), (b"conv1.", b"conv2."), (b"[0,", b"[4,"), (b"]}", b"]]")]
VALUES: list[Any] = [None, True, -1, 0, 1, 10**9, 10**400, 0.5, "", "x", [], {}, [[]], "1e999"]
VALUES += ["\x1b[31m"]


def weights_case(random: Random, folder: Path) -> Case:
    """Weights and their record, of which one may be spoilt, with or without their SHA-256."""
    body, tree = WEIGHTS.read_bytes(), json.loads(WEIGHTS.with_suffix(".json").read_bytes())
    if random.random() < 0.5:
        tree["weights_sha256"] = sha256(body).hexdigest()
    which = random.randrange(8)
    if which < 4:
        body = [_header, _header, _floats, scramble][which](random, body)
    elif which < 6:
        for _ in range(random.choice([1, 1, 2])):
            _spoil_tree(random, tree)
    text = json.dumps(tree, indent=random.choice([None, 1])).encode()
    text = scramble(random, text) if which == 6 else text
    path = folder / "small.safetensors"
    path.write_bytes(body)
    name = random.choice(["small.json"] * 8 + ["record.json", "none.json"])
    (folder / name).write_bytes(text)
    return Case(path)


def _header(random: Random, body: bytes) -> bytes:
    """Lie in the header: its length, a name, shape, type or place; the file may stay as long."""
    length = int.from_bytes(body[:8], "little")
    head = body[8 : 8 + length]
    if random.random() < 0.2:
        length = random.choice([0, 1, length - 1, length + 1, len(body), 2**31, 2**63, 2**64 - 1])
    elif random.random() < 0.5:
        old, new = random.choice(LIES)
        place = random.randrange(len(head))
        head = head[:place] + head[place:].replace(old, new, 1)
    else:
        head = scramble(random, head)
    return struct.pack("<Q", length) + head + body[8 + len(head) :]


def _floats(random: Random, body: bytes) -> bytes:
    place = len(body) - 4 * random.randrange(1, 20_000)
    value = random.choice([np.nan, np.inf, -np.inf, 0, 3e38, 1e-45])
    return body[:place] + struct.pack("<f", value) + body[place + 4 :]


def _spoil_tree(random: Random, tree: Any) -> None:
    """Change, drop or add one value, however deep."""
    while True:
        keys = list(tree) if isinstance(tree, dict) else list(range(len(tree)))
        key = random.choice(keys) if keys else None
        if key is None or not isinstance(tree[key], dict | list) or random.random() < 0.2:
            break
        tree = tree[key]
    if key is not None and random.random() < 0.2:
        del tree[key]
    elif isinstance(tree, dict):
        tree["more" if random.random() < 0.1 or key is None else key] = random.choice(VALUES)
    elif key is not None:
        tree[key] = random.choice(VALUES)


def judge_weights(case: Case, cache: Path) -> str:
    """Load them as `fercore predict --weights FILE` does."""

    def read() -> Any:
        found = weights.find(str(case.path))
        return str(found), weights.load(found), found.record

    found = attempt(read, WeightsError, cache)
    body = case.path.read_bytes()
    if isinstance(found, WeightsError):
        _check_line(str(found), str(case.path.parent), "small:", "b-mobilenet-46k", "1bff")
        if body == WEIGHTS.read_bytes() and _same_record(case.path):
            raise WrongError(f"in order, but refused: {found}")
        return "refused"
    _, network, record = found
    if record.weights_sha256 not in (None, sha256(body).hexdigest()):
        raise WrongError("loaded, but these are not the bytes that the record names")
    kept = _tensors(body)
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    same = kept.keys() == state.keys() and all(np.array_equal(kept[n], state[n]) for n in kept)
    if not same or not all(np.isfinite(array).all() for array in state.values()):
        raise WrongError("loaded other numbers than the file has")
    return "loaded"


def _same_record(path: Path) -> bool:
    try:
        tree = json.loads(path.with_suffix(".json").read_bytes())
        digest = tree.pop("weights_sha256", None)
    except (OSError, ValueError, AttributeError):
        return False
    good = digest in (None, sha256(WEIGHTS.read_bytes()).hexdigest())
    return good and bool(tree == json.loads(WEIGHTS.with_suffix(".json").read_bytes()))


def _tensors(body: bytes) -> dict[str, NDArray[Any]]:
    """By the description of the form: a length, JSON, bytes."""
    start = 8 + int.from_bytes(body[:8], "little")
    kinds = {"F32": np.float32, "F16": np.float16, "I64": np.int64, "I32": np.int32}
    found = {}
    for name, one in json.loads(body[8:start]).items():
        first, last = (start + offset for offset in one["data_offsets"])
        found[name] = np.frombuffer(body[first:last], kinds[one["dtype"]]).reshape(one["shape"])
    return found


def _check_line(message: str, *starts: str) -> None:
    if not message.startswith(starts):
        raise WrongError(f"the message does not begin with its place: {message[:300]!r}")
    if not message.isprintable() or len(message) > 2000:
        raise WrongError(f"not one printable line: {message[:300]!r} ({len(message)} long)")


# ---------------------------------------------------------------- presets


PRESETS = (path.read_text() for path in sorted(ROOT.glob("notebooks/presets/*.yaml")))
GOOD = [re.sub("^DATA: data.*", "DATA: synthetic", text, flags=re.MULTILINE) for text in PRESETS]
ODD_YAML = [*ODD, "[]", "{}", "[1, 1]", "[[1]]", "{a: 1}", "!!int ''", "!!float x", "2020-13-45"]
ODD_YAML += ["!!python/object/apply:os.system ['touch x']", "&a [*a]", "*a", "'", "~", "1:2:3"]
ODD_YAML += ["9" * 5000, "-9" + "9" * 30, ".nan", ".inf", "true", "[" * 5000, "!!binary x", "? x"]
ODD_YAML += ["!!timestamp x", "!!bool x", "|\n x", "~nobody/a.csv", "x" * 100_000, "cuda:9"]
KEYS = [*Setting.model_fields, "EPOCS", "epochs", "", "1", "<<", "É", "A" * 5000, "\x1b[31m"]


def preset_case(random: Random, folder: Path) -> Case:
    """One of the project's presets with lines or bytes changed."""
    lines = random.choice(GOOD).splitlines()
    for _ in range(random.choice([0, 1, 1, 1, 2])):
        _spoil_line(random, lines)
    if random.random() < 0.01:  # a small text with a great many values
        lines += ["A0: &a0 [x, x]", *(f"A{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    body = random.choice(["\n"] * 8 + ["\r\n", "\r"]).join([*lines, ""]).encode("utf-8")
    kind = random.randrange(10)
    body = scramble(random, body) if kind < 2 else b"\xef\xbb\xbf" + body if kind == 2 else body
    path = folder / "mine.yaml"
    path.write_bytes(body)
    return Case(path)


def _spoil_line(random: Random, lines: list[str]) -> None:
    place = random.randrange(len(lines))
    key, colon, value = lines[place].partition(":")
    kind = random.randrange(6)
    if kind < 3:
        lines[place] = f"{key}: {random.choice(ODD_YAML)}"
    elif kind == 3:
        lines[place] = random.choice(KEYS) + colon + value
    elif kind == 4:
        lines.insert(place, random.choice([lines[place], random.choice(lines), "  ", "---", "..."]))
    else:
        del lines[place]


def judge_preset(case: Case, cache: Path) -> str:
    """Read and check one as `fercore report --preset FILE` does before it runs anything."""
    errors = (presets.PresetError, ParameterError, StudyError)

    def read() -> Setting:
        return check(typed(absolute(presets.read(case.path), case.path.parent)))

    found = attempt(read, errors, cache)
    text = case.path.read_bytes()
    if not isinstance(found, Setting):
        for line in safe(str(found)).split("\n"):  # as the command line shows it
            _check_line(line, "")
        if text.decode("latin-1") in GOOD:
            raise WrongError(f"in order, but refused: {found}")
        return "refused"
    kept = yaml.safe_load(text) or {}
    values = found.model_dump(mode="json")
    if any(not _alike(values[name], value) for name, value in kept.items()):
        raise WrongError(f"{kept}: other values than {values}")
    heads = [line.split(b":")[0] for line in text.splitlines() if line[:1].isupper()]
    if len(set(heads)) < len(heads):
        raise WrongError("loaded, with a name twice")
    return "loaded"


def _alike(taken: Any, given: Any) -> bool:
    """Whether a setting holds what a preset says; a text may stand for a number or a list."""
    if isinstance(taken, list):
        parts = str(given).strip("[]() ").split(",")
        items = given if isinstance(given, list) else [part for part in parts if part.strip()]
        return len(taken) == len(items) and all(map(_alike, taken, items))
    if isinstance(taken, bool | type(None)) or isinstance(given, str):
        words = {True: ("true", "yes", "on", "1", "y", "t"), None: ("none", "null", "")}
        words[False] = ("false", "no", "off", "0", "n", "f")
        said = str(given).strip(" '\"").lower()
        return said in words.get(taken, ()) or said == str(taken).lower() or _number(said) == taken
    return bool(taken == (float(given) if isinstance(taken, float) else given))


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


Judge = Callable[[Case, Path], str]
MORE: dict[str, tuple[Callable[[Random, Path], Case], Judge]] = {
    "crop": (crop_case, judge_crops),
    "crop folder": (fuzz_files.image_folder_case, judge_crops),
    "crop .zip": (fuzz_files.image_zip_case, judge_crops),
    "weights": (weights_case, judge_weights),
    "preset": (preset_case, judge_preset),
}
