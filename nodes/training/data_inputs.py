"""Inputs of the training options: pictures, loss, and what is looked at on the way."""

from __future__ import annotations

from comfy_api.latest import io

from ...engine.training.settings import CACHES, LOSS_WEIGHTINGS, TIMESTEPS

NOTHING = "none"


def data_inputs() -> list[io.Input]:
    """Resolutions, masks, priors and caches."""
    return [
        io.String.Input(
            "resolutions",
            default="",
            tooltip="Trains at several sizes, such as 512, 768, 1024, which is recommended for "
            "large models; empty takes the trainer's resolution.",
        ),
        io.Boolean.Input(
            "flip",
            default=False,
            tooltip="Mirrored pictures too. Off is recommended: faces are not symmetric.",
        ),
        io.Float.Input(
            "caption_dropout",
            default=0.05,
            min=0.0,
            max=1.0,
            step=0.01,
            advanced=True,
            tooltip="Share of samples that see an empty caption; 0.05 is recommended.",
        ),
        io.Combo.Input(
            "cache",
            options=list(CACHES),
            default=CACHES[0],
            advanced=True,
            tooltip="Where encoded pictures and captions wait; memory is recommended, disk also "
            "spares the next run the encoding.",
        ),
        io.Boolean.Input(
            "masked_loss",
            default=False,
            tooltip="Learns only inside each shot's mask; recommended when shots have masks and "
            "the background bleeds in.",
        ),
        io.Float.Input(
            "mask_outside",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.05,
            advanced=True,
            tooltip="How much the outside of the mask counts in the masked loss; 0 to 0.1 is "
            "recommended.",
        ),
        io.Float.Input(
            "prior_outside",
            default=0.0,
            min=0.0,
            max=10.0,
            step=0.1,
            advanced=True,
            tooltip="Keeps what the untrained model makes outside of the mask; 0.5 is recommended "
            "with masks, at a third more time.",
        ),
        io.Float.Input(
            "prior_class",
            default=0.0,
            min=0.0,
            max=10.0,
            step=0.1,
            tooltip="Keeps what the class word means without the trigger, with no extra pictures; "
            "0.5 is recommended when everybody turns into the character.",
        ),
        io.Float.Input(
            "generated_from",
            default=0.0,
            min=0.0,
            max=1.0,
            step=0.05,
            advanced=True,
            tooltip="The least noise that generated shots are trained at, 0 clean to 1 noise "
            "alone; 0 is recommended, 0.3 when their fine detail is wrong.",
        ),
        io.Float.Input(
            "generated_to",
            default=1.0,
            min=0.0,
            max=1.0,
            step=0.05,
            advanced=True,
            tooltip="The most noise that generated shots are trained at; 1 is recommended.",
        ),
    ]


def loss_inputs() -> list[io.Input]:
    """Noise levels and their weights."""
    return [
        io.Combo.Input(
            "timesteps",
            options=list(TIMESTEPS),
            default=TIMESTEPS[0],
            advanced=True,
            tooltip="How much noise is drawn; auto, recommended, takes what suits the model.",
        ),
        io.Float.Input(
            "timestep_shift",
            default=1.0,
            min=0.1,
            max=20.0,
            step=0.1,
            advanced=True,
            tooltip="Above 1 for more noise, and so for form over detail. 1, recommended, leaves "
            "it to timesteps: 3 with 'auto', the model's own with 'shift'.",
        ),
        io.Float.Input(
            "guidance",
            default=1.0,
            min=0.0,
            max=20.0,
            step=0.1,
            advanced=True,
            tooltip="The guidance that a distilled model such as Flux dev is told while it is "
            "trained; 1 is recommended.",
        ),
        io.Combo.Input(
            "loss_weighting",
            options=list(LOSS_WEIGHTINGS),
            default=LOSS_WEIGHTINGS[0],
            advanced=True,
            tooltip="Weighs noise levels for SD1.5 and SDXL; min-SNR is recommended there, none "
            "elsewhere.",
        ),
        io.Float.Input(
            "snr_gamma",
            default=5.0,
            min=0.1,
            max=100.0,
            step=0.5,
            advanced=True,
            tooltip="The bound of min-SNR; 5 is recommended.",
        ),
    ]


def watching_inputs(loras: list[str]) -> list[io.Input]:
    """Validation, samples, the end and the start; ``loras`` can be started from."""
    return [
        io.Int.Input(
            "validation_shots",
            default=0,
            min=0,
            max=100,
            tooltip="Pictures that are held out to measure the loss on; 1 or 2 of 20 are "
            "recommended, 0 with fewer than 10.",
        ),
        io.Int.Input(
            "validate_every",
            default=0,
            min=0,
            max=100_000,
            advanced=True,
            tooltip="Steps between two such measurements; 0, recommended, makes one at each "
            "checkpoint.",
        ),
        io.Int.Input(
            "sample_every",
            default=0,
            min=0,
            max=100_000,
            tooltip="Steps between two sample pictures; 250 is recommended, 0 makes none.",
        ),
        io.String.Input(
            "sample_prompts",
            default="",
            multiline=True,
            tooltip="One prompt a line for the samples; [trigger] and [class] are replaced. Empty, "
            "recommended, takes Facet's own.",
        ),
        io.Int.Input(
            "patience",
            default=0,
            min=0,
            max=1000,
            tooltip="Stops after so many checkpoints without a better one; 3 is recommended with "
            "clip_vision on the trainer, 0 never stops.",
        ),
        io.Combo.Input(
            "continue_from",
            options=[NOTHING, *loras],
            default=NOTHING,
            advanced=True,
            tooltip="A LoRA to start from in place of nothing; none is recommended. Kohya's, "
            "diffusers' and PEFT's files are read.",
        ),
    ]


def text_encoder_inputs() -> list[io.Input]:
    """Whether the text encoder learns along."""
    return [
        io.Boolean.Input(
            "text_encoder",
            default=False,
            optional=True,
            advanced=True,
            tooltip="Trains CLIP-L, CLIP-G or CLIP-H too, of SD1.5, SDXL, SD3 and Flux. Off is "
            "recommended; T5 and language models stay as they are.",
        ),
        io.Float.Input(
            "text_encoder_rate",
            default=5e-5,
            min=1e-7,
            max=1e-1,
            step=1e-6,
            round=1e-8,
            optional=True,
            advanced=True,
            tooltip="The text encoder's own learning rate; half of the model's is recommended, "
            "or less.",
        ),
    ]


def sample_inputs() -> list[io.Input]:
    """How the sample pictures are made."""
    return [
        io.Int.Input(
            "sample_steps",
            default=20,
            min=1,
            max=200,
            optional=True,
            advanced=True,
            tooltip="Steps of each sample picture; 20 is recommended, 4 to 8 for turbo models.",
        ),
        io.Float.Input(
            "sample_cfg",
            default=0.0,
            min=0.0,
            max=30.0,
            step=0.1,
            optional=True,
            advanced=True,
            tooltip="CFG of the sample pictures. 0, recommended, takes what suits the model: 1 for "
            "Flux dev, 3 for other flow models, 6 for SD1.5 and SDXL.",
        ),
    ]
