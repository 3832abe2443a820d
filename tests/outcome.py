"""What came of a fault, for `tests.torture`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Outcome(NamedTuple):
    """Of one fault: how often done, how often survived, epochs begun again, and how many may be.

    kills: those that fell within training.
    """

    tried: int
    survived: int
    lost: int
    allowed: int
    kills: int = 0

    @property
    def good(self) -> bool:
        """Was the promise kept?"""
        return self.survived == self.tried and self.lost <= self.allowed

    def only_if(self, condition: bool) -> Outcome:
        """Survived only if this is true as well."""
        return self if condition else self._replace(survived=0)


def total(outcomes: Iterable[Outcome]) -> Outcome:
    """Of several; one that lost too much has not survived, however little the others lost."""
    kept = [one.only_if(one.good) for one in outcomes]
    return Outcome(*map(sum, zip(*kept, strict=True)))


def losses(lines: Iterable[str]) -> list[int]:
    """What each time that a run went on has cost: epochs, or steps, that it began again.

    lines: of a log, all of one kind, as "epoch 2 5" for seed and number.
    """
    found, last = [], dict[str, int]()
    for _, run, number in map(str.split, lines):
        if (again := last.get(run, -1) - int(number) + 1) > 0:
            found.append(again)
        last[run] = int(number)
    return found
