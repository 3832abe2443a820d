"""Pictures in, probabilities out: reading crops, finding weights, the command."""

from __future__ import annotations

import io
import json
import struct
import sys
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from fercore import cli, predict, weights
from fercore.data import EMOTIONS, DataError
from fercore.predict import accuracy, read
from fercore.spec import AugmentSpec, DataSpec
from fercore.store.record import RunRecord
from fercore.store.runs import RunStore
from fercore.training.train import run
from fercore.weights import Weights, WeightsError
from tests import toy
from tests.face_files import (
    csv_text,
    image_file,
    image_files,
    random_faces,
    write_folder,
    write_zip,
)

FACES = toy.bars()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunStore, RunRecord]:
    """A store with one run, whose data had a path."""
    store = RunStore(tmp_path_factory.mktemp("store"))
    spec = toy.spec(data=DataSpec(source="/home/somebody/fer/bars.csv"), epochs=6)
    return store, run(spec, FACES, store, device="cpu")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder in the place of the weights that come with fercore."""
    folder = tmp_path / "weights"
    monkeypatch.setattr(weights, "FOLDER", folder)
    return folder


def export(trained: tuple[RunStore, RunRecord], name: str) -> Weights:
    store, record = trained
    return weights.export(weights.find(record.run_id, store), name)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.app, list(arguments))


def jpeg(side: tuple[int, int] = (90, 120), colour: str = "RGB") -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (8, 6), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).resize(side).convert(colour).save(file, "jpeg")
    return file.getvalue()


# Reading pictures


def test_a_grey_48x48_image_stays_byte_for_byte(tmp_path: Path) -> None:
    face = random_faces().images[0]
    (tmp_path / "a.png").write_bytes(image_file(face))
    crops = read(tmp_path / "a.png")
    assert (crops.images[0] == face).all()
    assert (crops.names, crops.labels.tolist(), crops.splits.tolist()) == (["a.png"], [-1], [""])


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_size_and_colour_becomes_the_same_grey_square(tmp_path: Path, mode: str) -> None:
    """Left third white, right third black, grey between: the centred square keeps the grey."""
    wide = np.repeat(np.array([255, 128, 0], np.uint8), 60)[None].repeat(60, 0)
    form = "jpeg" if mode == "CMYK" else "png"
    Image.fromarray(wide).convert(mode).save(tmp_path / f"a.{form}")
    image = read(tmp_path / f"a.{form}").images[0]
    assert image.shape == (48, 48)
    assert image.dtype == np.uint8
    assert image.mean() == pytest.approx(128, abs=4)
    assert mode == "1" or np.ptp(image[:, 4:-4]) <= 4


def test_what_is_odd_beside_the_picture_is_no_matter(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 3
    file = io.BytesIO()
    Image.fromarray(random_faces().images[0]).save(file, "jpeg", exif=exif)
    content = file.getvalue()
    place = content.index(b"Exif")
    (tmp_path / "odd.jpg").write_bytes(content[: place + 14] + b"\xff" * 9 + content[place + 23 :])
    assert len(read(tmp_path / "odd.jpg")) == 1  # and no warning, which would be an error here


def test_transparent_pixels_are_white_and_exif_turns_upright(tmp_path: Path) -> None:
    Image.new("RGBA", (60, 60), (0, 0, 0, 0)).save(tmp_path / "glass.png")
    assert (read(tmp_path / "glass.png").images == 255).all()
    half = np.zeros((60, 60), np.uint8)
    half[:30] = 255
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    Image.fromarray(half).save(tmp_path / "turned.jpg", exif=exif)
    image = read(tmp_path / "turned.jpg").images[0]
    assert image[:20].mean() < 10
    assert image[28:].mean() > 245


def huge() -> bytes:
    """The head of a PNG that says it has 40,000 by 40,000 pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 40_000, 40_000, 8, 0, 0, 0, 0)
    body = struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))
    return b"\x89PNG\r\n\x1a\n" + body + struct.pack(">I", 0) + b"IDAT"


