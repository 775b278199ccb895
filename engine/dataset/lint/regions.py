"""Parts of the picture that hardly change: what the LoRA would learn by mistake."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

from ...vision.clothes import SAME_IN_ALL_LIGHTS, clothes_colour, of_one_colour
from ...vision.similarity import small
from .finding import Finding, found
from .looks import Look
from .phrases import SHARE

CELLS = 16
"""Cells of the background along each side of the picture."""
SAME_COLOUR = 0.09
"""Difference in each channel, of 0..1, up to which two cells have the same colour."""
FEWEST = 6
SEEN_IN = 1 / 3
"""Share of the pictures that a cell has to be seen in."""
LEAST_REGION = 0.04
"""Share of the background's cells that make a region."""
MATCHING = 0.7
"""Share of the region's cells by which a picture has it."""
CANDIDATES = 24
BORDER = 2
"""Without mask and face, cells from the edge that are taken for background."""

HEAD_WIDTH, BODY_WIDTH = 1.1, 1.3
"""Around a face without a mask: half of what is no background, in face heights."""


def region_findings(seen: Sequence[Look], faces: bool) -> tuple[list[Finding], list[str]]:
    """The regions that more than 80 % of the pictures share, and what could not be judged.

    faces: whether faces were looked for; without them clothes cannot be found.
    """
    findings, skipped = [], []
    if len(seen) < FEWEST:
        return [], []
    colours = torch.stack([small(look.shot.image, CELLS).flatten(1).T for look in seen])
    visible = torch.stack([background(look) for look in seen])
    shared = constant(colours, visible)
    if shared is not None:
        findings.append(_background(seen, *shared))
    if not (faces or any(_masked(look) for look in seen)):
        skipped.append(
            "Constant background: judged at the images' edges, because there are neither masks "
            "nor a FACE_DETECTION_MODEL."
        )
    if not faces:
        skipped.append("Constant garment: skipped, no FACE_DETECTION_MODEL is connected.")
        return findings, skipped
    having, judged = same_clothes([clothes_colour(look.shot.image, look.face) for look in seen])
    if having:
        findings.append(_garment(seen, having, judged))
    return findings, skipped


def constant(colours: torch.Tensor, visible: torch.Tensor) -> tuple[torch.Tensor, list[int]] | None:
    """The cells whose colour more than 80 % of the pictures share, and which pictures those are.

    colours: (N, C, 3) of C cells. visible: (N, C) bool. The colour that most share is looked for
    among those of up to 24 pictures, so that the time grows with N alone. None when there is no
    such region.
    """
    pictures, cells = visible.shape
    seen = visible.sum(dim=0)
    best = torch.zeros(cells, dtype=torch.long)
    usual = torch.zeros(cells, 3)
    stride = max(1, pictures // CANDIDATES)
    for candidate in range(0, pictures, stride):
        same = _same(colours, colours[candidate]) & visible
        count = same.sum(dim=0) * visible[candidate]
        better = count > best
        # The mean of those that agree lies in their middle, where the candidate may not.
        mean = (colours * same[..., None]).sum(dim=0) / same.sum(dim=0).clamp_min(1)[:, None]
        usual[better], best[better] = mean[better], count[better]
    same = _same(colours, usual) & visible
    often = seen >= max(FEWEST, SEEN_IN * pictures)
    region = often & (same.sum(dim=0) > SHARE * seen)
    if int(region.sum()) < LEAST_REGION * cells:
        return None
    shown = (visible & region).sum(dim=1)
    judged = shown >= max(1, int(region.sum()) // 4)
    having = judged & ((same & region).sum(dim=1) >= MATCHING * shown)
    if int(having.sum()) <= SHARE * pictures:
        return None
    return region, torch.nonzero(having).flatten().tolist()


def same_clothes(clothes: Sequence[tuple[float, float, float] | None]) -> tuple[list[int], int]:
    """The pictures that share a colour of clothes, when they are more than 80 % of those that show
    clothes, else none; and how many do show them.

    clothes: the CIELAB colour of each picture's, None where none are seen.
    """
    judged = [number for number, colour in enumerate(clothes) if colour is not None]
    if len(judged) < max(FEWEST, SEEN_IN * len(clothes)):
        return [], len(judged)
    alike = of_one_colour(np.array([clothes[n] for n in judged]), SAME_IN_ALL_LIGHTS)
    having = [number for number, near in zip(judged, alike, strict=True) if near]
    return (having if len(having) > SHARE * len(judged) else []), len(judged)


def background(look: Look) -> torch.Tensor:
    """Which cells of the picture (256,) show what is behind the character.

    By the mask; without one what is neither beside nor below the face; without a face, the edges.
    """
    if _masked(look):
        mask = look.shot.mask
        assert mask is not None
        size = (CELLS, CELLS)
        return (F.adaptive_max_pool2d(mask[None], size)[0] < 0.5).flatten()
    rows, columns = look.shot.size
    down = (torch.arange(CELLS) + 0.5) / CELLS * rows
    across = (torch.arange(CELLS) + 0.5) / CELLS * columns
    if look.face is None:
        edge = torch.zeros(CELLS, CELLS, dtype=torch.bool)
        edge[:BORDER] = edge[:, :BORDER] = edge[:, -BORDER:] = True
        return edge.flatten()
    x0, y0, x1, y1 = look.face.box
    tall = look.face.height
    from_middle = (across - (x0 + x1) / 2).abs()[None, :]
    head = (from_middle < HEAD_WIDTH * tall) & (down[:, None] > y0 - tall)
    body = (from_middle < BODY_WIDTH * tall) & (down[:, None] > y1)
    return ~(head | body).flatten()


def _same(colours: torch.Tensor, colour: torch.Tensor) -> torch.Tensor:
    return (colours - colour).abs().amax(dim=-1) <= SAME_COLOUR


def _masked(look: Look) -> bool:
    return look.shot.mask is not None and bool((look.shot.mask > 0.5).any())


def _background(seen: Sequence[Look], region: torch.Tensor, having: list[int]) -> Finding:
    shots = [seen[n].shot.hash for n in having]
    where = _where(region)
    says = f"The background is the same in {len(shots)} of {len(seen)} images ({where})."
    return found("constant_background", shots, says, about=where)


def _garment(seen: Sequence[Look], having: list[int], judged: int) -> Finding:
    shots = [seen[n].shot.hash for n in having]
    named = sum(bool(seen[n].shot.tags.outfit) for n in having)
    effect = ""
    if named > SHARE * len(having):
        effect = "Although their captions name the clothes, the LoRA hardly learns others."
    says = f"The clothes below the face have the same colour in {len(shots)} of {judged} images."
    return found("constant_garment", shots, says, about="below the face", effect=effect)


def _where(region: torch.Tensor) -> str:
    """The ninths of the picture that the cells ``region`` (256,) lie in, in words."""
    grid = region.view(1, CELLS, CELLS).float()
    ninths = F.adaptive_avg_pool2d(grid, (3, 3))[0] > 0.3
    rows, columns = ("upper", "middle", "lower"), ("left", "centre", "right")
    named = [
        f"{row} {column}"
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
        if ninths[i, j]
    ]
    return ", ".join(named) or "small parts"
