"""What the shooting nodes ask for and give."""

from __future__ import annotations

from comfy_api.latest import io

from ..common import sockets
from ..common.inputs import judge_input, panel_input, seed_input, studio_input


def shooting_inputs() -> list[io.Input]:
    """What makes the shots and what measures them."""
    return [
        studio_input("Makes the shots."),
        judge_input("Measures each shot: view, framing, people, similarity, pose."),
        seed_input(),
    ]


def decisions_input() -> io.Input:
    """The decisions of the grid; stands last, where the panel finds and hides it."""
    return panel_input(
        "decisions",
        "Decisions about single shots made in the grid, as JSON: pin includes a "
        "shot although a gate failed, drop leaves it out of the dataset, reroll "
        "makes another.",
    )


def shot_outputs() -> list[io.Output]:
    """What comes out where a plan was shot."""
    return [
        sockets.Character.Output("character", tooltip="The character with the shots added."),
        io.Image.Output("sheet", tooltip="All shots on one labelled sheet."),
        io.Image.Output("images", is_output_list=True, tooltip="The shots, one by one."),
    ]
