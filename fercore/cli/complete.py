"""What the shell's completion offers, found without importing what takes seconds."""

from __future__ import annotations

from pathlib import Path

import typer

FAMILIES = ("mobilenet", "cnn")
"""Those of `fercore.models`, which needs torch."""


def runs(ctx: typer.Context, incomplete: str) -> list[str]:
    """Ids of the store's runs."""
    from fercore.store.runs import RunStore

    return RunStore(ctx.params.get("store")).starting(incomplete)


def shipped() -> list[str]:
    """Names of the weights that come with fercore, as `fercore.weights.names` finds them."""
    folder = Path(__file__).parents[1] / "weights"
    found = folder.glob("*.safetensors")
    return sorted(path.stem for path in found if path.with_suffix(".json").exists())


def weights(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the weights that come with fercore, then run ids."""
    found = [name for name in shipped() if name.startswith(incomplete)]
    return found + runs(ctx, incomplete)


def notebooks(ctx: typer.Context, incomplete: str) -> list[str]:
    """Keys of the notebooks, as q2."""
    folder = Path(ctx.params.get("notebooks") or "notebooks")
    found = sorted(path.stem.partition("_")[0] for path in folder.glob("*.ipynb"))
    return [name for name in found if name.startswith(incomplete)]


def presets(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the presets."""
    folder = Path(ctx.params.get("notebooks") or "notebooks") / "presets"
    found = sorted(path.stem for path in folder.glob("*.yaml"))
    return [name for name in found if name.startswith(incomplete)]


def families(incomplete: str) -> list[str]:
    """Names of the two families."""
    return [name for name in FAMILIES if name.startswith(incomplete)]
