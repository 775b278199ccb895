"""Benchmarks: one module each, run by `python facet.py bench NAME`.

`main(quick)` of each returns a JSON object whose `bars` maps a name to what `_bars.bar`
gives: value, target, better ("higher" or "lower"), and whether so many pictures can judge it.
"""
