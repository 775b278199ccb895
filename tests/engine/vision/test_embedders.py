import weakref
from dataclasses import replace

import comfy.model_management
import numpy as np
import pytest
import torch

from facet.engine.demo.models import DemoModels
from facet.engine.vision import embedding
from facet.engine.vision.crops import CROPS, without_background
from facet.engine.vision.embedders import AppearanceEmbedder, FaceEmbedder, label
from facet.engine.vision.embedding import embed
from facet.engine.vision.faces import find_face
from facet.engine.vision.recognition import open_face_model
from facet.world.identity import HELD_OUT_FROM, Identity
from facet.world.render import render
from facet.world.scene import Scene
from harness.face_models import random_iresnet, write_safetensors
from harness.faces import astronaut, drawn_face, mirrored
from harness.small_models import SMALL_VISION, small_clip_vision, small_vision


@pytest.fixture(scope="module")
def demo(demo_models: DemoModels) -> DemoModels:
    return demo_models


@pytest.fixture(scope="module")
def face_model(tmp_path_factory):
    file = tmp_path_factory.mktemp("faces") / "r18.safetensors"
    return open_face_model(write_safetensors(file, random_iresnet(18, 16).state_dict()))


def pictures(people: int, scenes: list[Scene]):
    """Pictures, masks and who is on them."""
    images, masks, who = [], [], []
    for person in range(people):
        for scene in scenes:
            drawn = render(Identity.from_seed(HELD_OUT_FROM + 700 + person), scene, 128)
            images.append(torch.from_numpy(drawn.image.copy()).float() / 255)
            mask = torch.from_numpy(np.asarray(drawn.mask).astype(np.float32))
            masks.append(mask / mask.max())
            who.append(person)
    return images, masks, torch.tensor(who)


@torch.inference_mode()
def test_each_crop_tells_people_apart_across_views_places_and_sizes(demo):
    scenes = [
        Scene(view=view, framing=framing, place=place, jitter=number)
        for number, (view, framing, place) in enumerate(
            [
                ("front", "close_up", "plain"),
                ("three_quarter_left", "medium", "park"),
                ("three_quarter_right", "medium", "city"),
            ]
        )
    ]
    images, masks, who = pictures(12, scenes)
    faces = [find_face(demo.face, image) for image in images]
    for crop in CROPS:
        found = AppearanceEmbedder(demo.clip_vision, crop).embed(images, masks, faces)
        assert found.found.all()
        cosines = found.vectors @ found.vectors.T
        same = who[:, None] == who[None]
        pairs = torch.ones_like(same).triu(1)
        ones, others = cosines[same & pairs], cosines[~same & pairs]
        assert (ones[:, None] > others[None]).float().mean() > 0.98, crop


@torch.inference_mode()
def test_without_its_background_a_person_is_the_same_anywhere():
    encoder = small_clip_vision()  # random weights, which see every background
    (image,), (mask,), _ = pictures(1, [Scene()])
    mask = mask.round()
    behind = torch.rand(3, 1, 1, 3, generator=torch.Generator().manual_seed(0))
    images = list(torch.lerp(behind.expand(3, *image.shape), image, mask[..., None]))

    def apart(crop) -> float:
        vectors = AppearanceEmbedder(encoder, crop).embed(images, [mask] * 3).vectors
        return 1 - float((vectors @ vectors.T).min())

    assert apart("without background") < 1e-6 < 1e-4 < apart("whole")


def test_the_person_alone_stands_on_a_square_of_one_colour():
    image = torch.full((40, 60, 3), 0.75)
    image[10:30, 20:26] = 1.0
    mask = torch.zeros(40, 60)
    mask[10:30, 20:26] = 1
    square = without_background(image, mask, torch.full((3,), 0.25))
    assert square.shape == (22, 22, 3)  # the person's height and a margin
    assert torch.allclose(square[1:21, 8:14], torch.ones(20, 6, 3))
    assert torch.allclose(square[:, :7], torch.full((22, 7, 3), 0.25))


def test_what_is_not_there_has_no_embedding():
    image = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(0))
    mask = torch.zeros(64, 64)
    mask[16:48, 16:48] = 1
    embedder = AppearanceEmbedder(small_clip_vision(), "without background")
    found = embedder.embed([image] * 3, [torch.zeros(64, 64), mask, None])
    assert found.found.tolist() == [False, True, False]
    assert found.vectors[[0, 2]].isnan().all() and found.vectors[1].norm() == pytest.approx(1)
    assert found.cosines(found.vectors[1]) == [None, pytest.approx(1), None]
    nothing = embedder.embed([image] * 2, [None, None])
    assert nothing.found.tolist() == [False, False] and nothing.vectors.shape == (2, 0)
    assert nothing.cosines(found.vectors[1]) == [None, None]


@torch.inference_mode()
def test_a_picture_without_a_face_is_no_stranger(face_model):
    image, face = astronaut()
    flat = replace(face, landmarks=np.zeros_like(face.landmarks))
    for embedder in (
        FaceEmbedder(face_model),
        AppearanceEmbedder(small_clip_vision(), "aligned face"),
    ):
        found = embedder.embed([image] * 3, faces=[None, face, flat])
        assert found.found.tolist() == [False, True, False]
        assert found.vectors[[0, 2]].isnan().all()


