"""Cells stand in rows, and a sheet of them is as large as they need."""

from __future__ import annotations

import torch

from facet.engine.drawing.contact_sheet import Cells, side_by_side


def test_cells_go_along_the_rows() -> None:
    cells = Cells(3, 10, 20, left=5, top=7, gap=2, row_gap=4)
    assert [cells.at(n) for n in (0, 2, 3)] == [(5, 7), (29, 7), (5, 31)]
    assert cells.right() == 39
    assert [cells.bottom(n) for n in (0, 1, 3, 4)] == [7, 27, 27, 51]


def test_pictures_stand_side_by_side_as_they_are() -> None:
    pictures = torch.stack([torch.full((4, 6, 3), n / 4) for n in range(5)])
    sheet = side_by_side(pictures, columns=2)
    assert sheet.size == (12, 12)
    assert [sheet.getpixel(at)[0] for at in ((0, 0), (6, 0), (0, 4), (0, 8))] == [0, 64, 128, 255]
    assert sheet.getpixel((11, 11)) == (0, 0, 0)
