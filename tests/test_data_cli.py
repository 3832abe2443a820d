import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from fercore import cli
from fercore.cli.data import app
from fercore.data import Faces, load
from fercore.data.summary import summarise
from tests.face_files import (
    csv_text,
    image_files,
    own_cache,  # noqa: F401
    random_faces,
    write_folder,
)


def with_defects() -> Faces:
    """28 rows: 14 Training, 7 PublicTest, 7 PrivateTest, labels in turn."""
    faces = random_faces()
    images, labels = faces.images.copy(), faces.labels.copy()
    images[1] = images[0]  # Training twice, labels 0 and 1
    images[9] = images[2]  # Training twice, label 2 both times
    images[14] = images[2]  # and in PublicTest, label 0: a conflict
    images[15] = images[4]  # PublicTest like Training, conflicting
    images[22] = images[21]  # PrivateTest twice, one of them unlabelled: no conflict
    images[6] = 0
    images[27] = 255
    labels[21] = labels[27] = -1
    return Faces(images, labels, faces.splits, "defects.csv")


EXPECTED = {
    "source": "defects.csv",
    "synthetic": False,
    "rows": 28,
    "splits": {"Training": 14, "PublicTest": 7, "PrivateTest": 7},
    "unlabelled": {"Training": 0, "PublicTest": 0, "PrivateTest": 2},
    "blank": {"Training": 1, "PublicTest": 0, "PrivateTest": 1},
    "duplicates": {
        "groups": 4,
        "surplus": 5,
        "surplus_within": {"Training": 2, "PublicTest": 0, "PrivateTest": 1},
        "groups_across_splits": 2,
        "conflicting_groups": 3,
        "conflicting_images": 7,
        "in_training": {"PublicTest": 2, "PrivateTest": 0},
    },
}


@pytest.fixture
def defects(tmp_path: Path) -> Path:
    """The faces with defects, without the unlabelled, as a table."""
    faces = with_defects()
    path = tmp_path / "defects.csv"
    faces.labels[:] = np.where(faces.labels == -1, 3, faces.labels)
    path.write_text(csv_text(faces))
    return path


def test_a_summary_counts_classes_blanks_and_duplicates() -> None:
    found = summarise(with_defects(), "made")
    for key, value in EXPECTED.items():
        got = getattr(found, key)
        assert (vars(got) if key == "duplicates" else got) == value, key
    assert found.classes["Training"] == dict.fromkeys(found.classes["Training"], 2)
    assert found.classes["PrivateTest"]["angry"] == 0
    assert found.fingerprint == with_defects().fingerprint


def test_inspect_prints_json(defects: Path) -> None:
    result = CliRunner().invoke(app, ["inspect", str(defects), "--json"])
    assert result.exit_code == 0
    found = json.loads(result.stdout)
    assert found["form"] == "fer2013.csv"
    assert found["fingerprint"] == load(defects).fingerprint
    assert found["duplicates"]["in_training"] == {"PublicTest": 2, "PrivateTest": 0}
    assert list(found["classes"]["Training"])[:4] == ["angry", "disgust", "fear", "happy"]


def test_inspect_prints_plain_text_where_there_is_no_terminal(defects: Path) -> None:
    result = CliRunner().invoke(app, ["inspect", str(defects)])
    assert result.exit_code == 0
    assert result.stdout.isascii()
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["images", "Training", "PublicTest", "PrivateTest"] in lines
    assert ["all", "14", "7", "7"] in lines
    assert ["of", "these", "blank", "1", "0", "1"] in lines
    assert "Conflicting labels: 4 groups, 9 images" in result.stdout
    assert "5 surplus copies in 4 groups" in result.stdout


def test_inspect_of_folders_says_so(tmp_path: Path) -> None:
    path = write_folder(tmp_path / "a", image_files(random_faces()))
    assert "a: image folders, 28 rows" in CliRunner().invoke(app, ["inspect", str(path)]).stdout


def test_inspect_of_synthetic_faces(monkeypatch: pytest.MonkeyPatch) -> None:
    faces = random_faces()
    fake = SimpleNamespace(load=lambda: faces)
    monkeypatch.setattr("fercore.data.synthetic", fake, raising=False)
    assert "random: synthetic, 28 rows" in CliRunner().invoke(app, ["inspect", "synthetic"]).stdout


def refused(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    """What the whole command line says on stderr as it ends with exit code 2."""
    monkeypatch.setattr(sys, "argv", ["fercore", "data", *arguments])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    return err


def test_bad_input_ends_with_one_message_and_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("emotion,pixels\n3,1 2 3\n")
    said = refused(["inspect", str(path)], monkeypatch, capsys)
    assert said == f"fercore: {path}, line 2: expected 2,304 pixels (48x48), found 3\n"


def kaggle(monkeypatch: pytest.MonkeyPatch, source: Path | Exception) -> list[str]:
    """Put a stand-in for kagglehub in place; returns the data sets that it is asked for."""
    asked: list[str] = []

    def dataset_download(handle: str) -> str:
        asked.append(handle)
        if isinstance(source, Exception):
            raise source
        return str(source)

    fake = SimpleNamespace(dataset_download=dataset_download)
    monkeypatch.setitem(sys.modules, "kagglehub", fake)
    return asked


def test_fetch_puts_the_data_where_load_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = random_faces()
    asked = kaggle(monkeypatch, write_folder(tmp_path / "kaggle", image_files(faces)))
    for _ in range(2):
        result = CliRunner().invoke(app, ["fetch", "--to", str(tmp_path / "data")])
        assert result.exit_code == 0
        assert str(tmp_path / "data" / "fer2013") in result.stdout
    assert asked == ["msambare/fer2013"]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["fer2013"]
    assert load(tmp_path / "data" / "fer2013").fingerprint == faces.fingerprint


@pytest.mark.parametrize("why", ["no network", "no kagglehub"])
def test_fetch_says_what_to_do_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], why: str
) -> None:
    if why == "no network":
        kaggle(monkeypatch, ConnectionError("host not\nfound"))
    else:
        monkeypatch.setitem(sys.modules, "kagglehub", None)
    said = refused(["fetch", "--to", str(tmp_path / "data")], monkeypatch, capsys)
    assert ("ConnectionError: host not found" in said) == (why == "no network")
    assert ("pip install 'fercore[download]'" in said) == (why == "no kagglehub")
    for part in ("fer2013.csv", "icml_face_data.csv", "msambare/fer2013", f"{tmp_path / 'data'}/"):
        assert part in said
    assert not (tmp_path / "data").exists()
