"""Plain facts, and what the data holds."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from fercore.display import Table


def facts(rows: Mapping[str, object], *, name: str, caption: str, note: str = "") -> Table:
    """Two columns of names and values."""
    values = [f"{value:,}" if type(value) is int else str(value) for value in rows.values()]
    frame = pd.DataFrame({"what": list(rows), "value": values})
    return Table(frame, name=name, caption=caption, note=note)


def counts(faces: pd.DataFrame, *, note: str = "") -> Table:
    """Images per class and split; index ``expression``, columns one per split."""
    return Table(
        faces, name="counts", caption="Labelled images by expression and split.", note=note
    )
