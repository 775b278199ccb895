"""Trains the face-landmark model.

python facet.py world train_landmarks --out .facet/world --minutes 4
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor, nn

from ..engine.demo.face import HeadFinder, LandmarkReader, crop_heads
from .convnet import to_tensor
from .dataset import PEOPLE as ALL_PEOPLE
from .dataset import PICTURES_PER_PERSON, SIZE, render_people, scene_of
from .face_mesh import FACE_OVAL, LEFT_EYE, RIGHT_EYE, rigid_points, topology
from .head import EXPRESSION_SHAPES, Head
from .identity import HELD_OUT_FROM, Identity
from .landmarks import BLENDSHAPES, face_of
from .optimiser import Muon, stable_decay
from .render import set_up
from .run import WEIGHTS, Checkpoint, Clock, options

SEED, BATCH, COMPONENTS = 3, 96, 40
PEOPLE = 6_000
EYE_CORNERS = (33, 263)


def _truth(person: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    identity = Identity.from_seed(person)
    points = np.zeros((PICTURES_PER_PERSON, 478, 3), np.float32)
    boxes = np.zeros((PICTURES_PER_PERSON, 3), np.float32)
    shapes = np.zeros((PICTURES_PER_PERSON, len(BLENDSHAPES)), np.float32)
    present = np.zeros(PICTURES_PER_PERSON, np.float32)
    for k in range(PICTURES_PER_PERSON):
        scene = scene_of(person, k)
        setup = set_up(identity, scene, SIZE)
        x0, y0, x1, y1 = setup.head_box / SIZE
        boxes[k] = (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0
        if face := setup.face(scene.expression):
            points[k], present[k] = face.landmarks_3d / SIZE, 1
            shapes[k] = list(face.blendshapes.values())
    return points, boxes, shapes, present


class Truth:
    """Ground truth of many pictures: points (N, 478, 3) and boxes (N, 3) in picture sides."""

    def __init__(self, first: int, count: int, workers: int = 2):
        with ProcessPoolExecutor(workers) as pool:
            rows = list(pool.map(_truth, range(first, first + count), chunksize=50))
        self.points, self.boxes, self.shapes, self.present = (
            torch.from_numpy(np.concatenate(part)) for part in zip(*rows)
        )


def canonical() -> dict[str, np.ndarray]:
    """An average head in centimetres (y up, z to the camera), and how much each point counts."""
    head = Head(Identity.from_seed(2), 0.0, EXPRESSION_SHAPES["neutral"])
    face = face_of(head, "neutral", lambda points: points, 1.0)
    vertices = face.landmarks_3d * np.array([8.0, -8.0, -8.0], np.float32)
    weights = {i: 0.3 for i in rigid_points() if i not in FACE_OVAL}
    weights |= dict.fromkeys((*RIGHT_EYE, *LEFT_EYE), 0.6) | dict.fromkeys((6, 168), 1.0)
    return {
        "canonical_vertices": vertices.astype(np.float32),
        "procrustes_indices": np.array(list(weights), np.int32),
        "procrustes_weights": np.array(list(weights.values()), np.float32),
    }


def _local(points: Tensor, boxes: Tensor) -> Tensor:
    flat = points.clone()
    flat[..., :2] -= boxes[:, None, :2]
    return flat / boxes[:, None, 2:]


def fit_basis(reader: LandmarkReader, truth: Truth) -> None:
    """Principal directions of the training faces within their head boxes."""
    faces = truth.present > 0
    local = _local(truth.points, truth.boxes)[faces][:6000].flatten(1)
    mean = local.mean(0)
    _, strength, directions = torch.svd_lowrank(local - mean, COMPONENTS, niter=4)
    scale = strength / len(local) ** 0.5
    reader.mean.copy_(mean)
    reader.basis.copy_(directions.T * scale[:, None])


def loss_of(
    finder: HeadFinder, reader: LandmarkReader, pictures: Tensor, truth: Truth, index: Tensor
) -> Tensor:
    """Boxes, presence, landmarks and blendshapes of jittered crops."""
    boxes, present = truth.boxes[index], truth.present[index]
    with torch.autocast("cpu", torch.bfloat16):
        found, logit = finder(F.interpolate(pictures, (64, 64), mode="area"))
    loss = 10 * F.smooth_l1_loss(found, boxes, beta=0.05)
    loss = loss + 0.3 * F.binary_cross_entropy_with_logits(logit, present)
    moved = boxes.clone()
    moved[:, :2] += torch.randn(len(boxes), 2) * 0.035 * boxes[:, 2:]
    moved[:, 2] *= 1 + torch.randn(len(boxes)) * 0.05
    crops = crop_heads(pictures, moved) + torch.randn(1, 3, 64, 64) * 0.03
    crops = crops.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        points, shapes, presence = reader(crops)
    target = _local(truth.points[index], moved)
    error = F.smooth_l1_loss(points, target, beta=0.01, reduction="none").mean((1, 2))
    shape_error = (shapes - truth.shapes[index]).square().mean(1)
    faces = present.sum().clamp(min=1)
    loss = loss + 30 * (error * present).sum() / faces + 5 * (shape_error * present).sum() / faces
    return loss + 0.3 * F.binary_cross_entropy_with_logits(presence, present)


@torch.inference_mode()
def figures(
    finder: HeadFinder, reader: LandmarkReader, pictures: np.ndarray, truth: Truth
) -> dict[str, float]:
    """Mean landmark error in eye distances, and how often presence is right."""
    errors, right = [], []
    for at in range(0, len(pictures), 50):
        x = to_tensor(pictures[at : at + 50])
        part = slice(at, at + len(x))
        boxes, logit = finder(F.interpolate(x, (64, 64), mode="area"))
        points, _, presence = reader(crop_heads(x, boxes))
        placed = points[..., :2] * boxes[:, None, 2:] + boxes[:, None, :2]
        real, present = truth.points[part], truth.present[part] > 0
        facing = (real[:, EYE_CORNERS[0]] - real[:, EYE_CORNERS[1]]).norm(dim=-1)
        eyes = torch.maximum(facing, 0.2 * truth.boxes[part, 2])
        error = (placed - real[..., :2]).norm(dim=-1).mean(1) / eyes
        errors.append(error[present])
        right.append((torch.minimum(logit, presence) > 0) == present)
    return {
        "error": float(torch.cat(errors).mean()),
        "presence": float(torch.cat(right).float().mean()),
    }


def main() -> None:
    """Train, export, and print held-out figures."""
    chosen = options("Train the face-landmark model.", 4)
    torch.manual_seed(SEED)
    pictures = render_people(chosen.out / "train.npy", 0, ALL_PEOPLE)[:PEOPLE]
    flat = pictures.reshape(-1, SIZE, SIZE, 3)
    truth = Truth(0, PEOPLE)
    both = nn.ModuleList([HeadFinder(), LandmarkReader(COMPONENTS)])
    both.to(memory_format=torch.channels_last)
    finder, reader = both
    fit_basis(reader, truth)
    matrices = [p for net in both for p in net.trunk.parameters() if p.ndim > 1]
    chosen_ids = {id(p) for p in matrices}
    muon = Muon(matrices, momentum=0.9)
    adam = torch.optim.AdamW([p for p in both.parameters() if id(p) not in chosen_ids], lr=2e-3)
    clock, checkpoint = Clock(chosen.minutes), Checkpoint(chosen.out / "landmarks.pt", 120)
    if state := checkpoint.load(clock):
        both.load_state_dict(state["net"])
        adam.load_state_dict(state["adam"])
        muon.load_state_dict(state["muon"])
    rng = np.random.default_rng(SEED + clock.steps)
    while clock.progress < 1:
        rate = min(1.0, (clock.steps + 1) / 50) * stable_decay(clock.progress, 0.1) + 1e-3
        for group in adam.param_groups:
            group["lr"] = 2e-3 * rate
        index = np.sort(rng.choice(len(flat), BATCH, replace=False))
        loss = loss_of(finder, reader, to_tensor(flat[index]), truth, torch.from_numpy(index))
        both.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()
        muon.step(0.02 * rate, weight_decay=0.01)
        clock.steps += 1
        if clock.steps % 100 == 0:
            print(f"{clock.steps} steps {clock.seconds:.0f} s loss {loss.item():.4f}", flush=True)
        if checkpoint.due() or clock.progress >= 1:
            checkpoint.save(
                {"net": both.state_dict(), "adam": adam.state_dict(), "muon": muon.state_dict()},
                clock,
            )
    both.eval()
    state = {f"finder.{k}": v for k, v in finder.state_dict().items()}
    state |= {f"reader.{k}": v for k, v in reader.state_dict().items()}
    state = {k: v.half() if v.is_floating_point() else v for k, v in state.items()}
    state |= {k: torch.from_numpy(v) for k, v in canonical().items()}
    state |= {f"topology.{k}": torch.tensor(v, dtype=torch.int32) for k, v in topology().items()}
    WEIGHTS.mkdir(parents=True, exist_ok=True)
    save_file(
        {k: v.contiguous() for k, v in state.items()},
        WEIGHTS / "face.safetensors",
        metadata={"blendshapes": " ".join(BLENDSHAPES)},
    )
    held_out = render_people(chosen.out / "held_out.npy", HELD_OUT_FROM, 200)
    print(figures(finder, reader, held_out.reshape(-1, SIZE, SIZE, 3), Truth(HELD_OUT_FROM, 200)))
