import gzip
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercore import data
from fercore.data import EMOTIONS, Faces, fer2013, load, pixels, recognise
from tests.face_files import (
    csv_text,
    image_files,
    own_cache,  # noqa: F401
    pixel_text,
    random_faces,
    write_folder,
    write_zip,
)

FACES = random_faces()


def same(found: Faces, expected: Faces) -> None:
    np.testing.assert_array_equal(found.images, expected.images)
    np.testing.assert_array_equal(found.labels, expected.labels)
    np.testing.assert_array_equal(found.splits, expected.splits)
    assert found.fingerprint == expected.fingerprint
    assert found.labels.dtype == np.int64


@pytest.mark.parametrize("packing", ["plain", "gzip", "zip", "folder"])
@pytest.mark.parametrize(
    ("header", "form"),
    [
        ("emotion,pixels,Usage", "fer2013.csv"),
        ("emotion, Usage, pixels", "icml_face_data.csv"),
        ("emotion,pixels", "Kaggle challenge train.csv"),
        ("pixels", "Kaggle challenge test.csv"),
        ("label,feature", "course train.csv"),
        ("id,feature", "course test.csv"),
    ],
)
def test_tables_are_known_by_their_columns(
    tmp_path: Path, header: str, form: str, packing: str
) -> None:
    text = csv_text(FACES, header).encode()
    path = tmp_path / "some.thing"
    if packing == "plain":
        path.write_bytes(text)
    elif packing == "gzip":
        path.write_bytes(gzip.compress(text))
    elif packing == "zip":
        write_zip(path, {"inside/some.csv": text, "__MACOSX/inside/._some.csv": b"clutter"})
    else:
        path = write_folder(tmp_path / "folder", {"any.csv": text, "other.csv": b"a,b\n1,2\n"})
    assert recognise(path).form == form + {"gzip": ", gzip", "zip": ", zip"}.get(packing, "")
    faces = load(path)
    np.testing.assert_array_equal(faces.images, FACES.images)
    labelled = "emotion" in header or "label" in header
    expected = FACES.labels if labelled else np.full(len(FACES), -1)
    np.testing.assert_array_equal(faces.labels, expected)
    if "Usage" in header:
        same(faces, FACES)
    else:
        assert set(faces.splits) == {"Training" if labelled else "PublicTest"}


def test_a_table_with_usage_is_preferred_in_a_folder(tmp_path: Path) -> None:
    files = {"icml_face_data.csv": "emotion, Usage, pixels", "train.csv": "emotion,pixels"}
    write_folder(tmp_path, {name: csv_text(FACES, head).encode() for name, head in files.items()})
    same(load(tmp_path), FACES)


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_byte_order_mark_crlf_spaces_quotes_and_last_empty_lines_are_read(
    tmp_path: Path, name: str
) -> None:
    rows = [
        f' {label} ,"  {pixel_text(image, "  ")} ", {split} '
        for image, label, split in zip(FACES.images, FACES.labels, FACES.splits, strict=True)
    ]
    text = "\r\n".join(["\ufeffemotion,pixels,Usage", *rows, "", "\r\n"])
    packed = gzip.compress(text.encode()) if name.endswith("gz") else text.encode()
    (tmp_path / name).write_bytes(packed)
    same(load(tmp_path / name), FACES)


def test_a_table_without_a_last_newline_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(csv_text(FACES).rstrip("\n"))
    same(load(path), FACES)


def test_a_lone_carriage_return_ends_a_line_too(tmp_path: Path) -> None:
    rows = csv_text(FACES).splitlines()
    path = tmp_path / "a.csv"
    path.write_bytes("\n".join([*rows[:3], "\r".join(rows[3:6]), *rows[6:], ""]).encode())
    same(load(path), FACES)
    path.write_bytes("\n".join([*rows[:3], "\r".join(rows[3:6]), "9" + rows[6]]).encode())
    with pytest.raises(data.DataError, match="line 5: expected a label 0-6"):
        load(path)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_a_quoted_cell_over_several_lines_is_refused(tmp_path: Path, end: str) -> None:
    rows = csv_text(FACES).splitlines()
    label, image, usage = rows[3].split(",")
    rows[3] = f'{label},"{image.replace(" ", end, 1)}",{usage}'
    path = tmp_path / "a.csv"
    path.write_text("\n".join([*rows, ""]), newline="")
    with pytest.raises(data.DataError, match=r"line 4: .* found a quote that is not closed"):
        load(path)


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_quote_that_is_open_where_the_file_ends_is_refused(tmp_path: Path, end: str) -> None:
    head, *rows = csv_text(FACES).splitlines()
    quoted = [f'{row.split(",")[0]},"{row.split(",")[1]}"' for row in rows]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([head.rpartition(",")[0], *quoted]) + end)
    assert len(load(path)) == len(rows)
    path.write_text("\n".join([head.rpartition(",")[0], *quoted])[:-2] + end)  # 45" became 4
    with pytest.raises(data.DataError, match=rf"line {len(rows) + 1}: .* quote that is not closed"):
        load(path)


