import csv
import io
import json
from dataclasses import replace

import pytest

from facet.engine.scoring.calibrate import share
from harness.variants import changed


@pytest.mark.parametrize(
    ("on", "sentence"),
    [
        (0.75, "It is the same character: use step 200 at strength 1."),
        (0.55, "Close to the character"),
        (0.35, "Only a resemblance"),
        (0.12, "does not show the character"),
    ],
)
def test_the_verdict_says_what_to_do(make_evaluation, on, sentence):
    assert sentence in make_evaluation(on=on, count=12).card.verdict


def test_pictures_of_somebody_else_are_counted_however_good_the_median_is(make_evaluation):
    card = make_evaluation(count=12).card
    lost = [replace(sample, score=0.1) for sample in card.best.samples[:3]]
    mixed = changed(card.best, samples=(*lost, *card.best.samples[3:]))
    verdict = replace(card, best=mixed).verdict
    assert verdict.startswith("It is the same character in 9 of 12 images: use step 200")
    assert replace(card, best=mixed).to_dict()["strangers"] == 3


def test_copies_and_wrong_views_are_said_beside_likeness_and_not_mixed_into_it(make_evaluation):
    clean, copying = (make_evaluation(count=12, copied=copied).card for copied in (0, 3))
    assert copying.best.identity == clean.best.identity
    assert "3 of 12 images reproduce a training image" in copying.verdict
    assert "reproduce" not in clean.verdict


def test_a_view_that_the_model_itself_does_not_follow_is_not_blamed_on_the_lora(make_evaluation):
    card = make_evaluation(count=12, faces=True).card
    never = changed(card.best, views=share([False] * 12))
    stiff = replace(card, best=never, off=changed(card.off, views=share([True] * 12)))
    assert "0% of images, and in 100% without LoRA: lower the strength" in stiff.verdict
    same = replace(card, best=never, off=changed(card.off, views=share([False] * 12)))
    assert "no more often without LoRA" in same.verdict


def test_an_interval_that_says_nothing_is_called_uncertain(make_evaluation):
    card = make_evaluation(count=12).card
    wide = changed(card.best, identity=replace(card.best.identity, low=-0.2, high=1.2))
    assert "The similarity is uncertain (-0.20 to 1.20)" in replace(card, best=wide).verdict
    assert "uncertain" not in card.verdict


def test_few_images_are_called_a_rough_estimate(make_evaluation):
    assert "a rough estimate" in make_evaluation(count=4).card.verdict
    assert "a rough estimate" not in make_evaluation(count=12).card.verdict


def test_an_encoder_that_knows_nobody_gives_no_number(make_evaluation):
    card = make_evaluation(on=0.5, off=0.5, own=0.5).card
    assert card.verdict.startswith("Similarity cannot be judged. The encoder cannot tell")
    assert card.best.identity.value is None
    assert all(row["score"] is None for row in card.rows())


def test_the_score_is_plain_json_with_the_verdict_first(make_evaluation):
    values = make_evaluation(count=5).card.to_dict()
    assert next(iter(values)) == "verdict"
    text = json.dumps(values, allow_nan=False)
    assert json.loads(text)["best"]["samples"][0]["prompt"]["tags"]["framing"] == "close_up"


def test_a_face_that_is_not_found_is_a_view_that_is_wrong(make_evaluation):
    evaluation = make_evaluation(count=10)
    turned = [sample for sample in evaluation.card.best.samples if sample.prompt.tags.yaw]
    assert turned and all(sample.right_view for sample in turned)
    front = [sample for sample in evaluation.card.best.samples if not sample.prompt.tags.yaw]
    assert front and not any(sample.right_view for sample in front)


def test_the_table_has_a_row_for_each_picture(make_evaluation):
    rows = make_evaluation(count=5).card.rows()
    assert len(rows) == 15
    table = io.StringIO()
    writer = csv.DictWriter(table, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    assert {row["condition"] for row in csv.DictReader(io.StringIO(table.getvalue()))} == {
        "LoRA off",
        "step 100 at strength 1",
        "step 200 at strength 1",
    }
