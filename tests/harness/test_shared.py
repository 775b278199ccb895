"""What several workers need is made by one of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.shared import once


def test_it_is_made_once_and_the_others_wait_for_it(tmp_path: Path) -> None:
    made = []

    def make(folder: Path) -> None:
        made.append(folder)
        (folder / "file").write_text("there")

    def ask(_: int) -> str:
        return (once(tmp_path / "thing", make) / "file").read_text()

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(8))) == ["there"] * 8
    assert len(made) == 1


def test_what_failed_is_made_by_the_next_that_asks(tmp_path: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise RuntimeError("no luck")

    with pytest.raises(RuntimeError, match="no luck"):
        once(tmp_path / "thing", fail)
    folder = once(tmp_path / "thing", lambda folder: (folder / "whole").touch())
    assert (folder / "whole").exists()
    assert not (folder / "half").exists()
