"""Blocks, layers and what networks look at: drawn and said as they were counted and computed."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.patches import FancyBboxPatch, Rectangle
from numpy.typing import NDArray
from torch import Tensor, nn

from fercore import figures, inside, models, sentences, tables
from fercore.analysis import Looks, lower_share
from fercore.data import EMOTIONS
from fercore.figures.layers import percent, step_names
from fercore.figures.style import GROUP_COLOURS
from fercore.occlusion import drops, patches
from fercore.spec import ModelSpec
from fercore.store.runs import RunStore
from fercore.study import Study
from fercore.training import train
from tests.test_models_costs import EVERY
from tests.toy import TINY, bars, spec

NAMES = ["a-cnn-1333k", "a-mobilenet-73k", "b-mobilenet-46k"]


def asked(
    names: list[str], of: Callable[[Study, pd.DataFrame], pd.DataFrame] = inside.layers
) -> pd.DataFrame:
    """The layers of reported networks, as a study gives them."""
    specs = {name: ModelSpec(name=name) for name in names}
    rows = [
        {
            "network": name,
            "report": models.REPORTED[name].report,
            "params_trainable": models.cost(spec).trainable,
        }
        for name, spec in specs.items()
    ]
    return of(cast(Study, SimpleNamespace(specs=lambda runs: specs)), pd.DataFrame(rows))


# Layers


@pytest.mark.parametrize("model", EVERY, ids=models.label)
def test_pieces_add_up_to_the_network_and_its_rows(model: ModelSpec) -> None:
    table = pd.DataFrame(models.pieces(model), columns=models.Piece._fields)
    cost = models.cost(model)
    assert (table["trainable"].sum(), table["macs"].sum()) == (cost.trainable, cost.macs)
    steps = table.groupby("step")[["trainable", "macs"]].sum()
    rows = [(part.trainable, part.macs) for part in models.describe(model) if part.trainable]
    assert list(steps.itertuples(index=False, name=None)) == rows


def test_every_kind_of_layer_has_its_own_colour() -> None:
    assert tuple(GROUP_COLOURS) == models.GROUPS
    assert len(set(GROUP_COLOURS.values())) == len(GROUP_COLOURS)


def test_blocks_are_those_of_two_equally_wide_members() -> None:
    table = inside.blocks(width=4)
    for family, part in table.groupby("family"):
        model = ModelSpec(name=str(family), widths=(4, 8, 16, 32))
        block = models.describe(model)[-3]  # after it come the mean over the image and the scores
        assert (part["trainable"].sum(), part["macs"].sum()) == (block.trainable, block.macs)
        assert part["output"].iloc[-1] == (32, 6, 6)
    assert list(table[table["family"] == "mobilenet"]["layer"]) == [
        *("depthwise 3×3", "BatchNorm", "ReLU"),
        *("pointwise 1×1", "BatchNorm", "ReLU"),
    ]


def test_each_box_holds_its_text_and_its_layer_s_cost() -> None:
    table = inside.blocks()
    (axes,) = figures.blocks(table).figure.axes
    canvas = FigureCanvasAgg(axes.figure)  # type: ignore[arg-type]
    canvas.draw()  # type: ignore[no-untyped-call]
    renderer = canvas.get_renderer()  # type: ignore[no-untyped-call]
    boxes = [p for p in axes.patches if isinstance(p, FancyBboxPatch) and not p.get_fill()]
    assert len(boxes) == len(table)
    for box, row in zip(boxes, table.to_dict("records"), strict=True):
        frame = box.get_window_extent(renderer)
        texts = [
            text
            for text in axes.texts
            if frame.contains(*text.get_transform().transform(text.get_position()))
        ]
        (text,) = [text for text in texts if text.get_text()]
        extent = text.get_window_extent(renderer)
        assert frame.x0 < extent.x0
        assert extent.x1 < frame.x1
        assert frame.y0 < extent.y0
        assert extent.y1 < frame.y1
        assert text.get_text().startswith(row["layer"])
        if row["trainable"]:
            assert f"{row['trainable']:,} parameters" in text.get_text()
        if row["macs"]:
            assert f"{row['macs']:,} multiply-adds" in text.get_text()


def test_bars_add_up_and_each_is_its_layer_s_share() -> None:
    table = asked(NAMES)
    shown = figures.layers(table)
    assert [figure.name for figure in shown] == ["layers-a", "layers-b"]
    networks = [["a-cnn-1333k", "a-mobilenet-73k"], ["b-mobilenet-46k"]]
    for figure, names in zip(shown, networks, strict=True):
        for place, name in enumerate(names):
            cost = models.cost(ModelSpec(name=name))
            parts = [p for p in models.describe(ModelSpec(name=name)) if p.trainable]
            for panel, key in enumerate(("trainable", "macs")):
                axes = figure.figure.axes[2 * place + panel]
                ends: dict[int, float] = {}
                for bar in axes.patches:
                    assert isinstance(bar, Rectangle)
                    row = round(bar.get_y() + bar.get_height() / 2)
                    ends[row] = ends.get(row, 0) + bar.get_width()
                shares = [100 * getattr(p, key) / getattr(cost, key) for p in parts]
                assert [ends[row] for row in sorted(ends)] == pytest.approx(shares)
                assert sum(ends.values()) == pytest.approx(100)
                labels = {text.get_text() for text in axes.texts}
                assert {percent(share) for share in shares} <= labels


def test_architectures_stand_side_by_side_the_largest_first() -> None:
    first, second = tables.architectures(asked(NAMES, inside.architectures))
    assert (first.name, second.name) == ("architecture-a", "architecture-b")
    assert list(first.frame.columns.unique(0)) == ["a-cnn-1333k", "a-mobilenet-73k"]
    for name in NAMES:
        frame = (first if name.startswith("a") else second).frame[name]
        parts = models.describe(ModelSpec(name=name))
        assert frame["parameters"].tolist()[: len(parts)] == [part.trainable for part in parts]
        assert set(frame["layer"][len(parts) :]) <= {""}


def test_steps_are_named_by_kernel_and_channels() -> None:
    table = asked(["a-mobilenet-73k"])
    names = step_names(table)
    assert names[:2] == ["conv 3×3, 8", "separable 3×3, 16"]
    assert names[-3:] == ["separable 2×2, 128", "dense, 64", "dense, 7"]


@pytest.mark.parametrize(
    ("share", "text"), [(55.4, "55 %"), (9.97, "10 %"), (3.14, "3.1 %"), (0.04, "< 0.1 %")]
)
def test_shares_are_rounded_to_be_read(share: float, text: str) -> None:
    assert percent(share) == text


# Occlusion


class Blind(nn.Module):
    """Says the same of every image."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.arange(7.0).repeat(len(images), 1)