def deep() -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.zeros((50, 50), np.uint16)).save(file, "png")
    return file.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.jpg", b"no picture", "neither"),
        ("a.webp", b"RIFFxxxxWEBP", "neither"),
        ("a.jpg", jpeg()[:300], "does not decode"),
        ("a.png", huge(), "does not decode"),
        ("a.png", deep(), "mode I;16"),
        ("nameless", b"\x89PNG\r\n\x1a\n", "neither"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(
    tmp_path: Path, name: str, content: bytes, found: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=found) as caught:
        read(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "JPEG or PNG" in str(caught.value)


def test_names_that_are_too_long_are_refused() -> None:
    with pytest.raises(DataError, match="too long"):
        read("x" * 5000)
    with pytest.raises(WeightsError, match="no such file"):
        weights.find("x" * 5000 + ".safetensors")


@pytest.mark.parametrize("packed", [False, True])
def test_folders_give_labels_and_splits_where_their_names_do(tmp_path: Path, packed: bool) -> None:
    files = {
        "me.jpg": jpeg(),
        "joy/a.jpeg": jpeg((30, 30)),
        "test/sad/PrivateTest_1.png": image_file(np.zeros((48, 48), np.uint8)),
        "train/angry/1.jpg": jpeg((48, 48), "L"),
        "notes.txt": b"no picture",
    }
    write = write_zip if packed else write_folder
    crops = read(write(tmp_path / ("a.zip" if packed else "a"), files))
    assert crops.names == [
        "joy/a.jpeg",
        "me.jpg",
        "test/sad/PrivateTest_1.png",
        "train/angry/1.jpg",
    ]
    assert crops.labels.tolist() == [3, -1, 4, 0]
    assert crops.splits.tolist() == ["", "", "PrivateTest", "Training"]


@pytest.mark.parametrize("form", ["csv", "folder"])
def test_forms_of_fer2013_keep_their_images_labels_and_splits(tmp_path: Path, form: str) -> None:
    faces = random_faces()
    path = tmp_path / "faces"
    if form == "csv":
        path.write_text(csv_text(faces))
    else:
        write_folder(path, image_files(faces))
    crops = read(path)
    rows = (zip(f.images, f.labels, f.splits, strict=True) for f in (crops, faces))
    seen, kept = ({(image.tobytes(), *rest) for image, *rest in part} for part in rows)
    assert seen == kept
    assert len(crops) == len(faces) == len(kept)


# Weights


def test_a_run_reads_as_its_record_says(trained: tuple[RunStore, RunRecord]) -> None:
    store, record = trained
    network = weights.load(weights.find(record.run_id[:6], store))
    rows = FACES.rows("PublicTest")
    said = predict.predict(network, FACES.images[rows], mirror=False)
    assert said.shape == (35, 7)
    assert np.allclose(said.sum(1), 1, atol=1e-5)
    kept = store.predictions(record.run_id)["PublicTest"].probabilities
    assert np.abs(said - kept).max() < 1e-3
    crops = predict.Crops([""] * 35, FACES.images[rows], FACES.labels[rows], FACES.splits[rows])
    assert accuracy(said, crops)["PublicTest"].accuracy == record.accuracy("PublicTest")


def test_the_mirror_image_has_half_a_say(trained: tuple[RunStore, RunRecord]) -> None:
    network = weights.load(weights.find(trained[1].run_id, trained[0]))
    images = random_faces().images
    mirrored = np.ascontiguousarray(images[:, :, ::-1])
    one, other = (predict.predict(network, view, mirror=False) for view in (images, mirrored))
    both = predict.predict(network, images)
    assert np.abs(one - other).max() > 1e-3
    assert np.allclose(both, (one + other) / 2, atol=1e-7)
    assert np.array_equal(both, predict.predict(network, mirrored))
    assert predict.predict(network, images[:0]).shape == (0, 7)


@pytest.mark.parametrize(
    ("images", "found"),
    [
        (np.zeros((2, 48, 48)), r"float64 \(2, 48, 48\)"),  # as of 0 to 1
        (np.zeros((48, 48), np.uint8), r"uint8 \(48, 48\)"),
        (np.zeros((2, 32, 32), np.uint8), r"uint8 \(2, 32, 32\)"),
    ],
)
def test_images_of_another_kind_are_refused(images: Any, found: str) -> None:
    with pytest.raises(DataError, match=rf"expected images uint8 \(N, 48, 48\), found {found}"):
        predict.predict(torch.nn.Identity(), images)


@pytest.mark.parametrize("trained_on", [True, False])
@pytest.mark.parametrize("asked", ["--mirror", "--no-mirror", ""])
def test_the_mirror_image_is_asked_where_it_was_trained_on(
    trained: tuple[RunStore, RunRecord],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trained_on: bool,
    asked: str,
) -> None:
    store, record = trained
    flip = AugmentSpec(flip=trained_on)
    train = record.spec.train.model_copy(update={"augment": flip})
    spec = record.spec.model_copy(update={"train": train})
    found = Weights("some", store.folder(record.run_id) / "weights.safetensors", record)
    claimed = replace(found, record=record.model_copy(update={"spec": spec}))
    monkeypatch.setattr(weights, "find", lambda *_: claimed)
    (tmp_path / "face.jpg").write_bytes(jpeg())
    words = [str(tmp_path / "face.jpg"), *([asked] if asked else [])]
    expected = asked == "--mirror" if asked else trained_on
    assert ("Mean over each image" in invoke("predict", *words).stdout) == expected
    tree = json.loads(invoke("predict", *words, "--json").stdout)
    assert tree["views"] == (["image", "mirror image"] if expected else ["image"])
    shares = list(tree["faces"][0]["probabilities"].values())
    image = read(tmp_path / "face.jpg").images
    given = predict.predict(weights.load(found), image, mirror=expected)[0]
    assert np.allclose(shares, given, atol=1e-6)


def spoilt(made: Weights, how: str) -> None:
    """Change the weights, or the record, of exported weights."""
    record, content = made.path.with_suffix(".json"), made.path.read_bytes()
    tree = json.loads(record.read_text())
    changed: dict[str, Any] = {
        "another seed": {"spec": tree["spec"] | {"seed": 9}},
        "another schema": {"schema_version": "\x1b[31m"},
        "no size": {"file_bytes": None},
    }
    if how == "cut":
        made.path.write_bytes(content[:-1])
    elif how == "gone":
        made.path.unlink()
    elif how == "no record":
        record.unlink()
    elif how in changed:
        record.write_text(json.dumps(tree | changed[how]))
    elif how == "another bit":
        made.path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    else:  # an older record, which does not hold the file's SHA-256
        del tree["weights_sha256"]
        record.write_text(json.dumps(tree))
        other = content[:-4] + np.float32(np.nan).tobytes()
        if how == "another shape":
            other = content.replace(b"[7,16]", b"[16,7]")
        elif how == "whole numbers":
            other = content.replace(b"F32", b"I32")
        made.path.write_bytes(other)


SPOILT = {
    "cut": "expected .* bytes, found",
    "gone": "small.safetensors: no such file",
    "no record": "expected the record of",
    "no size": "expected 0 bytes, found",
    "another schema": r"expected schema 2, found '\\x1b\[31m'",
    "another seed": "its specification and fingerprints are those of run",
    "another bit": "expected SHA-256",
    "no numbers": "expected finite numbers",
    "another shape": "size mismatch",
    "whole numbers": "expected torch.float32, found torch.int32",
}


@pytest.mark.parametrize("how", SPOILT)
def test_weights_that_do_not_fit_their_record_are_refused(
    trained: tuple[RunStore, RunRecord], shipped: Path, how: str
) -> None:
    spoilt(export(trained, "small"), how)
    with pytest.raises(WeightsError, match=SPOILT[how]):
        weights.load(weights.find(str(shipped / "small.safetensors")))


def test_export_of_weights_that_do_not_fit_writes_nothing(
    trained: tuple[RunStore, RunRecord], shipped: Path, tmp_path: Path
) -> None:
    made = export(trained, "small")
    spoilt(made, "another bit")
    with pytest.raises(WeightsError, match="expected SHA-256"):
        weights.export(made, "again", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_weights_of_a_network_that_has_changed_are_refused(
    trained: tuple[RunStore, RunRecord], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, record = trained
    monkeypatch.setattr("fercore.models.fingerprint", lambda spec: "another")
    with pytest.raises(WeightsError, match="has other layers in this version"):
        weights.load(weights.find(record.run_id, store))


def test_export_keeps_the_run_and_leaves_the_machine_out(
    trained: tuple[RunStore, RunRecord], shipped: Path
) -> None:
    store, record = trained
    made = export(trained, "small")
    assert sorted(path.name for path in shipped.iterdir()) == ["small.json", "small.safetensors"]
    assert "somebody" not in (shipped / "small.json").read_text()
    assert made.record.spec.data.source == "bars"
    assert weights.find("small").record == made.record
    assert made.record.run_id == record.run_id
    first, second = (
        weights.load(w).state_dict() for w in ("small", weights.find(record.run_id, store))
    )
    assert all(torch.equal(first[name], second[name]) for name in second)


def test_export_refuses_odd_and_taken_names(
    trained: tuple[RunStore, RunRecord], shipped: Path
) -> None:
    export(trained, "small")
    with pytest.raises(WeightsError, match="of that name already"):
        export(trained, "small")
    for name in ("../out", "Big", "", ".x"):
        with pytest.raises(WeightsError, match="expected small letters"):
            export(trained, name)
    assert len(list(shipped.iterdir())) == 2


def test_the_best_comes_first_and_photographs_before_drawings(
    trained: tuple[RunStore, RunRecord], shipped: Path
) -> None:
    made = export(trained, "worse")
    better = made.record.splits["valid"].model_copy(update={"accuracy": 1.0, "right": None})
    changes: dict[str, dict[str, Any]] = {
        "better": {"splits": {"valid": better}},
        "drawn": {
            "splits": {"valid": better},
            "data": made.record.data.model_copy(update={"synthetic": True}),
        },
    }
    worst = made.record.splits["valid"].model_copy(update={"accuracy": 0.1, "right": None})
    changes["worse"] = {"splits": {"valid": worst}}
    for name, change in changes.items():
        (shipped / f"{name}.json").write_text(
            made.record.model_copy(update=change).model_dump_json()
        )
        (shipped / f"{name}.safetensors").write_bytes(made.path.read_bytes())
    assert [found.name for found in weights.shipped()] == ["better", "worse", "drawn"]
    assert weights.find().name == "better"
    assert "126 synthetic faces (bars)" in str(weights.find("drawn"))
    assert "126 photographs (bars)" in str(weights.find("better"))


def test_unknown_and_missing_weights_say_what_there_is(
    trained: tuple[RunStore, RunRecord], shipped: Path, tmp_path: Path
) -> None:
    store, _ = trained
    with pytest.raises(WeightsError, match="no weights come with this fercore; name a run of"):
        weights.find(None, store)
    export(trained, "small")
    with pytest.raises(WeightsError, match=r"no weights 'big'; with fercore come: small; or name"):
        weights.find("big", store)
    with pytest.raises(WeightsError, match="no weights ''"):
        weights.find("", store)


def test_weights_that_come_with_fercore_can_be_used() -> None:
    """Whatever is committed: it fits its record, is small, and names no machine."""
    assert weights.names()
    for found in weights.shipped():
        said = predict.predict(weights.load(found), random_faces().images)
        assert np.allclose(said.sum(1), 1, atol=1e-5)
        assert found.record.params_trainable <= 100_000
        source = found.record.spec.data.source
        assert source == "synthetic" or "/" not in source


# The command


def test_a_face_gets_seven_probabilities(
    trained: tuple[RunStore, RunRecord], shipped: Path, tmp_path: Path
) -> None:
    export(trained, "small")
    (tmp_path / "face.jpg").write_bytes(jpeg())
    text = invoke("predict", str(tmp_path / "face.jpg"))
    assert text.exit_code == 0
    assert text.stdout.isascii()
    lines = text.stdout.splitlines()
    assert lines[0].startswith("small: ")
    assert "126 photographs (bars)" in lines[0]
    shown = {line.split()[0]: float(line.split()[1]) for line in lines[2:9]}
    assert set(shown) == set(EMOTIONS)
    assert sum(shown.values()) == pytest.approx(100, abs=0.4)
    assert list(shown.values()) == sorted(shown.values(), reverse=True)
    tree = json.loads(invoke("predict", str(tmp_path / "face.jpg"), "--json").stdout)
    (face,) = tree["faces"]
    assert list(face["probabilities"]) == list(EMOTIONS)
    assert face["emotion"] == next(iter(shown))
    assert (face["label"], face["split"], tree["accuracy"]) == (None, None, {})
    assert tree["weights"]["run_id"] == trained[1].run_id


def test_labelled_data_gets_an_accuracy(
    trained: tuple[RunStore, RunRecord], shipped: Path, tmp_path: Path
) -> None:
    store, record = trained
    (tmp_path / "bars.csv").write_text(csv_text(FACES))
    asked = ("predict", str(tmp_path / "bars.csv"), "--weights", record.run_id)
    text = invoke(*asked, "--store", str(store.root)).stdout
    expected = record.accuracy("PublicTest")
    assert expected is not None
    right = round(35 * expected)
    assert f"Accuracy on PublicTest: {100 * expected:.1f} % ({right} of 35)" in text
    assert "Training faces of bars are what the network learned from" in text
    assert "and 155 more; --json gives all" in text
    tree = json.loads(invoke(*asked, "--store", str(store.root), "--json").stdout)
    assert tree["accuracy"]["PublicTest"] == {"n": 35, "right": right, "accuracy": expected}
    assert len(tree["faces"]) == 175
    assert (
        tree["faces"][0] | {"name": "row 1", "split": "Training", "label": "angry"}
        == (tree["faces"][0])
    )


def test_synthetic_weights_say_so(
    trained: tuple[RunStore, RunRecord], shipped: Path, tmp_path: Path
) -> None:
    made = export(trained, "drawn")
    drawn = made.record.data.model_copy(update={"synthetic": True})
    record = made.record.model_copy(update={"data": drawn})
    made.path.with_suffix(".json").write_text(record.model_dump_json())
    (tmp_path / "face.jpg").write_bytes(jpeg())
    text = invoke("predict", str(tmp_path / "face.jpg")).stdout
    assert "trained on 126 synthetic faces" in text
    assert "It never saw a photograph" in text
    tree = json.loads(invoke("predict", str(tmp_path / "face.jpg"), "--json").stdout)
    assert tree["weights"]["data"]["synthetic"] is True


@pytest.mark.parametrize("fault", ["no weights", "no such file", "no picture"])
def test_mistakes_end_with_one_message_and_code_2(
    trained: tuple[RunStore, RunRecord],
    shipped: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fault: str,
) -> None:
    if fault != "no weights":
        export(trained, "small")
    if fault != "no such file":
        (tmp_path / "face.jpg").write_bytes(b"no picture")
    monkeypatch.setattr(sys, "argv", ["fercore", "predict", str(tmp_path / "face.jpg")])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    out, said = capsys.readouterr()
    assert out == ""
    assert said.startswith("fercore: ")
    assert said.count("\n") == 1


HOSTILE = ["\x1b[31ma.png", "b\n.png", "c\u202e.png", "d\udcff.png"]  # the last is no UTF-8


def test_no_name_reaches_the_terminal_raw(
    trained: tuple[RunStore, RunRecord],
    shipped: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    export(trained, "small")
    for name in HOSTILE:
        (tmp_path / name).write_bytes(image_file(random_faces().images[0]))
    said = invoke("predict", str(tmp_path)).stdout
    assert [line.split()[0] for line in said.splitlines()[2:6]] == sorted(
        ascii(name)[1:-1] for name in HOSTILE
    )
    said += "".join(invoke("predict", str(tmp_path / name)).stdout for name in HOSTILE)
    (tmp_path / HOSTILE[0]).write_bytes(b"no picture")
    for path in (HOSTILE[0], "gone" + HOSTILE[0]):
        monkeypatch.setattr(sys, "argv", ["fercore", "predict", str(tmp_path / path)])
        with pytest.raises(SystemExit):
            cli.main()
        said += capsys.readouterr().err
    assert all(line.isprintable() for line in said.split("\n"))
    assert said.count(r"\x1b[31ma.png") == 4


def test_export_by_the_command_line(trained: tuple[RunStore, RunRecord], tmp_path: Path) -> None:
    store, record = trained
    to = tmp_path / "mine"
    asked = ("runs", "export", record.run_id[:5], "small", "--to", str(to))
    result = invoke(*asked, "--store", str(store.root))
    assert result.exit_code == 0
    assert str(to / "small.safetensors") in result.stdout
    (tmp_path / "face.jpg").write_bytes(jpeg())
    named = ("--weights", str(to / "small.safetensors"), "--json")
    assert invoke("predict", str(tmp_path / "face.jpg"), *named).exit_code == 0


def test_a_diverged_run_has_no_weights(trained: tuple[RunStore, RunRecord], tmp_path: Path) -> None:
    _, record = trained
    store = RunStore(tmp_path)
    change: dict[str, Any] = {"status": "diverged", "splits": {}, "file_bytes": None}
    store.put(record.model_copy(update=change))
    with pytest.raises(WeightsError, match="a run that diverged has no weights"):
        weights.find(record.run_id, store)