@torch.inference_mode()
def test_the_whole_picture_is_embedded_as_ever():
    image = torch.rand(90, 40, 3, generator=torch.Generator().manual_seed(0))
    encoder = small_clip_vision()
    found = AppearanceEmbedder(encoder).embed([image])
    assert torch.equal(found.vectors, embed(encoder, [image]))


@torch.inference_mode()
def test_a_mirrored_face_is_the_same_face(face_model):
    image, face = astronaut()
    images, faces = [image, image.flip(1)], [face, mirrored(face, 512)]
    alike = {
        twice: FaceEmbedder(face_model, twice).embed(images, faces=faces).vectors
        for twice in (True, False)
    }
    once, twice = (float(alike[both][0] @ alike[both][1]) for both in (False, True))
    assert twice > 0.9999 and twice > once


@torch.inference_mode()
def test_many_faces_get_the_embeddings_that_each_has_alone(face_model):
    drawn = [drawn_face(seed, size=size) for seed in range(9) for size in (96, 160)]
    images, faces = [image for image, _ in drawn], [face for _, face in drawn]
    embedder = FaceEmbedder(face_model)
    together = embedder.embed(images, faces=faces)
    assert together.vectors.shape == (18, 512) and together.found.all()
    assert torch.allclose(together.vectors.norm(dim=1), torch.ones(18), atol=1e-5)
    for row, image, face in zip(together.vectors, images, faces, strict=True):
        alone = embedder.embed([image], faces=[face]).vectors[0]
        assert torch.allclose(row, alone, atol=1e-5)


@pytest.mark.parametrize("kind", SMALL_VISION)
def test_an_encoder_is_named_and_called_appearance(kind):
    said = {label(AppearanceEmbedder(small_vision(kind), crop)) for crop in CROPS}
    assert len(said) == len(CROPS)
    assert all(text.startswith("appearance by ") and "2 layers, 32 wide" in text for text in said)


def test_the_demo_encoder_and_a_face_model_are_named(demo, face_model):
    assert label(AppearanceEmbedder(demo.clip_vision)) == (
        "appearance by Facet's demo encoder, whole picture"
    )
    assert label(FaceEmbedder(face_model)) == "face recognition by r18 (IResNet-18), aligned face"


def test_what_an_embedder_needs_it_asks_for(face_model):
    image, face = astronaut()
    encoder = small_clip_vision()
    with pytest.raises(ValueError, match="needs the masks of the pictures"):
        AppearanceEmbedder(encoder, "without background").embed([image])
    with pytest.raises(ValueError, match="needs the faces of the pictures"):
        AppearanceEmbedder(encoder, "aligned face").embed([image])
    with pytest.raises(ValueError, match="shorter"):
        FaceEmbedder(face_model).embed([image, image], faces=[face])
    with pytest.raises(ValueError, match=r"A mask is \(4, 4\) and its picture \(512, 512\)"):
        AppearanceEmbedder(encoder, "without background").embed([image], [torch.ones(4, 4)])


def test_faces_are_no_longer_looked_at_once_the_run_is_cancelled(face_model):
    image, face = astronaut()
    comfy.model_management.interrupt_current_processing()
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        FaceEmbedder(face_model).embed([image], faces=[face])


@torch.inference_mode()
def test_a_model_that_gives_nothing_is_named(face_model):
    image, face = astronaut()
    dead = replace(face_model, recogniser=lambda faces: torch.zeros(len(faces), 512))
    with pytest.raises(ValueError, match=r"r18 \(IResNet-18\) gave an embedding that is empty"):
        FaceEmbedder(dead).embed([image], faces=[face])


class Counted:
    """Pictures that are made when they are asked for; most: how many there were at a time."""

    def __init__(self, image: torch.Tensor, count: int) -> None:
        self.image, self.count, self.most = image, count, 0

    def __iter__(self):
        alive: weakref.WeakValueDictionary = weakref.WeakValueDictionary()
        for number in range(self.count):
            alive[number] = pixels = self.image.numpy().copy()  # which all that is cut of it holds
            self.most = max(self.most, len(alive))
            yield torch.from_numpy(pixels)
            del pixels


@torch.inference_mode()
def test_of_many_pictures_a_few_are_there_at_a_time(face_model):
    image, face = astronaut()
    pictures = Counted(image, 50)
    found = FaceEmbedder(face_model).embed(pictures, faces=[face] * 50)
    assert found.found.all() and len(found.vectors) == 50
    assert pictures.most <= 2


@torch.inference_mode()
def test_batches_of_large_pictures_are_small(monkeypatch):
    image, _ = astronaut()
    encoder = small_clip_vision()
    given = Counted(image, 12)
    together = AppearanceEmbedder(encoder).embed(given).vectors
    assert given.most == 12
    monkeypatch.setattr(embedding, "MOST_PIXELS", 3 * 512 * 512)
    pictures = Counted(image, 12)
    in_parts = AppearanceEmbedder(encoder).embed(pictures).vectors
    assert pictures.most <= 3 + 2  # the first of all, and the one that does not fit any more
    assert torch.allclose(together, in_parts, atol=1e-5)