class Spot(nn.Module):
    """Class 3 is likelier the brighter one spot is, class 5 the darker another."""

    def forward(self, images: Tensor) -> Tensor:
        said = torch.zeros(len(images), 7)
        said[:, 3] = images[:, 0, 20:24, 28:32].mean((1, 2))
        said[:, 5] = -images[:, 0, 32:36, 12:16].mean((1, 2))
        return said


def noise(count: int = 2) -> NDArray[np.uint8]:
    images: NDArray[Any] = np.random.default_rng(0).integers(60, 120, (count, 48, 48))
    images[:, 20:24, 28:32] = 255
    images[:, 32:36, 12:16] = 0
    return images.astype(np.uint8)


def test_a_network_that_ignores_the_image_looks_nowhere() -> None:
    maps = drops(Blind(), noise(), np.array([0, 3]))
    assert maps.shape == (2, 48, 48)
    assert not maps.any()
    assert np.isnan(lower_share(maps))


def test_a_network_that_looks_at_one_spot_has_its_maximum_there() -> None:
    bright, dark = drops(Spot(), noise(), np.array([3, 5]))
    for seen, rows, columns in ((bright, slice(20, 24), slice(28, 32)),
                                (dark, slice(32, 36), slice(12, 16))):  # fmt: skip
        assert seen[rows, columns] == pytest.approx(seen.max())
        assert seen.max() > 0.1
        assert np.argwhere(np.isclose(seen, seen.max())).shape == (16, 2)
    # No patch over these rows and columns touches either spot.
    for seen in (bright, dark):
        assert seen[:12] == pytest.approx(0)
        assert seen[:, 40:] == pytest.approx(0)


def test_maps_are_the_same_one_by_one() -> None:
    images, labels = noise(3), np.array([3, 5, 0])
    together = drops(Spot(), images, labels)
    for row in range(3):
        alone = drops(Spot(), images[row : row + 1], labels[row : row + 1])
        assert together[row] == pytest.approx(alone[0])


