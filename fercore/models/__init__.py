"""Networks, whose cost is known before they are built."""

from fercore.models.catalogue import (
    build,
    cost,
    fingerprint,
    label,
    layers,
    listing,
    takes,
)
from fercore.models.costs import (
    GROUPS,
    Part,
    Piece,
    activation_bytes,
    describe,
    groups,
    latencies,
    pieces,
    weight_bytes,
)
from fercore.models.families import DEPTH, FAMILIES, nearest, regular
from fercore.models.layers import Cost, ModelError
from fercore.models.published import MEAN_OF_BOTH, PASSES, PUBLISHED, PublishedFigure, claimed
from fercore.models.reported import REPORTED, Reported

__all__ = [
    "DEPTH",
    "FAMILIES",
    "GROUPS",
    "MEAN_OF_BOTH",
    "PASSES",
    "PUBLISHED",
    "REPORTED",
    "Cost",
    "ModelError",
    "Part",
    "Piece",
    "PublishedFigure",
    "Reported",
    "activation_bytes",
    "build",
    "claimed",
    "cost",
    "describe",
    "fingerprint",
    "groups",
    "label",
    "latencies",
    "layers",
    "listing",
    "nearest",
    "pieces",
    "regular",
    "takes",
    "weight_bytes",
]
