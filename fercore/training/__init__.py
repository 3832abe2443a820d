"""From a specification to a finished run, on a CPU or a GPU."""
