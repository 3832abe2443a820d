"""One function per figure: a table in, a `fercore.display.Figure` with caption and alt text out.

One visual language: family is colour, a report's published figure is an open marker, a network
trained here a filled one, paler where nothing is shown. Accuracy is shown in percent. `note` is
printed with every caption; it says so where the data is synthetic.
"""

from fercore.figures.errors import confusion_difference, confusions, reliability
from fercore.figures.layers import blocks, layers
from fercore.figures.looks import looks
from fercore.figures.sizes import budgets, leads, size_against_accuracy
from fercore.figures.style import COLOURS, GROUP_COLOURS, NAMES, amount, house_axes, pale, short
from fercore.figures.training import faces, learning_curves

__all__ = [
    "COLOURS",
    "GROUP_COLOURS",
    "NAMES",
    "amount",
    "blocks",
    "budgets",
    "confusion_difference",
    "confusions",
    "faces",
    "house_axes",
    "layers",
    "leads",
    "learning_curves",
    "looks",
    "pale",
    "reliability",
    "short",
    "size_against_accuracy",
]
