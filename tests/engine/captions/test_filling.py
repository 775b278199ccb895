import json
from dataclasses import dataclass, field

import pytest
import torch

from facet.engine.captions import vision_folder
from facet.engine.captions.filling import Filling
from facet.engine.captions.vision import FILE, PIXELS, Memory, shown
from facet.engine.captions.vision_folder import FolderVisionModel
from facet.engine.captions.words import language
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.store.files import write_json_atomic

ENGLISH = language("en")


@dataclass
class Answers:
    """Says what it was given for a word of the question, and counts how often it is asked."""

    said: dict[str, str]
    describes: bool = False
    name: str = "Answers"
    licence: str = "mit"
    digest: str = "answers"
    asked: list[str] = field(default_factory=list)

    def say(self, image: torch.Tensor, question: str) -> str:
        self.asked.append(question)
        return next((text for word, text in self.said.items() if word in question), "")


def shot(value: float, **fields) -> Shot:
    return Shot(torch.full((16, 16, 3), value), Provenance("generated"), **fields)


@pytest.fixture
def character() -> Character:
    shots = (shot(0.2, tags=Tags(background="in a park")), shot(0.4, tags=Tags(view="back")))
    return Character("Ada", "zqx", "person", shot(0.0), shots)


def fill(character, model, folder, axes=("background",), pictures=None, steps=None, **options):
    wanted = {one.hash for one in character.pictures} if pictures is None else pictures
    filling = Filling(model, axes, ENGLISH, **options)
    told = [] if steps is None else steps
    return filling.fill(character, wanted, Memory(folder), lambda *done: told.append(done))


def test_a_model_is_asked_only_about_what_is_not_known(character, tmp_path):
    model = Answers({"Where": "The image shows a beach."})
    steps = []
    filled, report = fill(character, model, tmp_path, steps=steps)
    places = [one.tags.background for one in filled.pictures]
    assert places == ["a beach", "in a park", "a beach"]
    assert len(model.asked) == 2
    assert steps == [(0, 2), (1, 2), (2, 2)]
    assert report.lines() == [
        "Tagged by Answers. Its licence: mit.",
        "  background: found in 2 of 2 images where it was not known",
    ]


def test_the_character_that_came_in_is_left_alone(character, tmp_path):
    fill(character, Answers({"Where": "a beach"}), tmp_path)
    assert character.source.tags == Tags()


def test_a_rerun_asks_nothing_even_when_pictures_are_in_another_order(character, tmp_path):
    fill(character, Answers({"Where": "a beach"}), tmp_path)
    again = Answers({"Where": "a forest"})
    turned = Character("Ada", "zqx", "person", character.shots[1], (character.source,))
    filled, _ = fill(turned, again, tmp_path)
    assert again.asked == []
    assert filled.source.tags.background == "a beach"


def test_another_model_and_another_question_are_asked_anew(character, tmp_path):
    fill(character, Answers({"Where": "a beach"}), tmp_path)
    other = Answers({"Where": "a forest"}, digest="other")
    filled, _ = fill(character, other, tmp_path)
    assert filled.source.tags.background == "a forest"
    model = Answers({"lit": "Warm light."})
    fill(character, model, tmp_path, axes=("background", "lighting"))
    assert len(model.asked) == 3


def test_pictures_that_keep_their_caption_are_not_looked_at(character, tmp_path):
    model = Answers({"Where": "a beach"})
    filled, report = fill(character, model, tmp_path, pictures=set())
    assert model.asked == [] and filled.source.tags == Tags()
    assert report.lines()[-1] == "  Nothing to ask: everything in 'fill' was known."


def test_an_answer_that_says_nothing_leaves_the_tag_empty_and_is_counted(character, tmp_path):
    filled, report = fill(character, Answers({"Where": "I cannot tell."}), tmp_path)
    assert filled.source.tags == Tags()
    assert "background: found in 0 of 2" in report.lines()[1]


