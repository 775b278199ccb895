"""Two hundred pictures of one of the demo world's people, with faults put in on purpose."""

from __future__ import annotations

import io
import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from PIL import Image, ImageFilter

from ..engine.core.character import Character, Provenance, Shot
from ..engine.dataset.lint.finding import Report
from .captions import identity_words, tags_of
from .draw_place import draw_place
from .identity import Identity
from .render import render
from .scene import EXPRESSIONS, FRAMINGS, POSES, TOPS, VIEWS, Scene

TRIGGER = "zqx"
COUNT = 200
EACH = 8
"""Pictures with each fault."""
STEADY = 0.92
"""Share of the pictures in the same room and clothes."""
SIDE = 128
HABIT = "holding a paper cup"
FACED = ("front", "three_quarter_left", "three_quarter_right")
CAPTION_FAULTS = (
    "caption_missing",
    "trigger_missing",
    "trigger_doubled",
    "trigger_misspelt",
    "identity_words",
    "boilerplate",
    "caption_duplicate",
)
PICTURE_FAULTS = (
    "blurred",
    "tiny_face",
    "no_face",
    "several_people",
    "small_picture",
    "empty_mask",
    "odd_weight",
)
HOLES = (
    "view top",
    "view low",
    "expression serious",
    "lighting side",
    "lighting low",
    "lighting back",
    "framing close_up",
    "background plain",
)
"""What the scenes below show too little of."""

Truth = dict[str, set[str]]


@dataclass
class Draft:
    """One picture on its way.

    image: (H, W, 3) uint8. mask: (H, W) bool. steady: in the room and the clothes of most.
    """

    scene: Scene
    image: np.ndarray
    mask: np.ndarray
    caption: str
    steady: bool
    weight: float = 1.0
    faults: set[str] = field(default_factory=set)

    def shot(self) -> Shot:
        """The finished shot."""
        return Shot(
            torch.from_numpy(self.image.copy()).float() / 255,
            Provenance("imported"),
            mask=torch.from_numpy(self.mask.astype(np.float32)),
            caption=self.caption,
            tags=tags_of(self.scene),
            weight=self.weight,
        )


def flawed_set(people: Sequence[Identity], seed: int) -> tuple[Character, Truth]:
    """A dataset of 200 pictures of the first of ``people``, and which of them have which fault.

    The others are the company that some pictures have. The truth holds hashes of pictures by kind
    of finding; for ``coverage`` what is missing; for ``common_phrase`` each phrase with a hash.
    """
    rng = random.Random(f"lint {seed}")
    who = people[0]
    drafts = _drafts(who, rng)
    faced = [draft for draft in drafts if draft.scene.view in FACED]
    for kinds, spoil in ((PICTURE_FAULTS, _spoil_picture), (CAPTION_FAULTS, _spoil_caption)):
        order = iter(rng.sample(faced, EACH * len(kinds)))
        for kind in (kind for kind in kinds for _ in range(EACH)):
            chosen = next(order)
            chosen.faults.add(kind)
            spoil(kind, chosen, who, rng.choice(people[1:]), rng)
    whole = [draft for draft in drafts if not draft.faults]
    copied, twins = rng.sample(whole, EACH), rng.sample(whole, EACH)
    repeating = (draft for draft in drafts if "caption_duplicate" in draft.faults)
    for draft, original in zip(repeating, copied, strict=True):
        draft.caption = original.caption
    again = [_again(draft, rng) for draft in twins]
    for draft in copied:
        draft.faults.add("caption_duplicate")
    for draft in (*twins, *again):
        draft.faults.add("near_duplicate")
    drafts += again
    rng.shuffle(drafts)
    shots = [draft.shot() for draft in drafts]
    return Character("Flawed", TRIGGER, "person", shots[0], tuple(shots[1:])), _truth(drafts, shots)


def precision_recall(report: Report, truth: Truth) -> dict[str, tuple[float, float]]:
    """Precision and recall of ``report`` for each kind of fault, and over all of them as ``all``.

    A kind that is neither there nor found has 1 and 1.
    """
    found: Truth = {}
    for finding in report.findings:
        items = set(finding.shots)
        if finding.kind == "coverage":
            items = {finding.about}
        elif finding.kind == "common_phrase":
            items = {f"{finding.about} {shot}" for shot in finding.shots}
        found.setdefault(finding.kind, set()).update(items)
    said = {(kind, item) for kind, items in found.items() for item in items}
    true = {(kind, item) for kind, items in truth.items() for item in items}

    def share(kind: str, of: set[tuple[str, str]]) -> float:
        these = {pair for pair in of if kind in (pair[0], "all")}
        return len(these & said & true) / len(these) if these else 1.0

    kinds = ["all", *sorted({*truth, *found})]
    return {kind: (share(kind, said), share(kind, true)) for kind in kinds}


def _truth(drafts: Sequence[Draft], shots: Sequence[Shot]) -> Truth:
    truth: Truth = {"coverage": set(HOLES)}
    constant = {HABIT, "natural light"}
    for draft, shot in zip(drafts, shots, strict=True):
        for kind in draft.faults:
            truth.setdefault(kind, set()).add(shot.hash)
        if not draft.steady:
            continue
        constant |= {draft.scene.background, f"wearing {draft.scene.outfit}"}
        if "several_people" not in draft.faults:  # the room is on both sides of two pictures
            truth.setdefault("constant_background", set()).add(shot.hash)
        faceless = draft.faults & {"no_face", "tiny_face"} or draft.scene.view == "back"
        if not faceless:
            truth.setdefault("constant_garment", set()).add(shot.hash)
    truth["common_phrase"] = {
        f"{phrase} {shot.hash}"
        for phrase in constant
        for shot in shots
        if phrase in shot.caption.split(", ")
    }
    return truth


