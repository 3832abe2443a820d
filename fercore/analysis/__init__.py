"""Tables in, numbers out: means and their intervals, matched pairs, curves, errors. Never torch.

A *runs* table has one row per training run with at least the columns ``network``, ``family``,
``report``, ``seed``, ``params_trainable`` and one accuracy column per split (fractions 0..1, NaN
where the split is absent or the run diverged). `fercore.study` makes it from the run store.

Two kinds of interval are kept apart, and never added up:

- *over seeds* (`bootstrap`): what another seed would change (initial weights, order,
  augmentation), on the same images. One seed gives none.
- *over test images* (`image_lead`): what another draw of test images would change, for the
  trained networks as they are.
"""

from fercore.analysis.curves import UNITS, Comparison, budgets, compare
from fercore.analysis.errors import (
    calibration_error,
    class_table,
    per_class,
    reliability,
)
from fercore.analysis.images import UNKNOWN, image_lead, over_images
from fercore.analysis.looks import Looks, lower_share
from fercore.analysis.pairs import gains, matched_pairs, smallest_within
from fercore.analysis.pooled import half_width, pooled_deviation
from fercore.analysis.seeds import (
    LEARNED,
    LEVEL,
    MEASURED,
    SEED,
    Row,
    bootstrap,
    difference,
    headline_split,
    summarise,
    unlearned,
    who_leads,
    with_interval,
)
from fercore.analysis.votes import AGAINST, Voted, against, voted

__all__ = [
    "AGAINST",
    "LEARNED",
    "LEVEL",
    "MEASURED",
    "SEED",
    "UNITS",
    "UNKNOWN",
    "Comparison",
    "Looks",
    "Row",
    "Voted",
    "against",
    "bootstrap",
    "budgets",
    "calibration_error",
    "class_table",
    "compare",
    "difference",
    "gains",
    "half_width",
    "headline_split",
    "image_lead",
    "lower_share",
    "matched_pairs",
    "over_images",
    "per_class",
    "pooled_deviation",
    "reliability",
    "smallest_within",
    "summarise",
    "unlearned",
    "voted",
    "who_leads",
    "with_interval",
]
