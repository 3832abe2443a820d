import gzip
import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from fercore.data import DataError, fer2013, ferplus, files, folder, load
from tests.face_files import (
    csv_text,
    image_file,
    image_files,
    own_cache,  # noqa: F401
    random_faces,
    write_folder,
    write_zip,
)

FACES = random_faces(8)
GOOD = csv_text(FACES).splitlines()
PIXELS = GOOD[1].split(",")[1]
WORDS = PIXELS.split()


def error(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        load(path)
    message = str(caught.value)
    assert message.startswith(str(path))
    return message


def fault(pixels: str = PIXELS, label: str = "3", usage: str = "Training") -> str:
    return ",".join([label, pixels, usage])


def with_pixel(word: str) -> str:
    return fault(" ".join([*WORDS[:99], word, *WORDS[100:]]))


FAULTS = {
    "2303 pixels": (fault(" ".join(WORDS[1:])), "expected 2,304 pixels (48x48), found 2,303"),
    "2305 pixels": (fault(PIXELS + " 7"), "expected 2,304 pixels (48x48), found 2,305"),
    "pixels without end": (
        fault(f'"{"1 " * 100_000}"'),
        "expected 2,304 pixels (48x48), found 100",
    ),
    "no pixels": (fault(""), "expected 2,304 pixels (48x48), found 0"),
    "256": (with_pixel("256"), "expected pixels as whole numbers 0-255, found '256' as pixel 100"),
    "1000": (with_pixel("1000"), "found '1000' as pixel 100"),
    "-3": (with_pixel("-3"), "found '-3' as pixel 100"),
    "1.5": (with_pixel("1.5"), "found '1.5' as pixel 100"),
    "word": (with_pixel("dark"), "found 'dark' as pixel 100"),
    "not ASCII": (with_pixel("٣"), "as pixel 100"),
    "label 7": (fault(label="7"), "expected a label 0-6, found '7'"),
    "label -1": (fault(label="-1"), "expected a label 0-6, found '-1'"),
    "label 3.0": (fault(label="3.0"), "expected a label 0-6, found '3.0'"),
    "label word": (fault(label="happy"), "expected a label 0-6, found 'happy'"),
    "no label": (fault(label=""), "expected a label 0-6, found ''"),
    "usage": (
        fault(usage="Test"),
        "expected a Usage of Training, PublicTest, PrivateTest, found 'Test'",
    ),
    "no usage": (fault(usage=""), "found ''"),
    "field too few": ("3," + PIXELS, "expected 3 fields, found 2"),
    "field too many": (fault() + ",", "expected 3 fields, found 4"),
    "commas": (fault(PIXELS.replace(" ", ",")), "expected 3 fields, found 2306"),
    "open quote": (fault('"' + PIXELS), "expected a line of CSV, found a quote that is not closed"),
    "long line": (with_pixel(" " * files.MAX_LINE), "found a longer one"),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(("line", "place"), [(GOOD[1:], 9), ([], 2)])
@pytest.mark.parametrize("name", FAULTS)
def test_a_faulty_row_is_named_with_its_line(
    tmp_path: Path, name: str, line: list[str], place: int, packed: bool
) -> None:
    row, expected = FAULTS[name]
    place += bool(line)
    text = "\n".join([GOOD[0], *line, row, *GOOD[1:3], ""]).encode()
    path = tmp_path / "a.csv"
    path.write_bytes(gzip.compress(text, 1) if packed else text)
    message = error(path)
    assert message.startswith(f"{path}, line {place}: expected ")
    assert expected in message
    assert not (tmp_path / "cache").exists()


def test_the_first_of_several_faults_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fer2013, "BLOCK", 10_000)
    path = tmp_path / "a.csv"
    rows = [*GOOD, fault(label="9"), *GOOD[1:], with_pixel("x"), ""]
    path.write_text("\r\n".join(rows), newline="")
    assert "line 10: expected a label" in error(path)


WHOLE = csv_text(FACES).encode()
COLUMNS = "expected columns emotion,pixels,usage or emotion,usage,pixels or emotion,pixels or"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "expected a CSV with a header line, found an empty file"),
        (gzip.compress(b"", mtime=0), "found an empty file"),
        (b"emotion,pixels,Usage\n", "expected rows in the form of the header, found none"),
        (b"emotion,pixels,Usage", "found none"),
        (b"emotion,pixels,Usage\r\n\r\n\n", "found none"),
        (b"emotion,Usage\n3,Training\n", f"line 1: {COLUMNS}"),
        (b"\n" + WHOLE, "found an empty line"),
        (WHOLE[21:], "line 1: expected columns"),
        (b"Usage,Image name,neutral\n", "found usage,image name,neutral"),
        (bytes(range(256)) * 9, "line 1: expected a CSV in UTF-8 with a header line, found b'"),
        (WHOLE.decode().encode("utf-16"), "expected a CSV in UTF-8"),
        (b'"emotion,pixels\n', "expected a CSV in UTF-8"),
        (image_file(FACES.images[0]), "expected a CSV in UTF-8"),
        (gzip.compress(WHOLE, mtime=0)[:-500], "expected a whole, readable file, found a fault: "),
        (gzip.compress(WHOLE, mtime=0)[:12], "expected a whole, readable file"),
        (gzip.compress(WHOLE, mtime=0)[:-8] + b"12345678", "expected a whole, readable file"),
        (b"\x1f\x8b" + b"not gzip at all" * 9, "expected a whole, readable file"),
        (b"PK\x03\x04" + b"not zip at all" * 9, "expected a whole, readable file"),
    ],
)
def test_a_faulty_file_is_named(tmp_path: Path, content: bytes, expected: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    assert expected in error(path)


@pytest.mark.parametrize("name", ["a\0b", "a" * 300, "a/" * 3000, "~nobody-at-all/a.csv"])
def test_a_path_that_cannot_be_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(DataError, match=r"no such file or folder|a whole, readable file"):
        load(tmp_path / name)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    assert "expected a file or folder, found a pipe" in error(tmp_path / "a.csv")
    path = write_folder(tmp_path / "fer", IMAGES)
    os.mkfifo(path / "train" / "happy" / "a.png")
    assert "expected a file, found a broken link, a pipe" in error(path)


@pytest.mark.parametrize("block", [1, 9_000, fer2013.BLOCK])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\r"])
@pytest.mark.parametrize("header", [",".join(columns) for columns in fer2013.FORMS])
def test_an_empty_line_is_a_fault_where_a_row_follows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, header: str, end: str, block: int
) -> None:
    monkeypatch.setattr(fer2013, "BLOCK", block)
    path = tmp_path / "a.csv"
    head, *rows = csv_text(FACES, header).splitlines(keepends=True)
    for place in (0, 4, 7):
        text = "".join([head, *rows[:place], end, end, *rows[place:]])
        path.write_text(text, newline="")
        assert error(path) == f"{path}, line {place + 2}: expected a row, found an empty line"
    path.write_text("".join([head, *rows, end, end]), newline="")
    assert len(load(path)) == len(FACES)


