"""Records and decisions that say what nobody could mean."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.engine.core.character import Character, Provenance, Shot, shot_from_record, shot_record
from facet.engine.core.errors import FacetError
from facet.engine.dataset.curation import parse_curation
from facet.engine.dataset.curation_file import FILE, kept_choices
from facet.engine.dataset.export import export
from facet.engine.dataset.layouts import Layout
from facet.engine.dataset.load import load
from facet.engine.dataset.naming import Names
from facet.nodes.dataset.files import FacetDatasetLoader

IMAGE = torch.zeros(8, 6, 3)
HUGE = "1" + "0" * 400


def mira() -> Character:
    shot = Shot(IMAGE, Provenance("original"), caption="zqx person")
    return Character("Mira", "zqx", "person", shot)


@pytest.fixture
def edited(tmp_path):
    """Loads a dataset whose manifest says something else of its one picture."""

    def read(**values: object):
        export(mira(), tmp_path, Layout.FLAT)
        path = tmp_path / "facet.json"
        manifest = json.loads(path.read_text())
        manifest["pictures"][0].update(values)
        path.write_text(json.dumps(manifest).replace('"HUGE"', HUGE))
        return load(tmp_path, Names(trigger="zqx"))

    return read


@pytest.mark.parametrize(
    "values",
    [
        {"tags": {"framing": {}}},
        {"tags": {"outfit": 7}},
        {"tags": {"details": [1]}},
        {"tags": {"details": "one"}, "weight": "x"},
        {"tags": [1]},
        {"weight": 1e308},
        {"weight": -1},
        {"weight": None},
        {"scores": [{"gate": {}, "value": 1}]},
        {"scores": [{"gate": "view", "value": "x", "threshold": 1, "passed": True}]},
        {"scores": 3},
        {"provenance": {"prompt": {}}},
        {"provenance": []},
    ],
)
def test_a_record_with_a_value_of_another_kind_is_named_and_not_used(edited, values):
    loaded = edited(**values)
    assert "its record is broken and was not used" in loaded.report
    assert loaded.character.source.tags.phrases() == [] and loaded.character.source.weight == 1


@pytest.mark.parametrize("values", [{"weight": "HUGE"}, {"weight": float("nan")}])
def test_a_number_that_is_none_costs_the_manifest_and_says_so(edited, values):
    loaded = edited(**values)
    assert "facet.json cannot be read" in loaded.report and len(loaded.character.pictures) == 1


@pytest.mark.parametrize("key", ["edited_caption", "written_caption", "text", "file", "mask"])
@pytest.mark.parametrize("value", [{}, {"a": 1}, [1], 3, True])
def test_a_manifest_with_objects_for_texts_is_exported_over(tmp_path, key, value):
    export(mira(), tmp_path, Layout.FLAT)
    path = tmp_path / "facet.json"
    manifest = json.loads(path.read_text())
    manifest["pictures"][0].update({"edited_caption": value, key: value})
    path.write_text(json.dumps(manifest))
    done = export(mira(), tmp_path, Layout.FLAT)
    assert shot_record(load(done.folder).character.source) == shot_record(mira().source)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
RECORD = mira().source


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_record_is_a_shot_or_refused(data):
    record = shot_record(RECORD)
    for key in data.draw(st.lists(st.sampled_from(sorted(record)))):
        record[key] = data.draw(JSON)
    for inner in ("tags", "provenance"):
        if isinstance(record[inner], dict) and record[inner] and data.draw(st.booleans()):
            record[inner][data.draw(st.sampled_from(sorted(record[inner])))] = data.draw(JSON)
    try:
        shot = shot_from_record(record, IMAGE)
    except (TypeError, ValueError, AttributeError):
        return
    json.dumps(shot_record(shot), allow_nan=False)
    assert shot.tags.phrases() is not None and 0 <= shot.weight <= 10_000


@pytest.mark.parametrize(
    "text",
    [f'{{"shots": {{"{"a" * 16}": {{"weight": {HUGE}}}}}}}', '{"a":' * 100_000, "[" * 100_000],
)
def test_decisions_are_refused_in_a_sentence_wherever_they_stand(tmp_path, text):
    with pytest.raises(FacetError, match=r"curation cannot be read .*Empty it"):
        parse_curation(text)
    (tmp_path / FILE).write_text(text)
    with pytest.raises(FacetError, match=rf"{FILE} cannot be read .*Repair it"):
        kept_choices(tmp_path)


def test_a_folder_of_300_letters_is_one_sentence():
    with pytest.raises(FacetError, match=r"^Facet Dataset Loader: The folder 'xxx"):
        FacetDatasetLoader.execute("x" * 300)
    assert "cannot be looked for" in FacetDatasetLoader.fingerprint_inputs("x" * 300)


def test_a_decision_with_a_caption_beyond_every_encoder_is_refused():
    text = json.dumps({"shots": {"a" * 16: {"caption": "zqx " * 900}}})
    with pytest.raises(FacetError, match="has 3600 letters"):
        parse_curation(text)
