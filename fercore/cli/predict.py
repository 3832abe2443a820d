"""`fercore predict`: what a trained network says of faces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fercore.cli import complete
from fercore.cli.terminal import console, say, table

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from fercore.predict import Crops, Hits
    from fercore.weights import Weights

SHOWN = 20
"""Most rows of a table; `--json` gives all."""
MANY = 2_000
"""Faces above which one is told to wait."""
BAR = 30
"""Length of a bar that means certainty, in characters."""


def predict(
    faces: Annotated[
        str,
        typer.Argument(
            metavar="FACES",
            help="A face crop (JPEG, PNG), a folder or .zip of them, or FER2013 in any form.",
        ),
    ],
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|RUN|FILE",
            help="Weights that come with fercore "
            f"({', '.join(complete.shipped()) or 'there are none yet'}), "
            "the beginning of a run's id, or a .safetensors file with its record.",
            show_default="the best that come with fercore",
            autocompletion=complete.weights,
        ),
    ] = None,
    store: Annotated[
        Path | None,
        typer.Option(
            help="Store of the run.", show_default="FERCORE_RUNS, else the project's runs/"
        ),
    ] = None,
    mirror: Annotated[
        bool | None,
        typer.Option(
            help="Mean over each image and its mirror image, or the image alone.",
            show_default="mirror, where mirror images were trained on",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON object, with every image.")
    ] = False,
) -> None:
    """Print the seven probabilities of each face.

    And the accuracy, where labels are known.
    """
    from fercore import predict as library
    from fercore import weights as trained
    from fercore.store.runs import RunStore

    chosen = trained.find(weights, RunStore(store))
    network, crops = trained.load(chosen), library.read(faces)
    if len(crops) > MANY:
        typer.echo(f"reading {len(crops):,} faces, which can take minutes ...", err=True)
    mirrored = chosen.record.spec.train.augment.flip if mirror is None else mirror
    said = library.predict(network, crops.images, mirror=mirrored)
    hits = library.accuracy(said, crops)
    if as_json:
        typer.echo(json.dumps(_tree(chosen, crops, said, hits, mirrored), indent=1))
        return
    say(str(chosen), style="dim")
    if chosen.record.data.synthetic:
        say("It never saw a photograph: what it says of one means little.", style="yellow")
    if len(crops) == 1:
        _one(crops.names[0], said[0])
    else:
        _several(crops, said)
    if mirrored:
        say("Mean over each image and its mirror image; --no-mirror: the image alone.", style="dim")
    _accuracy(hits, chosen)


def _one(name: str, said: NDArray[np.float32]) -> None:
    """The probabilities of one face, largest first."""
    from fercore.data import EMOTIONS

    bar = "█" if console().is_terminal else ""
    order = said.argsort()[::-1]
    cells = [
        (EMOTIONS[place], f"{100 * said[place]:.1f} %", bar * round(BAR * said[place]))
        for place in order
    ]
    table([name, "", ""], cells, left=(0, 2), bold=0)


def _several(crops: Crops, said: NDArray[np.float32]) -> None:
    """One row a face: what it is read as, and seven probabilities in percent."""
    from fercore.data import EMOTIONS

    known = ["label"] if (crops.labels >= 0).any() else []
    cells = [
        [
            crops.names[row],
            EMOTIONS[said[row].argmax()],
            *[_label(crops.labels[row]) or "" for _ in known],
            *(f"{100 * share:.1f}" for share in said[row]),
        ]
        for row in range(min(SHOWN, len(crops)))
    ]
    table(["face", "read as", *known, *EMOTIONS], cells, left=range(2 + len(known)))
    if len(crops) > SHOWN:
        say(f"and {len(crops) - SHOWN:,} more; --json gives all", style="dim")


def _label(label: int) -> str | None:
    from fercore.data import EMOTIONS

    return EMOTIONS[label] if label >= 0 else None


def _accuracy(hits: dict[str, Hits], chosen: Weights) -> None:
    for split, found in hits.items():
        where = f" on {split}" if split else ""
        say(f"Accuracy{where}: {100 * found.accuracy:.1f} % ({found.right:,} of {found.n:,})")
    if "Training" in hits:
        source = chosen.record.data.source
        say(f"Training faces of {source} are what the network learned from.", style="dim")


def _tree(
    chosen: Weights,
    crops: Crops,
    said: NDArray[np.float32],
    hits: dict[str, Hits],
    mirrored: bool,
) -> dict[str, Any]:
    from fercore.data import EMOTIONS

    record = chosen.record
    return {
        "weights": {
            "name": chosen.name,
            "run_id": record.run_id,
            "network": record.spec.model.name,
            "params_trainable": record.params_trainable,
            "data": record.data.model_dump(),
            "accuracy": {split: score.accuracy for split, score in record.splits.items()},
        },
        "views": ["image", "mirror image"] if mirrored else ["image"],
        "faces": [
            {
                "name": name,
                "split": str(split) or None,
                "label": _label(label),
                "emotion": EMOTIONS[shares.argmax()],
                "probabilities": dict(zip(EMOTIONS, map(float, shares), strict=True)),
            }
            for name, split, label, shares in zip(
                crops.names, crops.splits, crops.labels, said, strict=True
            )
        ],
        "accuracy": {split or "all": found._asdict() for split, found in hits.items()},
    }