def test_blank_lines_without_end_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    bomb = gzip.compress(b"\n" * (1 << 24))
    path.write_bytes(gzip.compress(WHOLE, mtime=0) + 60 * bomb)  # a gigabyte
    assert "more than 1,048,576 bytes of blank lines" in error(path)
    votes = tmp_path / "votes.gz"
    votes.write_bytes(gzip.compress(",".join(ferplus.COLUMNS).encode() + b"\n") + 60 * bomb)
    (tmp_path / "a.csv").write_bytes(WHOLE)
    with pytest.raises(DataError, match="bytes of blank lines"):
        load(tmp_path / "a.csv", ferplus=votes)


def test_names_and_faults_are_shown_on_one_line_that_ends(tmp_path: Path) -> None:
    hostile = {"a\nb.csv": WHOLE, "\x1b[31m.csv": WHOLE, "\u202ea.csv": WHOLE}
    message = error(write_zip(tmp_path / "a.zip", hostile))
    assert message.endswith(r"found 3 files: \x1b[31m.csv, a\nb.csv, \u202ea.csv")
    long = error(write_zip(tmp_path / "b.zip", IMAGES | {"train/" + "x" * 9999 + "/1.png": PNG}))
    assert len(long) < 2000


def test_a_byte_order_mark_below_the_header_is_a_fault(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for between in (b"\xef\xbb\xbf\n", b"\xef\xbb\xbf"):
        path.write_bytes(WHOLE.replace(b"\n", b"\n" + between, 1))
        assert "line 2: expected" in error(path)
    path.write_text(csv_text(FACES, "id,feature").replace("\n", "\n\ufeff", 1), "utf-8")
    assert len(load(path)) == len(FACES)  # an id may be anything


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert "no such file or folder" in error(tmp_path / "fer2013.csv")


def test_a_broken_pickle_of_a_zip_is_an_error(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.csv": WHOLE})
    body = bytearray(path.read_bytes())
    body[400:420] = bytes(20)
    path.write_bytes(body)
    assert "expected a whole, readable file" in error(path)


@pytest.mark.parametrize(
    ("files_inside", "expected"),
    [
        ({}, "expected a .zip with one CSV, found 0 files"),
        ({"a.csv": WHOLE, "b.csv": WHOLE}, "found 2 files: a.csv, b.csv"),
        ({"../a.csv": WHOLE}, "expected names inside the archive's folder, found '../a.csv'"),
        ({"/a.csv": WHOLE}, "found '/a.csv'"),
        ({"x\\..\\..\\a.csv": WHOLE}, "expected names inside"),
        ({"C:/a.csv": WHOLE}, "expected names inside"),
        ({"train/happy/../../../a.png": b""}, "expected names inside"),
        ({"../": b"", "a.csv": WHOLE}, "expected names inside"),
    ],
)
def test_a_zip_with_other_than_one_table_or_with_bad_names_is_an_error(
    tmp_path: Path, files_inside: dict[str, bytes], expected: str
) -> None:
    assert expected in error(write_zip(tmp_path / "a.zip", files_inside))


def test_a_member_without_a_name_is_an_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), WHOLE)
    assert "names inside the archive's folder, found ''" in error(tmp_path / "a.zip")


