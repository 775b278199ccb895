from facet.engine.scoring.evaluate import OFF
from facet.engine.scoring.report.material import MOST_COLUMNS, Material, short_name
from facet.engine.scoring.report.page import report_page


def test_of_many_loras_those_near_the_chosen_one_are_shown(make_full, character):
    evaluation = make_full(steps=range(1, 31), strengths=(0.5, 1.0, 1.5), count=2)
    of = Material(character, evaluation)
    off, *tried = of.columns
    assert off.label == OFF and len(tried) == MOST_COLUMNS
    assert any(one is of.card.best for one in tried)
    assert len({one.label for one in tried}) == MOST_COLUMNS
    order = [one.label for one in of.card.tried]
    assert [one.label for one in tried] == sorted((one.label for one in tried), key=order.index)


def test_few_loras_are_all_shown(material):
    assert material.columns == (material.card.off, *material.card.tried)


def test_the_picture_at_the_top_is_neither_the_best_nor_the_worst(material):
    off, on = material.middle
    likest = sorted(one.similarity for one in material.card.best.scenes)
    assert likest[0] < on.sample.similarity < likest[-1]
    assert off.sample.prompt == on.sample.prompt


def test_names_are_short(make_full):
    card = make_full(steps=(20,), strengths=(0.8,)).card
    assert short_name(card.best) == "step 20 \N{MULTIPLICATION SIGN} 0.8"
    assert short_name(card.off) == "without LoRA"


def test_hundreds_of_prompts_are_shown_in_part_and_that_is_said(make_full, character):
    page = report_page(character, make_full(steps=(1,), strengths=(1.0,), count=120))
    assert "The first 24 of 120 prompts." in page
    assert page.count("<img") < 120