def _drafts(who: Identity, rng: random.Random) -> list[Draft]:
    """Pictures of which no two show the same view, framing, expression and pose."""
    combinations = [
        combination
        for combination in itertools.product(VIEWS, FRAMINGS, EXPRESSIONS, POSES)
        if _visible(*combination)
    ]
    room: dict[str, str] = {
        "place": "room",
        "lighting": "natural",
        "top": rng.choice(("hoodie", "jacket", "sweater")),
        "top_colour": rng.choice(("blue", "green", "purple", "red")),
        "bottom": "trousers",
        "bottom_colour": "grey",
    }
    count = COUNT - EACH
    drafts = []
    for number, chosen in enumerate(rng.sample(combinations, count)):
        view, framing, expression, pose = chosen
        steady = number < STEADY * count
        varied = {
            "place": rng.choice(("plain", "park", "beach")),
            "lighting": rng.choice(("natural", "warm")),
            "top": rng.choice([top for top in TOPS if top != room["top"]]),
        }
        scene = replace(
            Scene.sample(rng, **(room if steady else varied)),
            view=view,
            framing=framing,
            expression=expression,
            pose=pose,
        )
        picture = render(who, scene, SIDE)
        caption = ", ".join([f"{TRIGGER} person", *tags_of(scene).phrases(), HABIT])
        drafts.append(Draft(scene, picture.image, picture.mask, caption, steady))
    return drafts


def _visible(view: str, framing: str, expression: str, pose: str) -> bool:
    """Whether the picture shows these values, and does not look like one with other ones."""
    small = framing == "full" and view.startswith("profile")
    return (
        (expression == EXPRESSIONS[0] or not (view == "back" or small))
        and (pose == POSES[0] or framing != "close_up")
        and not (pose == "waving" and small)
    )


def _spoil_picture(
    kind: str, draft: Draft, who: Identity, other: Identity, rng: random.Random
) -> None:
    scene = draft.scene
    if kind == "blurred":
        radius = rng.uniform(1.2, 2.0)
        draft.image = np.asarray(
            Image.fromarray(draft.image).filter(ImageFilter.GaussianBlur(radius))
        )
    elif kind == "tiny_face":
        draft.image, draft.mask = _far_away(who, scene, rng)
    elif kind == "no_face":
        picture = render(who, scene, SIDE, yaw=180 + rng.choice((-1, 1)) * rng.uniform(25, 50))
        draft.image, draft.mask = picture.image, picture.mask
    elif kind == "several_people":
        pair = [render(one, scene, SIDE) for one in (who, other)]
        part = slice(SIDE // 16, SIDE - SIDE // 16)
        draft.image = np.concatenate([one.image[:, part] for one in pair], axis=1)
        masks = [pair[0].mask[:, part], np.zeros_like(pair[1].mask[:, part])]
        draft.mask = np.concatenate(masks, axis=1)
    elif kind == "small_picture":
        picture = render(who, scene, rng.randrange(60, 76))
        draft.image, draft.mask = picture.image, picture.mask
    elif kind == "empty_mask":
        draft.mask = np.zeros_like(draft.mask)
    elif kind == "odd_weight":
        draft.weight = rng.choice((0.0, 8.0, 25.0))


def _far_away(who: Identity, scene: Scene, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """Somebody small at the far end of the place: picture and mask."""
    picture = render(who, replace(scene, framing="full"), SIDE)
    side = round(SIDE * rng.uniform(0.22, 0.3))
    place = draw_place(scene, SIDE, random.Random(f"place {scene.jitter}"))
    small = Image.fromarray(picture.image).resize((side, side), Image.Resampling.BOX)
    cut = Image.fromarray(picture.mask.astype(np.uint8) * 255).resize((side, side))
    corner = (rng.randrange(SIDE // 4, SIDE // 2), SIDE - side)
    place.paste(small, corner, cut)
    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(cut, corner)
    return np.asarray(place), np.asarray(mask) > 127


def _spoil_caption(
    kind: str, draft: Draft, who: Identity, other: Identity, rng: random.Random
) -> None:
    del other
    caption = draft.caption
    called = f"{TRIGGER} person"
    if kind == "caption_missing":
        caption = ""
    elif kind == "trigger_missing":
        caption = caption.replace(called, "person")
    elif kind == "trigger_doubled":
        caption = f"{caption}, {TRIGGER}"
    elif kind == "trigger_misspelt":
        caption = caption.replace(TRIGGER, rng.choice((TRIGGER.upper(), "zxq", "zqxx", "zqc")))
    elif kind == "identity_words":
        words = identity_words(who)[:3]
        said = ", ".join(rng.sample(words, rng.randint(1, 3)))
        caption = caption.replace(called, f"{called}, {said}")
    elif kind == "boilerplate":
        opening = rng.choice(("The image shows", "This is a photo of", "In this picture,"))
        caption = f"{opening} {caption}"
    draft.caption = caption


def _again(draft: Draft, rng: random.Random) -> Draft:
    """The next picture of a burst: a little moved, closer and brighter, and compressed."""
    cut = [rng.randint(1, 4) for _ in range(4)]
    box = (cut[0], cut[1], SIDE - cut[2], SIDE - cut[3])
    moved = Image.fromarray(draft.image).crop(box).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    light = rng.uniform(0.94, 1.06)
    lit = moved.point(lambda level: min(255, round(level * light)))
    lit.save(file, "JPEG", quality=rng.randint(70, 90))
    mask = Image.fromarray(draft.mask.astype(np.uint8) * 255).crop(box).resize((SIDE, SIDE))
    return replace(
        draft,
        image=np.asarray(Image.open(file)),
        mask=np.asarray(mask) > 127,
        caption=f"{draft.caption}, once more",
        faults=set(),
    )