@pytest.mark.parametrize("name", ["a.csv", "train/happy/a.png"])
def test_a_zip_that_may_take_any_memory_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(name, WHOLE)
    assert "expected a .zip stored or deflated, found compression methods [14]" in error(path)


def test_a_zip_that_lies_about_its_size_is_an_error(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.csv": WHOLE})
    body = bytearray(path.read_bytes())
    struct.pack_into("<I", body, body.index(b"PK\x01\x02") + 20, 2**31)
    path.write_bytes(body)
    assert "readable file, found a member of 2,147,483,648 packed bytes" in error(path)


def test_an_encrypted_zip_is_an_error(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", {"a.csv": WHOLE})
    body = bytearray(path.read_bytes())
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", body, body.index(mark) + place, 1)
    path.write_bytes(body)
    assert "encrypted" in error(path)


def test_what_an_archive_may_hold_is_limited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "MAX_TABLE", 1000)
    assert "at most 1,000 bytes" in error(write_zip(tmp_path / "a.zip", {"a.csv": WHOLE}))
    monkeypatch.setattr(fer2013, "MAX_ROWS", 7)
    (tmp_path / "a.csv").write_bytes(WHOLE)
    assert "at most 7 rows" in error(tmp_path / "a.csv")
    monkeypatch.setattr(folder, "MAX_ROWS", 7)
    images = image_files(FACES)
    assert "at most 7 images" in error(write_folder(tmp_path / "images", images))
    monkeypatch.setattr(folder, "MAX_ROWS", 8)
    monkeypatch.setattr(folder, "MAX_IMAGE", 100)
    assert "at most 100 bytes" in error(write_folder(tmp_path / "images", images))
    assert "at most 100 bytes" in error(write_zip(tmp_path / "images.zip", images))


GREY = FACES.images[0]
PNG = image_file(GREY)
IMAGES = image_files(FACES)
IMAGE = "expected an 8-bit grey image of 48x48, found "


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("train/happy/a.png", image_file(GREY[:47]), IMAGE + "48x47, mode L"),
        ("train/happy/a.jpg", image_file(np.dstack([GREY] * 3), "jpeg"), IMAGE + "48x48, mode RGB"),
        ("train/happy/a.png", image_file(GREY > 9), IMAGE + "48x48, mode 1"),
        ("train/happy/a.png", PNG[:200], IMAGE + "a file that does not decode"),
        ("train/happy/a.png", b"no image", IMAGE + "a file that does not decode"),
        ("train/happy/a.jpg", b"", IMAGE + "a file that does not decode"),
        ("train/happy/a.png", image_file(GREY, "gif"), IMAGE + "a file that does not decode (nei"),
        ("train/happy/a.png", image_file(GREY, "eps"), "(neither PNG nor JPEG)"),
        ("train/<script>/a.png", PNG, "surprise, neutral, found '<script>'"),
        ("train/contempt/a.png", PNG, "expected a class folder of angry, disgust, fear,"),
        ("validation/happy/a.png", PNG, "split one of train, test, training, publictest,"),
        ("happy/a.png", PNG, "expected <split>/<class>/<image>"),
        ("train/happy/more/a.png", PNG, "expected <split>/<class>/<image>"),
        ("train/happy/a.txt", b"note", "expected an image (.jpg, .jpeg, .png)"),
        ("train/happy/PrivateTest_9.png", PNG, "expected files of Training in this folder"),
        ("test/happy/Training_9.png", PNG, "expected files of PublicTest or PrivateTest"),
    ],
)
def test_a_faulty_image_is_named(
    tmp_path: Path, name: str, content: bytes, expected: str, packed: bool
) -> None:
    write = write_zip if packed else write_folder
    path = write(tmp_path / "fer", IMAGES | {name: content})
    message = error(path)
    assert message.startswith(str(path / name) + ": expected ")
    assert expected in message


