import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fercore.data import DataError, Faces
from fercore.data.split import divide, groups, shares
from fercore.spec import DataSpec
from tests.face_files import random_faces

TRAINING = [400, 44, 410, 722, 483, 317, 497]  # a tenth of FER2013's


def uneven(counts: list[int], tests: int = 70) -> Faces:
    """Training rows by class, then PublicTest and PrivateTest rows; tiny differences only."""
    labels = np.concatenate([np.repeat(np.arange(7), counts), np.arange(2 * tests) % 7])
    images = np.zeros((len(labels), 48, 48), np.uint8)
    images[:, 0, :4] = np.arange(len(labels), dtype="<u4").view(np.uint8).reshape(-1, 4)
    splits = np.repeat(["Training", "PublicTest", "PrivateTest"], [sum(counts), tests, tests])
    order = np.random.default_rng(9).permutation(len(labels))
    return Faces(images, labels[order].astype(np.int64), splits[order], "uneven")


FACES = uneven(TRAINING)


def per_class(rows: np.ndarray) -> list[int]:
    counts: list[int] = np.bincount(FACES.labels[rows], minlength=7).tolist()
    return counts


def test_training_is_divided_wholly_and_by_class() -> None:
    split = divide(FACES, DataSpec(valid_fraction=0.1))
    both = np.concatenate([split.train, split.valid])
    np.testing.assert_array_equal(np.sort(both), FACES.rows("Training"))
    assert len(split.valid) == round(0.1 * sum(TRAINING))
    for held, count in zip(per_class(split.valid), TRAINING, strict=True):
        assert abs(held - count / 10) < 1
    for rows in (split.train, split.valid):
        assert rows.dtype == np.int64
        assert (np.diff(rows) > 0).all()


def test_train_images_caps_both_together_by_class() -> None:
    split = divide(FACES, DataSpec(train_images=500, valid_fraction=0.2))
    assert (len(split.train), len(split.valid)) == (400, 100)
    for used, count in zip(
        per_class(np.concatenate([split.train, split.valid])), TRAINING, strict=True
    ):
        assert abs(used - 500 * count / sum(TRAINING)) < 1


def test_every_class_of_two_is_on_both_sides() -> None:
    split = divide(FACES, DataSpec(train_images=70, valid_fraction=0.01))
    assert min(per_class(split.train)) >= 1
    assert min(per_class(split.valid)) >= 1
    assert len(split.train) + len(split.valid) == 70
    lonely = uneven([1, 2, 3, 40, 0, 0, 0])
    split = divide(lonely, DataSpec(valid_fraction=0.5))
    assert np.bincount(lonely.labels[split.valid], minlength=7).tolist() == [0, 1, 2, 20, 0, 0, 0]
    assert len(split.train) == 23


def test_the_seed_decides_and_nothing_else() -> None:
    one, same, other = (divide(FACES, DataSpec(split_seed=seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.valid, same.valid)
    assert len(np.intersect1d(one.valid, other.valid)) < len(one.valid) / 2
    first = np.flatnonzero(np.isin(FACES.rows("Training"), one.valid))
    assert abs(first.mean() / sum(TRAINING) - 0.5) < 0.1, "not drawn at random"


def test_tests_are_the_labelled_rows_of_splits_that_have_any() -> None:
    labels = FACES.labels.copy()
    labels[FACES.splits == "PrivateTest"] = -1
    labels[FACES.rows("PublicTest")[:3]] = -1
    labels[FACES.rows("Training")[:5]] = -1
    split = divide(dataclasses.replace(FACES, labels=labels), DataSpec())
    assert list(split.tests) == list(split.repeated) == ["PublicTest"]
    np.testing.assert_array_equal(split.tests["PublicTest"], FACES.rows("PublicTest")[3:])
    assert len(split.train) + len(split.valid) == sum(TRAINING) - 5


def test_repeated_marks_test_images_equal_to_a_used_or_unused_training_image() -> None:
    images = FACES.images.copy()
    training, public = FACES.rows("Training"), FACES.rows("PublicTest")
    split = divide(FACES, DataSpec(train_images=100))
    assert not split.repeated["PublicTest"].any()
    used = np.concatenate([split.train, split.valid])
    images[public[4]] = images[split.valid[0]]
    images[public[6]] = images[np.setdiff1d(training, used)[0]]
    images[public[8]] = images[public[9]]
    split = divide(dataclasses.replace(FACES, images=images), DataSpec(train_images=100))
    assert np.flatnonzero(split.repeated["PublicTest"]).tolist() == [4, 6]
    assert not split.repeated["PrivateTest"].any()


@pytest.mark.parametrize(
    ("counts", "spec", "expected"),
    [
        (TRAINING, DataSpec(train_images=2874), r"expected at least 2,874 .* found 2,873"),
        ([0] * 7, DataSpec(), "one to train on and one to validate on, found angry 0, disgust 0"),
        ([1] * 7, DataSpec(), "found angry 1, disgust 1, fear 1, happy 1"),
        ([0] * 7, DataSpec(train_images=70), "found 0"),
    ],
)
def test_too_few_rows_are_an_error_with_numbers(
    counts: list[int], spec: DataSpec, expected: str
) -> None:
    with pytest.raises(DataError, match=f"uneven: .*{expected}"):
        divide(uneven(counts), spec)


@given(st.lists(st.integers(0, 5000), min_size=7, max_size=7), st.floats(0, 1), st.integers(0, 3))
def test_shares_add_up_within_their_bounds(counts: list[int], fraction: float, floor: int) -> None:
    sizes = np.array(counts, np.int64)
    least = np.minimum(sizes, floor)
    total = max(int(fraction * sizes.sum()), int(least.sum()))
    found = shares(sizes, total, least, sizes)
    assert found.sum() == total
    assert (found >= least).all()
    assert (found <= sizes).all()
    if floor == 0 and total:
        assert np.abs(found - sizes * (total / sizes.sum())).max() < 1


def test_groups_are_equal_exactly_where_images_are() -> None:
    images = random_faces(8).images
    images[5] = images[2]
    images[6] = images[0]
    images[7] = images[0]
    images[7, 47, 47] ^= 1
    assert groups(images).tolist() == [0, 1, 2, 3, 4, 2, 0, 5]
    assert groups(images[:0]).shape == (0,)
