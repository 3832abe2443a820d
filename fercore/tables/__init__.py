"""One function per table: a frame in, a `fercore.display.Table` out.

Accuracies are fractions going in and percent coming out. An interval is printed as "61.2 ± 1.3";
without a second seed there is none, and only the mean is printed.
"""

from fercore.tables.comparison import budgets, claims, pairs, published
from fercore.tables.data import counts, facts
from fercore.tables.errors import calibration, classes, unseen
from fercore.tables.networks import architectures, costs, longer, networks, taught
from fercore.tables.votes import votes

__all__ = [
    "architectures",
    "budgets",
    "calibration",
    "claims",
    "classes",
    "costs",
    "counts",
    "facts",
    "longer",
    "networks",
    "pairs",
    "published",
    "taught",
    "unseen",
    "votes",
]