def test_a_number_of_any_length_in_a_name_is_read(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", IMAGES | {f"train/sad/{'9' * 5000}.png": PNG})
    assert len(load(path)) == len(IMAGES) + 1


def test_a_name_twice_in_a_zip_is_an_error(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a.zip", IMAGES)
    with (
        zipfile.ZipFile(path, "a") as archive,
        pytest.warns(UserWarning, match="Duplicate name"),
    ):
        archive.writestr(next(iter(IMAGES)), PNG)
    assert "expected each name once" in error(path)


def test_a_huge_image_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    large = bytearray(PNG)
    struct.pack_into(">II", large, 16, 60_000, 60_000)
    path = write_folder(tmp_path / "a", IMAGES | {"train/happy/a.png": bytes(large)})
    assert IMAGE in error(path)


def test_folders_without_faces_or_with_a_choice_of_them_are_errors(tmp_path: Path) -> None:
    assert "found neither" in error(write_folder(tmp_path / "a", {"note.txt": b"hello"}))
    two = {"fer2013.csv": WHOLE, "fer2013.csv.gz": gzip.compress(WHOLE, mtime=0)}
    path = write_folder(tmp_path / "b", two)
    assert "one table of faces (name the file), found fer2013.csv, fer2013.csv.gz" in error(path)
    path = write_folder(tmp_path / "c", IMAGES | {"fer2013.csv": WHOLE})
    assert "found fer2013.csv in" in error(path)
    path = write_folder(tmp_path / "d", {"fer2013.csv.gz": gzip.compress(WHOLE, mtime=0)[:30]})
    with pytest.raises(DataError, match=r"fer2013\.csv\.gz: expected a whole, readable file"):
        load(path)


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "a", IMAGES)
    (path / "train" / "loop").symlink_to(path, target_is_directory=True)
    assert "a loop of links?" in error(path)


def test_a_folder_that_may_not_be_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_folder(tmp_path / "fer", IMAGES)
    scandir = os.scandir

    def locked(folder: str) -> object:
        if str(folder).endswith("happy"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    monkeypatch.setattr(os, "scandir", locked)
    assert "Permission denied" in error(path)
