"""Plain facts, and what the data holds."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from fercore.display import Table
from fercore.language import say


def facts(rows: Mapping[str, object], *, name: str, caption: str, note: str = "") -> Table:
    """Two columns of names and values."""
    values = [f"{value:,}" if type(value) is int else str(value) for value in rows.values()]
    frame = pd.DataFrame({"what": [say(name) for name in rows], "value": values})
    return Table(frame, name=name, caption=say(caption), note=note)


def counts(faces: pd.DataFrame, *, note: str = "") -> Table:
    """Images per class and split; index ``expression``, columns one per split."""
    caption = say("Labelled images by expression and split.")
    return Table(faces.rename(index=say), name="counts", caption=caption, note=note)
