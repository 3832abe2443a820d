"""What is inside a study's networks: their blocks, their layers, and what they look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from fercore import models, weights
from fercore.analysis import Looks
from fercore.data import EMOTIONS
from fercore.language import mark, say
from fercore.occlusion import drops
from fercore.spec import ModelSpec
from fercore.store.runs import StoreError
from fercore.study import Study

WIDTH = 16
"""Channels of the stem of the two members whose blocks are compared, as in docs/models.md."""


def blocks(width: int = WIDTH) -> pd.DataFrame:
    """The last block of one member of each family, equally wide, layer by layer.

    Columns: ``family``, ``network`` and those of `fercore.models.Piece`.
    """
    members = [ModelSpec(name=name, widths=models.regular(width)) for name in models.FAMILIES]
    return pd.concat(map(_last_block, members), ignore_index=True)


def _last_block(member: ModelSpec) -> pd.DataFrame:
    table = pd.DataFrame(models.pieces(member))
    last = int(table.loc[table["group"] == "dense head", "step"].min()) - 1
    block = table.loc[(table["step"] == last) & (table["group"] != "pool")]
    return block.assign(family=member.name, network=models.label(member))


def layers(this: Study, runs: pd.DataFrame) -> pd.DataFrame:
    """Every layer of the study's networks but pools: by report, the largest network first.

    Columns: ``report``, ``network`` and those of `fercore.models.Piece`.
    """
    table = _by_size(this, runs, models.pieces)
    return table.loc[table["group"] != "pool"]


def architectures(this: Study, runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of the networks' architecture tables, ordered as `layers`.

    Columns: ``report``, ``network`` and those of `fercore.models.Part`.
    """
    return _by_size(this, runs, models.describe)


def _by_size(
    this: Study, runs: pd.DataFrame, rows: Callable[[ModelSpec], Sequence[Any]]
) -> pd.DataFrame:
    ordered = runs.sort_values(["report", "params_trainable"], ascending=[True, False])
    reports = dict(zip(ordered["network"], ordered["report"], strict=True))
    networks = this.specs(runs)
    tables = [
        pd.DataFrame(rows(networks[network])).assign(network=network, report=report)
        for network, report in reports.items()
    ]
    return pd.concat(tables, ignore_index=True)


NO_WEIGHTS = mark(
    "of no report are the weights of both a CNN and a MobileNet here (runs made elsewhere come "
    "without them; RECORDS = False makes them here)"
)


def looks(this: Study, runs: pd.DataFrame, split: str) -> Looks:
    """Occlusion maps of a large CNN and a compact MobileNet, by the weights in the store.

    The two are one report's: its largest CNN and its smallest MobileNet with a finished run, each
    by its first seed that finished; the first report that has both. The images are, for each
    expression, the first of the split that both read correctly.
    """
    # Not those made elsewhere: neither their weights nor their predictions are here.
    pair = _pair(runs[[this.store.has_predictions(run) for run in runs["run_id"]]])
    if pair.empty:
        return Looks(reason=say(NO_WEIGHTS))
    try:
        return _looks(this, pair, split)
    except (weights.WeightsError, StoreError) as error:
        return Looks(reason=str(error))


def _pair(done: pd.DataFrame) -> pd.DataFrame:
    """One run of each of the two networks, the CNN's first; no row if there is no such pair."""
    for _, part in done.sort_values("seed").groupby("report"):
        ordered = part.sort_values("params_trainable", kind="stable")
        cnns, nets = (ordered[ordered["family"] == name] for name in ("cnn", "mobilenet"))
        if len(cnns) and len(nets):
            largest = cnns[cnns["network"] == cnns["network"].iloc[-1]]
            both: pd.DataFrame = pd.concat([largest.head(1), nets.head(1)])
            return both
    return pd.DataFrame()


def _looks(this: Study, pair: pd.DataFrame, split: str) -> Looks:
    said, theirs = (this.store.predictions(run)[split] for run in pair["run_id"])
    both = np.flatnonzero(said.right() & theirs.right())
    labels, first = np.unique(said.labels[both], return_index=True)
    if not len(labels):
        names = say(" and ").join(pair["network"])
        none = say(
            "no image of {split} was read correctly by both {names}", split=split, names=names
        )
        return Looks(reason=none)
    images = this.faces.images[said.rows[both[first]]]
    networks = {
        str(network): weights.load(weights.find(str(run), this.store))
        for network, run in zip(pair["network"], pair["run_id"], strict=True)
    }
    return Looks(
        images=images,
        expressions=tuple(EMOTIONS[label] for label in labels),
        maps={name: drops(network, images, labels) for name, network in networks.items()},
        unread=tuple(name for i, name in enumerate(EMOTIONS) if i not in labels),
        synthetic=this.faces.synthetic,
    )
