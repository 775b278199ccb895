"""Brackets in captions: plain text while it is trained, and named by the lint."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.engine.comfyui.sampling import encode_prompt, literal
from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.dataset.lint.captions import caption_findings
from facet.engine.dataset.lint.syntax import syntax_spans, without_syntax
from facet.engine.training.data.conditioning import encode_captions


def read_by_core(text: str) -> tuple[str, set[float]]:
    """What core's tokenizers make of ``text``: its letters, and the weights they have."""
    from comfy.sd1_clip import escape_important, token_weights, unescape_important

    parts = token_weights(escape_important(text), 1.0)
    return "".join(unescape_important(part) for part, _ in parts), {weight for _, weight in parts}


@settings(max_examples=200, deadline=None)
@given(st.text("ab ():1.3", max_size=20))
def test_core_reads_a_caption_letter_by_letter(caption):
    letters, weights = read_by_core(literal(caption))
    assert letters == caption and weights <= {1.0}


@pytest.mark.parametrize(
    ("caption", "letters"),
    [
        ("saber (fate), 1girl", "saber (fate), 1girl"),
        (r"saber \(fate\), 1girl", "saber (fate), 1girl"),
        ("(zqx:1.3) woman", "(zqx:1.3) woman"),
        ("zqx woman (", "zqx woman ("),
        ("zqx :)", "zqx :)"),
    ],
)
def test_a_name_in_brackets_is_the_same_however_it_was_escaped(caption, letters):
    assert read_by_core(literal(caption)) == (letters, {1.0})


def test_a_caption_is_encoded_as_its_escaped_self(demo_models):
    captions = ["zqx person (red)", r"zqx person \(red\)", "zqx person, red"]
    encoded = encode_captions(demo_models.clip, captions)
    one, other, plain = (encoded[caption]["cross_attn"] for caption in captions)
    ((expected, _),) = encode_prompt(demo_models.clip, captions[1])
    assert torch.equal(one, other) and torch.equal(one, expected)
    assert one.shape != plain.shape or not torch.equal(one, plain)


SYNTAX = [
    ("(zqx:1.3) woman", "zqx woman"),
    ("zqx woman, ((red hair))", "zqx woman, red hair"),
    ("zqx woman, {red|blue} dress", "zqx woman, red dress"),
    ("zqx woman, embedding:foo", "zqx woman"),
    ("zqx woman, <lora:zqx_v2:0.8>, smiling", "zqx woman, smiling"),
    ("zqx woman, __place__", "zqx woman"),
    ("zqx woman, [red:0.5]", "zqx woman, red"),
]
PLAIN = [
    "saber (fate), zqx",
    r"\(fate\)",
    "zqx, the clock (10:30)",
    "zqx :)",
    "zqx [red] coat",
    "a (b",
]


@pytest.mark.parametrize(("caption", "better"), SYNTAX)
def test_prompt_syntax_is_found_and_taken_out(caption, better):
    shot = Shot(torch.zeros(8, 8, 3), Provenance("original"), caption=caption)
    [finding] = [
        one
        for one in caption_findings(Character("Ada", "zqx", "woman", shot))
        if one.kind == "prompt_syntax"
    ]
    assert finding.fix.value == better and "which is prompt syntax" in finding.says


@pytest.mark.parametrize("caption", PLAIN)
def test_brackets_alone_are_no_syntax(caption):
    assert syntax_spans(caption) == [] and without_syntax(caption) == caption


@settings(max_examples=100, deadline=None)
@given(st.text("a(){}[]:|<>_1. ", max_size=25))
def test_taking_it_out_ends_and_leaves_none(caption):
    assert syntax_spans(without_syntax(caption)) == []
