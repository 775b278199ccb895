import pytest
import torch

from facet.engine.captions.policy import CaptionPolicy, PolicyKind, tidy
from facet.engine.core.character import Character, Provenance, Shot, Tags

TAGS = Tags("close_up", "front", "smile", "waving", "a red coat", "in a park", "warm")


def picture(tags: Tags, value: float = 0.5) -> Shot:
    return Shot(torch.full((16, 16, 3), value), Provenance("generated"), tags=tags)


def character(tags: Tags = TAGS) -> Character:
    return Character("Ada", "zqx", "person", picture(tags))


def caption(policy: CaptionPolicy, tags: Tags = TAGS) -> str:
    who = character(tags)
    return policy.caption(who, who.source)


def test_bind_to_trigger_names_what_may_change_and_nothing_else():
    assert caption(CaptionPolicy()) == (
        "zqx person, close-up, front view, smiling, wearing a red coat, in a park, warm light"
    )


def test_what_is_not_known_is_not_said():
    assert caption(CaptionPolicy(), Tags()) == "zqx person"


def test_trigger_only_says_no_more():
    assert caption(CaptionPolicy(PolicyKind.TRIGGER_ONLY)) == "zqx person"


def test_describe_identity_puts_the_description_after_the_trigger():
    policy = CaptionPolicy(PolicyKind.DESCRIBE_IDENTITY, description=" a woman with red hair\n")
    assert caption(policy).startswith("zqx person, a woman with red hair, close-up, front view")


def test_a_template_says_single_facts_and_closes_the_gaps():
    template = "{background}, {trigger} the {class_word}, {outfit}, {details}, {view}"
    policy = CaptionPolicy(PolicyKind.TEMPLATE, template=template)
    assert caption(policy) == "in a park, zqx the person, wearing a red coat, front view"


def test_braces_in_free_text_stay_text():
    tags = Tags(outfit="a {trigger} shirt")
    assert caption(CaptionPolicy(), tags) == "zqx person, wearing a {trigger} shirt"


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ({"kind": PolicyKind.DESCRIBE_IDENTITY}, "needs a description"),
        ({"kind": PolicyKind.TEMPLATE, "template": "{tags}"}, "exactly once"),
        ({"kind": PolicyKind.TEMPLATE, "template": "{trigger} {mood}"}, r"unknown field \{mood\}"),
        ({"kind": PolicyKind.TEMPLATE, "template": "{trigger.__class__}"}, "unknown field"),
    ],
)
def test_a_policy_that_cannot_work_is_refused(policy, sentence):
    with pytest.raises(ValueError, match=sentence):
        CaptionPolicy(**policy)


def test_tidy_leaves_one_line():
    assert tidy(" a ,, b\n c ,") == "a, b c"
