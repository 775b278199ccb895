"""A training setting as an input of a node."""

from __future__ import annotations

from typing import Any

from comfy_api.latest import io

from ...engine.training.settings import TRAINER, Setting, TrainingSettings, settings_of


def trainer_inputs() -> list[io.Input]:
    """The settings that stand on the trainer itself."""
    return [setting_input(one) for one in settings_of(TrainingSettings) if one.group == TRAINER]


def options_inputs(**choices: list[str]) -> list[io.Input]:
    """All other settings; ``choices`` are those of settings that only ComfyUI knows them of."""
    return [
        setting_input(one, choices.get(one.name))
        for one in settings_of(TrainingSettings)
        if one.group != TRAINER
    ]


def setting_input(setting: Setting, choices: list[str] | None = None) -> io.Input:
    """The widget of a setting, with ``choices`` to choose from in place of its own."""
    stated: dict[str, Any] = {
        "id": setting.name,
        "default": setting.default,
        "tooltip": setting.help,
        "optional": setting.optional,
        "advanced": setting.advanced or None,
        "display_name": setting.label or None,
    }
    if choices:
        return io.Combo.Input(**(stated | {"options": choices, "default": choices[0]}))
    if setting.choices:
        return io.Combo.Input(**stated, options=list(setting.choices))
    if isinstance(setting.default, bool):
        return io.Boolean.Input(**stated)
    if isinstance(setting.default, str):
        return io.String.Input(**stated, multiline=setting.multiline)
    stated |= {"min": setting.low, "max": setting.high, "step": setting.step}
    if isinstance(setting.default, float):
        return io.Float.Input(**stated, round=setting.round_to)
    if setting.name == "seed":
        # Without a word of ours the page would draw a new seed, and a new run, each time.
        stated["control_after_generate"] = io.ControlAfterGenerate.fixed
    return io.Int.Input(**stated)
