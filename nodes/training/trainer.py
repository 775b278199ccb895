"""Training a LoRA of the character."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import folder_paths
from comfy_api.latest import io, ui

from ...engine.core.character import Character
from ...engine.store.files import contained
from ...engine.training.presets import merged
from ...engine.training.settings import PRECISIONS, SCHEDULES, SUBJECTS, TrainingSettings
from ..common import sockets
from ..common.folders import character_folder
from ..common.lora_files import lora_path
from .page import reported

if TYPE_CHECKING:
    from ...engine.training.loop import Trained

NAME = "Facet LoRA Trainer"


def loras_folder() -> Path:
    """Where finished LoRAs go, so that ComfyUI's own loaders list them."""
    return contained(Path(folder_paths.get_folder_paths("loras")[0]), "facet")


def summary(trained: Trained) -> str:
    """What came of the training, in a few lines for the node."""
    run = trained.run
    last = run.checkpoints[-1]
    saved = f"{len(run.checkpoints)} checkpoint{'s' * (len(run.checkpoints) > 1)}"
    lines = (
        trained.note,
        f"{run.name}: {last.step} steps, loss {last.loss:.4f}, {saved}.",
        run.choice if run.measures else "",
        f"LoRA: {trained.lora}",
    )
    return "\n".join(filter(None, lines))


class FacetLoraTrainer(io.ComfyNode):
    """Trains a LoRA on a character's pictures and captions."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FacetLoraTrainer",
            display_name=NAME,
            category="Facet/Training",
            description="Trains a LoRA of the character in the connected model, through ComfyUI's "
            "own modules and with exact gradients. Stop it when you like: what is done is kept, "
            "and the next run goes on from there.",
            search_aliases=["train lora", "fine-tune", "character lora", "dreambooth"],
            is_output_node=True,
            inputs=[
                io.Model.Input("model", tooltip="The diffusion model to train in; left as it is."),
                io.Clip.Input("clip", tooltip="The text encoder that belongs to the model."),
                io.Vae.Input("vae", tooltip="The VAE that belongs to the model."),
                sockets.Character.Input(
                    "character",
                    tooltip="The character, with a caption for each picture.",
                ),
                io.String.Input(
                    "run_name",
                    default="run",
                    tooltip="Names the run's folder and its files. The same name, pictures and "
                    "settings go on where they stopped; anything else under the name gets a "
                    "number.",
                ),
                io.Int.Input(
                    "steps",
                    default=0,
                    min=0,
                    max=100_000,
                    tooltip="Training steps; 0 takes 100 for each picture, from 800 to 2500.",
                ),
                io.Int.Input(
                    "rank",
                    default=16,
                    min=1,
                    max=256,
                    tooltip="Size of the LoRA. 8 to 32 suits a character.",
                ),
                io.Float.Input(
                    "learning_rate",
                    default=1e-4,
                    min=1e-6,
                    max=1e-1,
                    step=1e-6,
                    round=1e-7,
                    tooltip="How far each step goes. 1e-4 for large models, 3e-3 for the demo.",
                ),
                io.Int.Input(
                    "batch_size",
                    default=1,
                    min=1,
                    max=64,
                    tooltip="Pictures in each step, every one with its own caption.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    min=0,
                    max=0xFFFFFFFFFFFFFFFF,
                    # Without a word of ours the page would draw a new seed, and a new run, each
                    # time.
                    control_after_generate=io.ControlAfterGenerate.fixed,
                    tooltip="The same seed and inputs give the same LoRA.",
                ),
                io.Int.Input(
                    "checkpoint_every",
                    default=250,
                    min=0,
                    max=100_000,
                    advanced=True,
                    tooltip="Saves a LoRA after each so many steps; 0 only at the end.",
                ),
                io.Boolean.Input(
                    "gradient_checkpointing",
                    default=False,
                    advanced=True,
                    tooltip="Needs far less memory and a third more time; the result is the same.",
                ),
                io.Int.Input(
                    "resolution",
                    default=0,
                    min=0,
                    max=4096,
                    step=16,
                    advanced=True,
                    tooltip="Pictures are scaled down to the area of a square of this side, in "
                    "pixels; 0 takes the size most of them have, to 1024.",
                ),
                io.Combo.Input(
                    "schedule",
                    options=list(SCHEDULES),
                    default=SCHEDULES[0],
                    advanced=True,
                    tooltip="How the learning rate falls after a short rise.",
                ),
                io.Combo.Input(
                    "precision",
                    options=list(PRECISIONS),
                    default=PRECISIONS[0],
                    advanced=True,
                    tooltip="What the frozen model computes in. The LoRA itself is always fp32.",
                ),
                io.Combo.Input(
                    "subject",
                    options=list(SUBJECTS),
                    default=SUBJECTS[0],
                    advanced=True,
                    tooltip="Who the pictures show; written into the LoRA file.",
                ),
                sockets.TrainingOptions.Input(
                    "options",
                    optional=True,
                    tooltip="Finer settings, from Facet Training Options. What you change here "
                    "wins over them.",
                ),
                io.ClipVision.Input(
                    "clip_vision",
                    optional=True,
                    tooltip="Measures how alike the samples are to the source picture, so that "
                    "the best checkpoint is kept. DINOv2 or SigLIP is recommended.",
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
        model: Any,
        clip: Any,
        vae: Any,
        character: Character,
        run_name: str,
        options: dict[str, Any] | None = None,
        clip_vision: Any = None,
        **widgets: Any,
    ) -> io.NodeOutput:
        import torch

        from ...engine.dataset.lint import lint
        from ...engine.training.data.pictures import without_trigger
        from ...engine.training.files.folder import NotSaved
        from ...engine.training.files.formats import UnusableLora, read_lora
        from ...engine.training.loop import Extras, train
        from ...engine.training.objective.step import TrainingDiverged
        from ...engine.training.progress.control import STOP_REQUESTS

        lacking = without_trigger(character.dataset, *character.triggers)
        if lacking:
            raise ValueError(
                f"{NAME}: {len(lacking)} of {len(character.dataset)} captions lack the trigger "
                f"'{character.trigger}'. Run the Caption Writer or add it."
            )
        node_id = cls.hidden.unique_id
        # What was asked of an earlier run is not meant for this one.
        STOP_REQUESTS.take(node_id)
        try:
            settings = TrainingSettings(**merged(options or {}, widgets))
            with reported(node_id, cls.hidden.extra_pnginfo, run_name.strip()) as reporter:
                found = lint(character, clip_vision=clip_vision, resolution=settings.resolution)
                reporter.warn(found)
                trained = train(
                    model,
                    clip,
                    vae,
                    character,
                    settings,
                    character_folder(character, "training"),
                    run_name.strip(),
                    loras_folder(),
                    reporter,
                    Extras(
                        clip_vision=clip_vision,
                        start=lora_path(settings.continue_from, "continue_from")
                        if settings.continue_from
                        else None,
                        stop_requested=lambda: STOP_REQUESTS.take(node_id),
                    ),
                )
                reporter.end("finished", summary(trained), trained.run.folder)
        except (
            ValueError,
            ModuleNotFoundError,
            TrainingDiverged,
            UnusableLora,
            NotSaved,
            torch.OutOfMemoryError,
        ) as error:
            raise type(error)(f"{NAME}: {error}") from error
        return io.NodeOutput(
            read_lora(trained.lora),
            {"loss": list(trained.run.losses)},
            trained.run,
            str(trained.lora),
            ui=ui.PreviewText(f"{summary(trained)}\n\n{found.text()}"),
        )


NODES = [FacetLoraTrainer]
