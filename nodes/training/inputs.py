"""Inputs of the training options: the adapter, its course, and the room it is given."""

from __future__ import annotations

from comfy_api.latest import io

from ...engine.training.presets import MEMORIES, QUALITIES
from ...engine.training.settings import ADAPTERS, BASES, OPTIMIZERS, TARGETS


def preset_inputs() -> list[io.Input]:
    """Quality and memory."""
    return [
        io.Combo.Input(
            "quality",
            options=list(QUALITIES),
            default="custom",
            tooltip="Sets steps, resolutions and samples for the time you have; balanced suits "
            "most. What you change below wins over it.",
        ),
        io.Combo.Input(
            "memory",
            options=list(MEMORIES),
            default="as it is",
            tooltip="Fits the training to a graphics card: checkpointing, fp8 base, offloading, "
            "resolution. Choose what your card has.",
        ),
    ]


def adapter_inputs() -> list[io.Input]:
    """What is trained."""
    return [
        io.Combo.Input(
            "adapter",
            options=list(ADAPTERS),
            default="LoRA",
            tooltip="What is trained. LoRA is recommended and loads everywhere; DoRA is slower "
            "and a little closer; LoKr makes the smallest files.",
        ),
        io.Float.Input(
            "alpha",
            default=0.0,
            min=0.0,
            max=1024.0,
            step=1.0,
            advanced=True,
            tooltip="Scales the adapter by alpha over rank. 0, recommended, takes the rank, so "
            "that strength 1 is what was trained.",
        ),
        io.Combo.Input(
            "targets",
            options=list(TARGETS),
            default=TARGETS[0],
            advanced=True,
            tooltip="Which layers of each block are trained. All linear layers is recommended; "
            "attention alone learns less and bleeds less.",
        ),
        io.String.Input(
            "target_pattern",
            default="",
            advanced=True,
            tooltip="Layer names with * in place of any part, separated by commas; - in front "
            "leaves out. Recommended: empty.",
        ),
    ]


def course_inputs() -> list[io.Input]:
    """Optimizer, steps and learning rate."""
    return [
        io.Combo.Input(
            "optimizer",
            options=list(OPTIMIZERS),
            default="AdamW",
            tooltip="AdamW is recommended; AdamW 8-bit and Adafactor need less memory; Prodigy "
            "finds the learning rate itself.",
        ),
        io.Int.Input(
            "repeats",
            default=0,
            min=0,
            max=10_000,
            tooltip="How often each picture is seen in an epoch, when the trainer's steps are 0. "
            "0, recommended, lets the trainer decide.",
        ),
        io.Int.Input(
            "epochs",
            default=0,
            min=0,
            max=10_000,
            tooltip="Steps are pictures times repeats times epochs over the batch size. 0, "
            "recommended, lets the trainer decide.",
        ),
        io.Int.Input(
            "restarts",
            default=3,
            min=1,
            max=100,
            advanced=True,
            tooltip="How often the schedule 'cosine with restarts' starts anew; 3 is recommended.",
        ),
        io.Float.Input(
            "warmup",
            default=0.05,
            min=0.0,
            max=1.0,
            step=0.01,
            advanced=True,
            tooltip="Share of the steps in which the learning rate rises; 0.05 is recommended.",
        ),
        io.Float.Input(
            "weight_decay",
            default=0.01,
            min=0.0,
            max=1.0,
            step=0.001,
            round=0.0001,
            advanced=True,
            tooltip="Pulls the weights back towards nothing; 0.01 is recommended, 0.1 for Lion.",
        ),
        io.Float.Input(
            "clip",
            display_name="gradient_clip",
            default=1.0,
            min=0.01,
            max=1000.0,
            step=0.1,
            round=0.01,
            advanced=True,
            tooltip="The longest gradient that a step may follow; 1 is recommended.",
        ),
        io.Float.Input(
            "ema",
            default=0.99,
            min=0.0,
            max=0.9999,
            step=0.001,
            round=0.0001,
            advanced=True,
            tooltip="How slowly the saved weights follow the trained ones; 0.99 is recommended, "
            "0 saves them as they are.",
        ),
    ]


def memory_inputs() -> list[io.Input]:
    """What keeps the training small."""
    return [
        io.Combo.Input(
            "base",
            options=list(BASES),
            default=BASES[0],
            advanced=True,
            tooltip="Keeps the frozen weights in fp8 while training, half the memory of bf16; "
            "recommended below 24 GB for models of Flux's size.",
        ),
        io.Int.Input(
            "micro_batch",
            default=0,
            min=0,
            max=64,
            advanced=True,
            tooltip="Pictures computed at once; the result is the whole batch's. 0, recommended, "
            "takes all of them, 1 needs the least memory.",
        ),
        io.Float.Input(
            "vram",
            default=0.0,
            min=0.0,
            max=1024.0,
            step=0.5,
            advanced=True,
            tooltip="Gigabytes of the graphics card to stay within, the rest is streamed; 0, "
            "recommended, uses what is free.",
        ),
    ]