def test_once_it_turns_out_to_be_a_back_view_no_expression_is_asked_for(character, tmp_path):
    model = Answers({"side": "Back view.", "expression": "smiling"})
    filled, _ = fill(character, model, tmp_path, axes=("view", "expression"))
    assert filled.source.tags == Tags(view="back")
    assert all("expression" not in asked for asked in model.asked)


def test_who_it_is_is_said_only_where_it_is_to_be(character, tmp_path):
    model = Answers({"clothes": "a red coat and blonde hair, zqx style"})
    bound, _ = fill(character, model, tmp_path, axes=("outfit",))
    assert bound.source.tags.outfit == "a red coat, style"
    told, _ = fill(character, model, tmp_path, axes=("outfit",), identity=True)
    assert told.source.tags.outfit == "a red coat and blonde hair, style"


def test_a_model_that_describes_is_asked_once_and_read_for_all(character, tmp_path):
    model = Answers({"": "a woman wearing a red dress in a park. Warm light."}, describes=True)
    filled, _ = fill(character, model, tmp_path, axes=("outfit", "background", "lighting"))
    assert filled.source.tags == Tags(outfit="a red dress", background="in a park", lighting="warm")
    assert len(model.asked) == 3


class Cancelled(Exception):
    pass


def test_a_cancelled_run_keeps_the_answers_so_far(character, tmp_path):
    def step(done, total):
        if done == 1:
            raise Cancelled

    filling = Filling(Answers({"Where": "a beach"}), ("background",), ENGLISH)
    wanted = {one.hash for one in character.pictures}
    with pytest.raises(Cancelled):
        filling.fill(character, wanted, Memory(tmp_path), step)
    assert list(json.loads((tmp_path / FILE).read_text())) == [character.source.hash]


@pytest.mark.parametrize("held", ["{", "[]", '{"a": 1}', '{"a": {"b": 2}}'])
def test_a_damaged_file_of_answers_is_named(tmp_path, held):
    (tmp_path / FILE).write_text(held)
    with pytest.raises(ValueError, match=r"cannot be read .*delete it"):
        Memory(tmp_path)


def test_what_was_learnt_is_written_now_and_then_and_at_the_end(tmp_path):
    memory = Memory(tmp_path)
    memory.answer("hash", torch.zeros(8, 8, 3), Answers({"": "a beach"}), "Where?")
    memory.keep(every=1000)
    assert list(tmp_path.iterdir()) == []
    memory.keep()
    assert Memory(tmp_path).known == {"hash": {"answers": {"Where?": "a beach"}}}


def test_nothing_is_written_when_nothing_was_learnt(tmp_path):
    Memory(tmp_path).keep()
    assert list(tmp_path.iterdir()) == []
    write_json_atomic(tmp_path / FILE, {})
    assert Memory(tmp_path).known == {}


def test_large_pictures_are_shown_smaller_and_small_ones_as_they_are():
    large = shown(torch.rand(3000, 1500, 3))
    assert large.shape[0] * large.shape[1] <= PIXELS * 1.01
    assert large.shape[0] == pytest.approx(2 * large.shape[1], abs=2)
    small = torch.rand(64, 32, 3)
    assert shown(small) is small


@pytest.mark.parametrize("broken", ["", " \n", "<s>", "<|im_end|></s>", "...", "__"])
def test_an_answer_without_a_word_is_asked_for_again(character, tmp_path, broken):
    _, report = fill(character, Answers({"Where": broken}), tmp_path)
    assert "background: found in 0 of 2" in report.lines()[1]
    again = Answers({"Where": "a beach"})
    filled, _ = fill(character, again, tmp_path)
    assert len(again.asked) == 2 and filled.source.tags.background == "a beach"


def test_what_runs_a_model_tells_its_answers_apart(monkeypatch, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "blip"}')
    (tmp_path / "preprocessor_config.json").write_text("{}")
    (tmp_path / "model.safetensors").write_bytes(b"")
    known = FolderVisionModel(tmp_path, "blip").digest
    assert FolderVisionModel(tmp_path, "blip").digest == known
    monkeypatch.setattr(vision_folder, "version", lambda _: "0.0.1")
    assert FolderVisionModel(tmp_path, "blip").digest != known
