"""Fetching FER2013 as image folders from Kaggle, which needs a network but no account."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from fercore.data.faces import DataError

DATASET = "msambare/fer2013"
COMPETITION = "challenges-in-representation-learning-facial-expression-recognition-challenge"


def fetch(to: Path) -> Path:
    """Download FER2013 into `to`/fer2013 unless it is there, and return that folder.

    Raises DataError, saying what to download by hand, where kagglehub or the network is missing.
    """
    target = to / "fer2013"
    if target.exists():
        return target
    try:
        import kagglehub  # an optional extra
    except ImportError:
        raise _by_hand(to, "kagglehub is not installed (pip install 'fercore[download]')") from None
    try:
        downloaded = Path(kagglehub.dataset_download(DATASET))
    except Exception as error:  # kagglehub, requests and urllib3 each have errors of their own
        raise _by_hand(to, f"{type(error).__name__}: {error}") from None
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to) as scratch:
        shutil.copytree(downloaded, Path(scratch) / "fer2013").replace(target)
    return target


def _by_hand(to: Path, reason: str) -> DataError:
    return DataError(
        f"FER2013 could not be fetched: {' '.join(reason.split())[:160]}\n"
        f"Download it by hand, one of\n"
        f"  fer2013.csv or icml_face_data.csv from https://www.kaggle.com/c/{COMPETITION}/data\n"
        f"  the images from https://www.kaggle.com/datasets/{DATASET}\n"
        f"put the file into {to}/ as it comes, packed or not, and name it: DATA={to / '<file>'}"
    )
