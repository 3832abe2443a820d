"""Question 5 on paper: the figure, the tables and the sentences of its verdicts.

judged, sizes: tables of `fercore.experiments.verdicts`. Accuracies are fractions going in and
percent, or percentage points, coming out. The sentences are built from the tables and can say every
outcome.
"""

from fercore.experiments.why.answers import answer, finding
from fercore.experiments.why.figures import forest
from fercore.experiments.why.tables import sizes, verdicts

__all__ = ["answer", "finding", "forest", "sizes", "verdicts"]
