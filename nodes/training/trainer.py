"""Training a LoRA of the character."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from comfy_api.latest import io, ui

from ...engine.core.character import Character
from ...engine.core.errors import FacetError
from ...engine.families.modes import TAKES_SEVERAL, mode_of
from ...engine.families.table import family_of, has_adapter, is_distilled, model_file
from ...engine.store.files import contained
from ...engine.store.home import home_of
from ...engine.studio.judge import Judge
from ...engine.studio.studio import Studio
from ...engine.training.presets import merged
from ...engine.training.settings import TrainingSettings
from ..common import sockets
from ..common.folders import characters_folder
from ..common.inputs import judge_input, studio_input
from ..common.lora_files import lora_path, why_there, writable_lora_folder
from ..common.node import Node
from .inputs import trainer_inputs
from .page import reported

if TYPE_CHECKING:
    from ...engine.training.run import TrainedLora

NAME = "Facet LoRA Trainer"


def summary(trained: TrainedLora) -> str:
    """What came of the training, in a few lines for the node."""
    run = trained.run
    last = run.checkpoints[-1]
    saved = f"{len(run.checkpoints)} checkpoint{'s' * (len(run.checkpoints) > 1)}"
    lines = (
        trained.note,
        f"{run.name}: {last.step} steps, loss {last.loss:.4f}, {saved}.",
        run.choice if run.measures else "",
        f"LoRA: {trained.lora}",
        why_there(trained.lora),
    )
    return "\n".join(filter(None, lines))


def what_it_learns(studio: Studio) -> str:
    """What to know of a LoRA that is trained in a model that edits; '' for any other."""
    mode = mode_of(studio.mode, studio.model)
    if mode is None or mode not in TAKES_SEVERAL or family_of(studio.model).always_edits:
        return ""
    return (
        f"The studio's model edits images (reference_mode {mode.value}), and the LoRA is trained "
        "on captions alone: it learns to draw the character by the trigger, not to edit."
    )


def what_it_loses(studio: Studio) -> str:
    """What to know of a LoRA that is trained in a distilled model; '' for any other."""
    if not is_distilled(studio.model):
        return ""
    known = family_of(studio.model)
    which = model_file(studio.model) or known.label
    if has_adapter(studio.model):
        return (
            f"{which} is distilled; the LoRA on it is taken for a training adapter, and samples "
            "are made without it."
        )
    instead = known.train_instead or "its base model"
    return (
        f"{which} is distilled: trained in it, the LoRA comes out soft and the model loses its few "
        f"steps. Train in {instead}, and connect this one to look_through."
    )


class FacetLoraTrainer(Node):
    """Trains a LoRA on a character's images and captions."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetLoraTrainer",
            display_name=NAME,
            category="Facet/Training",
            description="Trains a LoRA of the character in the connected model, through ComfyUI's "
            "own modules and with exact gradients. Stop it when you like: what is done is kept, "
            "and the next run resumes from there.",
            search_aliases=["train lora", "fine-tune", "character lora", "dreambooth"],
            is_output_node=True,
            inputs=[
                sockets.Character.Input(
                    "character", tooltip="The character, with a caption for each image."
                ),
                studio_input(
                    "The models to train in, which are not changed: a base, RAW or de-distilled "
                    "checkpoint. Turbo and other distilled ones train badly."
                ),
                sockets.Studio.Input(
                    "look_through",
                    optional=True,
                    tooltip="Where the LoRA will be used, such as the Turbo of the same model: "
                    "samples are made in it, and the best checkpoint is chosen by them. If not "
                    "connected, samples are made in the studio that is trained in.",
                ),
                judge_input(
                    "Measures with its CLIP_VISION how similar the samples are to the original, "
                    "so that the best checkpoint is kept."
                ),
                io.String.Input(
                    "run_name",
                    default="run",
                    tooltip="Names the run's folder and files. With the same name, images and "
                    "settings a run resumes; anything else under the name gets a number.",
                ),
                *trainer_inputs(),
                sockets.TrainingOptions.Input(
                    "options",
                    optional=True,
                    tooltip="Finer settings, from Facet Training Options. What you change here "
                    "wins over them.",
                ),
            ],
            outputs=[
                io.LoraModel.Output(
                    "lora", tooltip="The finished LoRA, for Load LoRA Model and Save LoRA Weights."
                ),
                io.LossMap.Output("loss_map", tooltip="Each step's loss, for Plot Loss Graph."),
                sockets.Run.Output("run", tooltip="The run with all its checkpoints, to score."),
                io.String.Output("path", tooltip="Where the finished LoRA is."),
            ],
            hidden=[io.Hidden.unique_id, io.Hidden.extra_pnginfo],
        )

    @classmethod
    def execute(
        cls,
        character: Character,
        studio: Studio,
        run_name: str,
        look_through: Studio | None = None,
        judge: Judge | None = None,
        options: dict[str, Any] | None = None,
        **widgets: Any,
    ) -> io.NodeOutput:
        import torch

        from ...engine.comfyui.lora import read_weights
        from ...engine.dataset.layouts import names_of
        from ...engine.dataset.lint import lint
        from ...engine.dataset.lint.lines import report_lines
        from ...engine.training.data.pictures import without_trigger
        from ...engine.training.progress.events import RUN_REQUESTS
        from ...engine.training.run import Extras, train

        lacking = without_trigger(character.dataset, *character.triggers)
        if lacking:
            raise FacetError(
                f"{len(lacking)} of {len(character.dataset)} captions lack the trigger "
                f"'{character.trigger}'. Run the Caption Writer or add it."
            )
        node_id = cls.hidden.unique_id
        clip_vision = None if judge is None else judge.clip_vision
        # What was asked of an earlier run is not meant for this one.
        RUN_REQUESTS.forget(node_id)
        try:
            settings = TrainingSettings(**merged(options or {}, widgets))
            home = home_of(characters_folder(), character)
            with reported(node_id, cls.hidden.extra_pnginfo, run_name.strip()) as reporter:
                reporter.note(what_it_loses(studio))
                found = lint(character, clip_vision=clip_vision, resolution=settings.resolution)
                reporter.warn(found)
                trained = train(
                    studio.model,
                    studio.clip,
                    studio.vae,
                    character,
                    settings,
                    contained(home.folder, "training"),
                    run_name.strip(),
                    contained(writable_lora_folder(), home.folder.name),
                    reporter,
                    Extras(
                        clip_vision=clip_vision,
                        start=lora_path(settings.continue_from, "continue_from")
                        if settings.continue_from
                        else None,
                        samples=look_through or studio,
                        asked=partial(RUN_REQUESTS.take, node_id),
                        tell=lambda text: reporter.note(f"{what_it_loses(studio)} {text}".strip()),
                    ),
                )
                reporter.end("finished", summary(trained), trained.run.folder)
        except (ModuleNotFoundError, torch.OutOfMemoryError) as error:
            raise type(error)(f"{NAME}: {error}") from error
        known = (home.note, what_it_loses(studio), what_it_learns(studio))
        told = filter(None, (summary(trained), *known))
        return io.NodeOutput(
            read_weights(trained.lora),
            {"loss": list(trained.run.losses)},
            trained.run,
            str(trained.lora),
            ui=ui.PreviewText("\n".join([*told, "", *report_lines(found, names_of(character))])),
        )


NODES = [FacetLoraTrainer]