def test_a_quote_within_a_cell_that_nobody_reads_is_text(tmp_path: Path) -> None:
    image = csv_text(FACES).splitlines()[1].split(",")[1]
    path = tmp_path / "a.csv"
    path.write_text(f'id,feature\na"1,{image}\n')
    assert len(load(path)) == 1


def test_rows_keep_their_order_over_many_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = random_faces(200)
    path = tmp_path / "a.csv"
    path.write_text(csv_text(faces))
    for size in (1, 7_777, 50_000):
        monkeypatch.setattr(fer2013, "BLOCK", size)
        same(fer2013.read(path), faces)


@pytest.mark.parametrize("packing", ["folder", "zip"])
def test_image_files_give_the_same_faces_as_the_table(tmp_path: Path, packing: str) -> None:
    files = image_files(FACES) | {"README.md": b"hello", "train/.DS_Store": b"clutter"}
    files |= {"train/Thumbs.db/a.png": b"clutter", "__MACOSX/train/sad/._1.png": b"clutter"}
    if packing == "zip":
        path = write_zip(tmp_path / "archive.zip", {f"fer/{k}": v for k, v in files.items()})
    else:
        path = write_folder(tmp_path / "fer", files)
    assert recognise(path).form.startswith("image folders")
    same(load(path), FACES)


def test_classes_are_known_by_name_in_any_spelling(tmp_path: Path) -> None:
    names = ["Anger", "DISGUST", "fearful", "Happiness", "sadness", "surprised", "Neutral"]
    assert names != sorted(names)
    same(load(write_folder(tmp_path / "a", image_files(FACES, names))), FACES)


def test_every_class_name_has_its_label() -> None:
    assert [data.folder.CLASSES[name] for name in EMOTIONS] == list(range(7))


def test_test_images_without_a_known_prefix_are_public(tmp_path: Path) -> None:
    files = {name.replace("PrivateTest_", "im"): body for name, body in image_files(FACES).items()}
    faces = load(write_folder(tmp_path / "a", files))
    assert (faces.count("PublicTest"), faces.count("PrivateTest")) == (14, 0)


def test_linked_folders_are_followed(tmp_path: Path) -> None:
    write_folder(tmp_path / "far", image_files(FACES))
    (tmp_path / "near").mkdir()
    for split in ("train", "test"):
        (tmp_path / "near" / split).symlink_to(tmp_path / "far" / split, target_is_directory=True)
    same(load(tmp_path / "near"), FACES)


def test_source_names_the_file_without_its_place(tmp_path: Path) -> None:
    (tmp_path / "my.csv").write_text(csv_text(FACES))
    assert load(str(tmp_path / "my.csv")).source == "my.csv"
    assert not load(tmp_path / "my.csv").synthetic


def test_synthetic_is_the_program_not_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "fercore.data.synthetic", SimpleNamespace(load=lambda: FACES), raising=False
    )
    assert load("synthetic") is FACES


def test_every_number_of_every_length_is_parsed() -> None:
    words = [f"{value:0{width}d}" for width in (1, 2, 3) for value in range(256)]
    cells = [" ".join(words * 3).encode(), " ".join(words[::-1] * 3).encode()]
    images = pixels.parse(cells)
    assert images is not None
    np.testing.assert_array_equal(images[0].ravel(), [int(word) for word in words * 3])
    np.testing.assert_array_equal(images[1].ravel(), [int(word) for word in words[::-1] * 3])


def test_counts_that_balance_out_are_not_taken_for_right() -> None:
    words = ["7"] * 2304
    doubled = " ".join([*words[:50], "", *words[51:]]).encode()  # 2,304 spaces, 2,303 numbers
    longer, shorter = " ".join([*words, "7"]).encode(), " ".join(words[1:]).encode()
    assert pixels.parse([doubled]) is None
    assert pixels.parse([longer, shorter]) is None
    assert pixels.parse([shorter, longer]) is None
    assert pixels.parse([b"7" * 2304]) is None


ODD = ["0", "00", "007", "255", "256", "259", "260", "299", "300", "999", "1000", "0255", "2550"]
ODD += ["", " ", "-1", "+1", "1.5", "1e2", "a", "\t5", "5\n", "\x00", "é", "٣", "1_0", "9 9", '"']


@given(
    st.lists(st.tuples(st.integers(0, 2303), st.sampled_from(ODD)), max_size=4),
    st.integers(0, 2),
    st.sampled_from([" ", "  ", "\t"]),
)
def test_the_fast_parser_and_the_explanation_agree(
    changes: list[tuple[int, str]], row: int, space: str
) -> None:
    words = [str(value % 256) for value in range(2304)]
    for place, word in changes:
        words[place] = word
    cells = [pixel_text(image).encode() for image in FACES.images[:3]]
    cells[row] = space.join(words).encode()
    images = pixels.parse(cells)
    assert (images is None) == (pixels.fault(cells[row]) is not None)
    if images is not None:
        expected = [int(word) for word in cells[row].split()]
        np.testing.assert_array_equal(images[row].ravel(), expected)
