"""Real face networks and photographs, out of pinned packages, for the tests and the benchmarks.

Nothing of them is committed, and nothing of this folder goes into the registry's archive. What is
taken of which package, under which licence, stands in `packages.json` and docs/test-packages.md.
"""