@pytest.mark.parametrize(("patch", "stride", "places"), [(12, 4, 100), (10, 7, 49), (48, 1, 1)])
def test_patches_cover_every_pixel(patch: int, stride: int, places: int) -> None:
    masks = patches(48, patch, stride)
    assert masks.shape == (places, 48, 48)
    assert masks.any(0).all()
    assert (masks.sum((1, 2)) == patch**2).all()


@pytest.mark.parametrize(("patch", "stride"), [(49, 4), (4, 5), (4, 0)])
def test_patches_that_leave_gaps_are_refused(patch: int, stride: int) -> None:
    with pytest.raises(ValueError, match=f"stride {stride} <= patch {patch} <= side 48"):
        patches(48, patch, stride)


# What a study's networks look at


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, pd.DataFrame]:
    """A study in its smallest form: two networks that have learned where a bar is."""
    faces, store = bars(), RunStore(tmp_path_factory.mktemp("runs"))
    rows = []
    for family in ("mobilenet", "cnn"):
        task = spec(epochs=8, batch=10)
        model = TINY.model_copy(update={"name": family})
        record = train.run(task.model_copy(update={"model": model}), faces, store, device="cpu")
        rows.append(
            {
                "run_id": record.run_id,
                "network": family,
                "family": family,
                "report": "sweep",
                "seed": 0,
                "params_trainable": record.params_trainable,
                "status": record.status,
            }
        )
    return SimpleNamespace(faces=faces, store=store), pd.DataFrame(rows)


def test_maps_are_of_images_that_both_read_correctly(trained: tuple[Any, pd.DataFrame]) -> None:
    this, runs = trained
    found = inside.looks(this, runs, "PublicTest")
    assert list(found.maps) == ["cnn", "mobilenet"]
    assert len(found.expressions) >= 3
    assert set(found.expressions) | set(found.unread) == set(EMOTIONS)
    places = [EMOTIONS.index(name) for name in found.expressions]
    for image, label in zip(found.images, places, strict=True):
        assert image.mean(1)[6 * label + 2 : 6 * label + 8].min() > 150  # the bar of its class
    for maps in found.maps.values():
        assert maps.shape == (len(places), 48, 48)
        heights = np.array([values.max(1).argmax() for values in maps])
        assert np.abs(heights - (6 * np.array(places) + 5)).mean() < 12  # it looks at the bar
    (shown,) = figures.looks(found, "PublicTest")
    assert shown.raster
    assert shown._repr_mimebundle_()[0]["image/png"]
    assert "mind its licence" in shown.caption  # these faces do not say that they are drawn


def test_without_weights_one_sentence_says_why(trained: tuple[Any, pd.DataFrame]) -> None:
    this, runs = trained
    run = runs["run_id"].iloc[1]
    path = this.store.folder(run) / "weights.safetensors"
    moved = path.rename(path.with_suffix(".away"))
    try:
        found = inside.looks(this, runs, "PublicTest")
    finally:
        moved.rename(path)
    assert figures.looks(found, "PublicTest") == []
    text = sentences.looks(found, "PublicTest").markdown
    assert text.startswith("What the networks look at is not shown: ")
    assert str(path.name) in text


def test_without_a_pair_one_sentence_says_why(trained: tuple[Any, pd.DataFrame]) -> None:
    this, runs = trained
    for some in (runs[:1], runs.assign(run_id="elsewhere"), runs.assign(report=["A", "B"])):
        text = sentences.looks(inside.looks(this, some, "PublicTest"), "PublicTest").markdown
        assert text.endswith(f"{inside.NO_WEIGHTS}.")


def test_the_pair_is_the_largest_cnn_and_the_smallest_mobilenet() -> None:
    sizes = {"c1": 10, "c2": 20, "m1": 5, "m2": 15}
    runs = pd.DataFrame(
        [
            {
                "run_id": f"{name}-{seed}",
                "network": name,
                "family": "cnn" if name[0] == "c" else "mobilenet",
                "report": "A",
                "seed": seed,
                "params_trainable": size,
            }
            for name, size in sizes.items()
            for seed in (1, 0)
        ]
    )
    assert list(inside._pair(runs)["run_id"]) == ["c2-0", "m1-0"]


# Sentences


