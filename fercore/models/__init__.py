"""Networks, whose cost is known before they are built."""

from fercore.models.catalogue import (
    Part,
    build,
    cost,
    describe,
    fingerprint,
    label,
    layers,
    listing,
)
from fercore.models.families import DEPTH, FAMILIES, nearest, regular
from fercore.models.layers import Cost, ModelError
from fercore.models.published import PASSES, PUBLISHED, PublishedFigure
from fercore.models.reported import REPORTED, Reported

__all__ = [
    "DEPTH",
    "FAMILIES",
    "PASSES",
    "PUBLISHED",
    "REPORTED",
    "Cost",
    "ModelError",
    "Part",
    "PublishedFigure",
    "Reported",
    "build",
    "cost",
    "describe",
    "fingerprint",
    "label",
    "layers",
    "listing",
    "nearest",
    "regular",
]
