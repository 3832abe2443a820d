from pathlib import Path

import numpy as np
import pytest

from fercore.data import DataError, load
from fercore.data import ferplus as data_ferplus
from fercore.data.ferplus import VOTES
from tests.face_files import (
    csv_text,
    image_files,
    own_cache,  # noqa: F401
    random_faces,
    write_folder,
)

FACES = random_faces(8)
VOTED = np.random.default_rng(1).integers(0, 11, (8, 10))
HEADER = (
    "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
)
LINES = [
    f"{usage},{f'fer{row:07d}.png' if row != 3 else ''},{','.join(map(str, votes))}"
    for row, (usage, votes) in enumerate(zip(FACES.splits, VOTED.tolist(), strict=True))
]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "fer2013.csv"
    path.write_text(csv_text(FACES))
    return path


def ferplus(tmp_path: Path, lines: list[str], header: str = HEADER) -> Path:
    path = tmp_path / "fer2013new.csv"
    path.write_text("\n".join([header, *lines, ""]))
    return path


def test_votes_are_joined_row_by_row(tmp_path: Path, table: Path) -> None:
    faces = load(table, ferplus=ferplus(tmp_path, LINES))
    assert faces.votes is not None
    assert faces.votes.dtype == np.int64
    np.testing.assert_array_equal(faces.votes, VOTED)
    assert faces.fingerprint == FACES.fingerprint
    assert list(VOTES) == HEADER.lower().split(",")[2:]
    by_name = load(str(table), ferplus=str(tmp_path / "fer2013new.csv"))
    np.testing.assert_array_equal(by_name.votes, VOTED)


def test_votes_of_a_split_that_is_missing_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "part.csv"
    path.write_text("\n".join(csv_text(FACES).splitlines()[:7]))
    faces = load(path, ferplus=ferplus(tmp_path, LINES))
    np.testing.assert_array_equal(faces.votes, VOTED[:6])


def test_rows_that_do_not_agree_are_an_error(tmp_path: Path, table: Path) -> None:
    swapped = [*LINES[:3], LINES[4], LINES[3], *LINES[5:]]
    expected = (
        r"fer2013new\.csv, line 5: expected Usage Training as in row 4 of .* found PublicTest"
    )
    with pytest.raises(DataError, match=expected):
        load(table, ferplus=ferplus(tmp_path, swapped))
    with pytest.raises(DataError, match=r"expected 8 rows as in fer2013\.csv, found 7"):
        load(table, ferplus=ferplus(tmp_path, LINES[:7]))
    with pytest.raises(DataError, match=r"expected 8 rows as in fer2013\.csv, found 9"):
        load(table, ferplus=ferplus(tmp_path, [*LINES, LINES[7]]))


@pytest.mark.parametrize(
    "vote", ["-1", "1.5", "x", "", "٣", "nan", "inf", "11", "9" * 30, "9" * 5000]
)
def test_votes_are_whole_numbers(tmp_path: Path, table: Path, vote: str) -> None:
    lines = [*LINES[:5], f"PublicTest,a.png,{vote},1,1,1,1,1,1,1,1,1", *LINES[6:]]
    with pytest.raises(DataError, match=r"line 7: expected votes as whole numbers"):
        load(table, ferplus=ferplus(tmp_path, lines))


def test_a_row_of_an_unknown_usage_is_not_passed_over(tmp_path: Path, table: Path) -> None:
    lines = [*LINES[:5], "Test" + LINES[5], *LINES[5:]]
    with pytest.raises(DataError, match=r"line 7: expected a Usage of Training, PublicTest, Pri"):
        load(table, ferplus=ferplus(tmp_path, lines))


def test_an_empty_line_is_a_fault_where_a_row_follows(tmp_path: Path, table: Path) -> None:
    with pytest.raises(DataError, match=r"line 5: expected a row, found an empty line"):
        load(table, ferplus=ferplus(tmp_path, [*LINES[:3], "", *LINES[3:]]))
    assert load(table, ferplus=ferplus(tmp_path, [*LINES, "", ""])).votes is not None


def test_the_first_fault_is_named_and_rows_are_limited(
    tmp_path: Path, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [*LINES[:2], LINES[2].replace(",", ",x", 2), LINES[3] + ",1", *LINES[4:]]
    with pytest.raises(DataError, match="line 4: expected votes"):
        load(table, ferplus=ferplus(tmp_path, lines))
    monkeypatch.setattr(data_ferplus, "MAX_ROWS", 7)
    with pytest.raises(DataError, match="at most 7 rows"):
        load(table, ferplus=ferplus(tmp_path, LINES))


def test_other_files_are_an_error(tmp_path: Path, table: Path) -> None:
    with pytest.raises(DataError, match="line 1: expected columns usage,image name,neutral"):
        load(table, ferplus=table)
    with pytest.raises(DataError, match=r"fer2013new\.csv: expected a whole, readable file"):
        load(table, ferplus=tmp_path / "fer2013new.csv")


def test_only_forms_in_fer2013s_order_take_votes(tmp_path: Path) -> None:
    votes = ferplus(tmp_path, LINES)
    path = tmp_path / "train.csv"
    path.write_text(csv_text(FACES, "label,feature"))
    with pytest.raises(DataError, match=r"expected fer2013\.csv .* found course train\.csv"):
        load(path, ferplus=votes)
    with pytest.raises(DataError, match="found image folders"):
        load(write_folder(tmp_path / "a", image_files(FACES)), ferplus=votes)
    with pytest.raises(DataError, match="synthetic"):
        load("synthetic", ferplus=votes)
