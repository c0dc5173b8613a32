"""Measurements: Backlot beside the plain way to do the same, in turn, in one run (``python -m benchmarks``)."""
