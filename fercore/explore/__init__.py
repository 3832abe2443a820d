"""Networks, runs and faces to explore by hand in JupyterLab: `notebooks/explore.ipynb`.

What is shown comes from plain functions (`choices`, `runs`, `tiles`), a run is made in a thread
(`training`), and panels of ipywidgets (`networks`, `browse`, `sheets`) join the two on one `desk`.
"""

from fercore.explore.desk import Desk, begin

__all__ = ["Desk", "begin"]
