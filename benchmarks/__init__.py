"""Benchmarks: one module each, run by `python facet.py bench NAME`.

`main(quick)` of each returns a JSON object whose `bars` maps a name to {value, target, better},
better being "higher" or "lower"; a value of None was never reached.
"""
