"""What every node does with what ComfyUI lets pass, and with a disk that refuses."""

from __future__ import annotations

import errno
from typing import Any

import pytest
from comfy_api.latest import io

from facet.engine.core.errors import FacetError
from facet.nodes.common.node import OF_JSON, Node
from harness.prompts import AREAS

NODES = [node for area in AREAS for node in area.NODES]
SHOWN = [pytest.param(node, id=node.__name__) for node in NODES]


def inputs_of(node: type[io.ComfyNode], sockets: bool) -> list[io.Input]:
    return [
        one
        for one in node.define_schema().inputs
        if isinstance(one, io.WidgetInput) is not sockets
        and not one.rawLink
        and not one.get_io_type().startswith("COMFY_")
    ]


def given(node: type[io.ComfyNode], value: Any) -> Any:
    return [value] if node.define_schema().is_input_list else value


@pytest.mark.parametrize("node", SHOWN)
def test_every_node_of_the_pack_has_the_door(node: type[io.ComfyNode]) -> None:
    assert issubclass(node, Node)


@pytest.mark.parametrize("node", SHOWN)
@pytest.mark.parametrize("value", [None, 5, 0.5, True, "text", [], ["1"], {"a": 1}], ids=repr)
def test_a_constant_in_the_place_of_a_link_is_a_sentence(
    node: type[io.ComfyNode], value: Any
) -> None:
    name = node.define_schema().display_name
    for one in inputs_of(node, sockets=True):
        if one.get_io_type() in OF_JSON or (value is None and one.optional):
            continue
        with pytest.raises(FacetError) as raised:
            node.execute(**{one.id: given(node, value)})
        said = f"{name}: {one.id} is {value!r}; connect a node that gives a {one.get_io_type()}"
        assert str(raised.value) == f"{said} there."


@pytest.mark.parametrize("node", SHOWN)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_a_sentence(node: type[io.ComfyNode], value: float) -> None:
    for one in inputs_of(node, sockets=False):
        if one.get_io_type() == "FLOAT":
            with pytest.raises(FacetError, match=rf"{one.id} is {value}; give a number"):
                node.execute(**{one.id: given(node, value)})


class Refused(Node):
    @classmethod
    def define_schema(cls) -> io.Schema:
        inputs = [
            io.String.Input("text"),
            io.Int.Input("error"),
            io.Image.Input("image", optional=True),
            io.Combo.Input("file", options=[], optional=True),
        ]
        return io.Schema(node_id="Refused", display_name="Refused Node", inputs=inputs)

    @classmethod
    def execute(
        cls, text: str, error: int, image: Any = "left out", file: str = ""
    ) -> io.NodeOutput:
        if error:
            raise OSError(error, "the system's words", "/there/a.png")
        return io.NodeOutput(text, image, file)


@pytest.mark.parametrize(
    ("error", "todo"),
    [
        (errno.ENOSPC, "free some space"),
        (errno.ENAMETOOLONG, "give a shorter name"),
        (errno.EROFS, "change its rights"),
        (errno.EACCES, "change its rights"),
        (errno.EIO, "see that it is as it was"),
    ],
)
def test_a_disk_that_refuses_is_a_sentence(error: int, todo: str) -> None:
    with pytest.raises(FacetError) as raised:
        Refused.execute(text="a", error=error)
    assert str(raised.value) == (
        f"Refused Node: /there/a.png cannot be used (the system's words); {todo}, and run it again."
    )


def test_halves_of_letters_are_left_out() -> None:
    assert Refused.execute(text="a \ud83d b\U0001f600", error=0).args[0] == "a  b\U0001f600"


def test_the_name_of_a_file_is_taken_letter_by_letter() -> None:
    """On the disk it may be of bytes that are no text, and with accents apart."""
    for name in ("a\udcff.safetensors", "Zoe\u0308.safetensors"):
        assert Refused.execute(text="Zoe\u0308", error=0, file=name).args[::2] == (
            "Zoe\u0308",
            name,
        )


def test_null_for_what_may_be_left_out_leaves_it_out() -> None:
    assert Refused.execute(text="a", error=0, image=None).args[:2] == ("a", "left out")


def test_a_bug_stays_a_bug() -> None:
    with pytest.raises(TypeError):
        Refused.execute(text="a", error="b" + 1)  # type: ignore[operator]
