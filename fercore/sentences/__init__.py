"""The report's sentences, built from a run's numbers so that they cannot disagree with them.

Every function takes tables of `fercore.analysis` and returns `Text`. Each can say every outcome:
one side ahead, the other ahead, no difference shown, too few seeds, nothing finished.
"""

from fercore.sentences.comparison import budgets, channels, claims, comparison
from fercore.sentences.inside import blocks, layers, looks
from fercore.sentences.sizes import large_against_compact, size_against_accuracy
from fercore.sentences.votes import votes

__all__ = [
    "blocks",
    "budgets",
    "channels",
    "claims",
    "comparison",
    "large_against_compact",
    "layers",
    "looks",
    "size_against_accuracy",
    "votes",
]