def test_what_the_block_saves() -> None:
    assert sentences.blocks(inside.blocks()).markdown == (
        "With 128 channels, the separable block has 18k parameters against 148k, 8.2 times fewer; "
        "and 631k multiply-adds against 5.31M, 8.4 times fewer, than the plain block has."
    )
    one = inside.blocks(width=1)
    one["trainable"] = np.where(one["family"] == "mobilenet", 30, 10)
    one["macs"] = np.where(one["group"].isin(["depthwise", "plain convolution"]), 50, 0)
    text = sentences.blocks(one).markdown
    assert "times more" in text
    assert "about as many" in text


def layer_table(**costs: tuple[int, int]) -> str:
    rows = [
        {"network": "n", "group": group.replace("_", " "), "trainable": weights, "macs": work}
        for group, (weights, work) in costs.items()
    ]
    return sentences.layers(pd.DataFrame(rows)).markdown


def test_where_most_of_a_network_is() -> None:
    same = layer_table(plain_convolution=(80, 900), dense_head=(20, 5))
    assert "most (80 %) of its parameters and most (99 %) of its multiply-adds are" in same
    assert "The dense head has 20 % of the parameters and under 1 % of the" in same
    apart = layer_table(stem=(10, 40), pointwise=(40, 35), dense_head=(50, 25))
    assert "50 % (the largest part) of its parameters are in the dense head, " in apart
    assert ", 40 % (the largest part) of its multiply-adds in the stem." in apart
    other = layer_table(stem=(1, 20), pointwise=(9, 10), dense_head=(2, 0), normalisation=(3, 0))
    assert "in pointwise convolutions" in other
    assert "13 % of the parameters and 0 % of the multiply-adds" in other


def looked(*halves: tuple[float, float]) -> str:
    """What is said of networks that need so much of the upper and of the lower half."""
    maps = {
        f"n{place}": np.concatenate([np.full((1, 24, 48), up), np.full((1, 24, 48), low)], 1)
        for place, (up, low) in enumerate(halves)
    }
    found = Looks(expressions=("happy",), maps=maps, unread=("fear", "sad"))
    return sentences.looks(found, "PublicTest", "Synthetic.").markdown


def test_what_networks_look_at() -> None:
    lower = looked((0.1, 0.3), (0, 0.2))
    assert "n0 and n1 look mostly at the lower half, where the mouth is." in lower
    assert "the lower half of the image has 75 % for n0, 100 % for n1." in lower
    assert "1 image of PublicTest and one seed: a picture, not a proof." in lower
    assert "No image read correctly by both: fear, sad." in lower
    assert lower.startswith("Synthetic.")
    assert "look mostly at the upper half" in looked((0.3, 0.1), (0.3, -0.5))
    assert "look about as much at the upper half" in looked((0.3, 0.3), (0.3, 0.3))
    apart = looked((0.3, 0.1), (0.1, 0.3))
    assert "n0 looks mostly at the upper half" in apart
    assert "n1 looks mostly at the lower half" in apart
    blind = looked((0, 0), (-0.1, 0))
    assert "look at no place in particular" in blind
    assert "look at no place in particular" in looked((0, 0.004), (0.004, 0))
    assert "Of all that" not in blind
    assert "has 50 % for n1." in looked((0, 0), (0.1, 0.1))


def test_no_common_image_is_said(trained: tuple[Any, pd.DataFrame]) -> None:
    this, runs = trained
    said = this.store.predictions(runs["run_id"].iloc[0])
    wrong = said["PublicTest"]._replace(labels=(said["PublicTest"].labels + 1) % 7)
    never = wrong._replace(probabilities=np.eye(7, dtype=np.float16)[(wrong.labels + 3) % 7])
    blind = SimpleNamespace(
        predictions=lambda run: {"PublicTest": never}, has_predictions=lambda run: True
    )
    found = inside.looks(cast(Study, SimpleNamespace(store=blind)), runs, "PublicTest")
    assert found.reason == "no image of PublicTest was read correctly by both cnn and mobilenet"


def test_a_map_takes_seconds_at_most() -> None:
    """By count, not by the clock: 101 images for each face, and no gradient is kept."""
    seen: list[int] = []

    class Counting(Blind):
        def forward(self, images: Tensor) -> Tensor:
            seen.append(len(images))
            assert not torch.is_grad_enabled()
            return super().forward(images)

    drops(Counting(), noise(7), np.arange(7))
    assert sum(seen) == 7 * 101


def test_pictures_stay_small() -> None:
    kept = [figures.blocks(inside.blocks()), *figures.layers(asked(NAMES))]
    for figure in kept:
        assert len(figure._repr_mimebundle_()[0]["image/svg+xml"]) < 200_000
