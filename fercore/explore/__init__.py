"""Networks, runs and faces to explore by hand in JupyterLab; see notebooks/explore.ipynb."""
