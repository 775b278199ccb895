"""How the tests themselves are started."""

from __future__ import annotations

import pytest

from facet.launcher.testing import workers


@pytest.mark.parametrize("arguments", [[], ["--nightly"], ["-m", "not slow"], ["-q"]])
def test_all_tests_are_shared_by_the_cores_but_by_no_more_than_gains(arguments: list[str]) -> None:
    assert [workers(arguments, cores) for cores in (1, 2, 4, 64)] == [0, 2, 4, 4]


@pytest.mark.parametrize(
    "arguments", [["-n", "3"], ["-n0"], ["-x"], ["tests/world"], ["-k", "face"], ["--pdb"]]
)
def test_a_few_tests_or_a_look_into_them_take_one_process(arguments: list[str]) -> None:
    assert workers(arguments, 8) == 0
