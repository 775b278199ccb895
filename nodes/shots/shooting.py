"""What every shooting node asks for, and the shooting itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from comfy_api.latest import io

from ...engine.comfyui.sampling import Sampling
from ...engine.core.character import Character, Shot
from ...engine.families.dialects import AUTO, dialect_for
from ...engine.families.modes import ReferenceMode, resolve_mode
from ...engine.generate.shots.accept import Gates
from ...engine.generate.shots.decisions import parse_decisions
from ...engine.generate.shots.make import Shoot, Studio
from ...engine.generate.shots.options import rules_from, settings, thresholds_from
from ...engine.generate.shots.plan import ShotPlan
from ...engine.generate.shots.sheet import draw_sheet
from ...engine.generate.shots.store import ShotStore
from ...engine.store.files import write_atomic
from ...engine.store.images import image_bytes
from ...engine.vision.pose import PoseModel
from ..common import sockets
from ..common.folders import character_folder
from ..common.inputs import (
    face_detection_input,
    model_inputs,
    negative_input,
    sampling_from,
    sampling_inputs,
)
from .page import Reporter, reported
from .reference_inputs import custom_sampling, reference_inputs, reference_pictures


def studio_inputs() -> list[io.Input]:
    """Everything that shooting nodes need besides what they shoot."""
    return [
        *model_inputs(),
        io.Combo.Input(
            "reference_mode",
            options=ReferenceMode,
            default=ReferenceMode.AUTO,
            tooltip="How the model is shown the original: reference_latents for edit models "
            "(Kontext, Flux2, the demo), qwen_edit for Qwen-Image-Edit, img2img for any model, "
            "patched_model when IP-Adapter or PuLID is already applied, trained_lora when the "
            "character's own LoRA is. Auto asks when it cannot be sure.",
        ),
        *sampling_inputs(),
        face_detection_input("the view is not checked"),
        io.ClipVision.Input(
            "clip_vision",
            optional=True,
            tooltip="Measures how alike each shot is to the original. Without it nobody checks.",
        ),
        io.Int.Input(
            "tries",
            default=3,
            min=1,
            max=10,
            optional=True,
            advanced=True,
            tooltip="How often a shot is tried until it passes; the best try is kept.",
        ),
        io.Float.Input(
            "max_yaw_error",
            default=12.0,
            min=1.0,
            max=90.0,
            step=1.0,
            optional=True,
            advanced=True,
            tooltip="How far the face may be turned from the view asked for, in degrees.",
        ),
        io.Float.Input(
            "min_identity",
            default=0.5,
            min=-1.0,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="How alike a shot has to be: cosine of the CLIP_VISION embeddings. About 0.5 "
            "for the demo encoder, 0.6 for DINOv2, 0.8 for CLIP and SigLIP.",
        ),
        negative_input(),
        io.Float.Input(
            "denoise",
            default=0.75,
            min=0.05,
            max=1.0,
            step=0.01,
            optional=True,
            advanced=True,
            tooltip="With img2img: how far a shot may move from the original.",
        ),
    ]


def later_inputs() -> list[io.Input]:
    """What came later, and so stands last in every shooting node, in the order it came in."""
    return [likeness_input(), options_input(), *reference_inputs(), decisions_input()]


def shot_outputs() -> list[io.Output]:
    """What comes out where a plan was shot."""
    return [
        sockets.Character.Output("character", tooltip="The character with the shots added."),
        io.Image.Output("sheet", tooltip="All shots on one labelled sheet."),
        io.Image.Output("images", is_output_list=True, tooltip="The shots, one by one."),
    ]


def likeness_input() -> io.Input:
    """Whether classifier-free guidance strengthens the likeness too."""
    return io.Boolean.Input(
        "strengthen_likeness",
        default=False,
        optional=True,
        advanced=True,
        tooltip="CFG strengthens the likeness along with the words: the negative does not see the "
        "original. For edit models that use a cfg above 1, such as the demo's.",
    )


def options_input() -> io.Input:
    """Where the gates and retries are set finer."""
    return sockets.ShotOptions.Input(
        "options",
        optional=True,
        tooltip="Every threshold and rule of the retries, from Facet Shot Options. What is changed "
        "on this node wins.",
    )


def decisions_input() -> io.Input:
    """What the grid in the node keeps: the last widget of the shooting nodes, hidden by it."""
    return io.String.Input(
        "decisions",
        default="",
        optional=True,
        advanced=True,
        dynamic_prompts=False,
        socketless=True,
        extra_dict={"hidden": True},
        tooltip="What was decided about single shots in the grid, as JSON: pin keeps one although "
        "a gate failed, drop leaves it out of the dataset, reroll makes another.",
    )


def retouching_studio(
    model: Any, clip: Any, vae: Any, mode: str, negative: str, sampling: Mapping[str, Any]
) -> Studio | None:
    """The studio that makes parts of pictures anew; None without a model.

    sampling: the values of the sampling widgets but for the size; what is missing has its default.
    Raises ValueError when a model comes without what belongs to it.
    """
    if model is None:
        return None
    missing = [name for name, part in (("clip", clip), ("vae", vae)) if part is None]
    if missing:
        raise ValueError(
            f"A model is connected without {' and '.join(missing)}; connect what belongs to it."
        )
    given: dict[str, Any] = {
        "steps": 20,
        "cfg": 3.0,
        "sampler_name": "euler",
        "scheduler": "simple",
        **sampling,
    }
    guidance = given.pop("guidance", 0.0) or None
    chosen = ReferenceMode(mode)
    if chosen is not ReferenceMode.IMG2IMG:
        chosen = resolve_mode(chosen, model)
    return Studio(
        model, clip, vae, Sampling(64, 64, **given, guidance=guidance), chosen, negative.strip()
    )


def shoot(
    node: type[io.ComfyNode],
    character: Character,
    plan: ShotPlan,
    file: str,
    *,
    model: Any,
    clip: Any,
    vae: Any,
    reference_mode: str,
    seed: int,
    face_detection_model: Any = None,
    clip_vision: Any = None,
    tries: int = 3,
    max_yaw_error: float = 12.0,
    min_identity: float = 0.5,
    negative: str = "",
    denoise: float = 0.75,
    strengthen_likeness: bool = False,
    options: Mapping[str, Any] | None = None,
    sampler: Any = None,
    sigmas: Any = None,
    references: Any = None,
    prompt_style: str = AUTO,
    decisions: str = "",
    pose_model: PoseModel | None = None,
    kind: Callable[..., Shoot] = Shoot,
    **sampling_widgets: Any,
) -> io.NodeOutput:
    """Makes the shots of ``plan`` for ``node``, which shows each as it comes.

    ``file``: what the sheet is called on the disk. ``kind``: makes the shoot.
    """
    custom = custom_sampling(sampler, sigmas)
    with said_by(node):
        decided = parse_decisions(decisions)
        mode = resolve_mode(ReferenceMode(reference_mode), model)
        dialect = dialect_for(prompt_style, model, mode.value)
        sampling = sampling_from(character, pixels=dialect.pixels, **sampling_widgets)
    studio = Studio(
        model,
        clip,
        vae,
        sampling,
        mode,
        negative.strip(),
        denoise,
        strengthen_likeness,
        reference_pictures(references),
        prompt_style,
        custom,
    )
    own = {"tries": tries, "max_yaw_error": max_yaw_error, "min_identity": min_identity}
    chosen = settings(options, own)
    gates = Gates(
        character.source.image,
        thresholds_from(chosen),
        face_detection_model,
        clip_vision,
        chosen.get("person_detector"),
        pose_model,
    )
    with said_by(node):
        shooting = kind(character, studio, gates, seed, rules=rules_from(chosen))
    with reported(node, character, plan, decided) as page:
        page.prepare(model, custom.steps(sampling) if custom else sampling.steps)
        shots = shooting.run(plan, ShotStore(page.grid.folder), page, page.step, decided)
        return finished(character, shots, file, page)


@contextmanager
def said_by(node: type[io.ComfyNode]) -> Iterator[None]:
    """Puts the node's name before what is wrong with what it was given."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{node.define_schema().display_name}: {error}") from error


def finished(character: Character, shots: list[Shot], file: str, page: Reporter) -> io.NodeOutput:
    """The outputs of both shooting nodes: the character, the sheet (saved), the pictures."""
    sheet: torch.Tensor = draw_sheet(character, shots)[None]
    page.grid.sheet = character_folder(character, file)
    write_atomic(page.grid.sheet, image_bytes(sheet[0]))
    page.end("finished")
    return io.NodeOutput(
        character.adding(shots),
        sheet,
        [shot.image[None] for shot in shots],
        ui={"facet_shots": [page.grid.view()]},
    )
