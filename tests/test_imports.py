"""What a notebook waits for before its first line: nothing is imported that it may not need."""

import subprocess
import sys

SLOW = {"altair", "distributed", "matplotlib.pyplot", "numba", "scipy.stats", "seaborn"}
"""Each takes half a second or more, in each of the report's kernels."""


def test_a_notebooks_first_line_imports_nothing_slow() -> None:
    line = "from fercore import analysis, figures, sentences, study, tables; import sys"
    code = f"{line}; print(*({SLOW} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
