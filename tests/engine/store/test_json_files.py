import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from facet.engine.core.errors import FacetError
from facet.engine.store.json_files import parse_json, read_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_what_json_wrote_comes_back(value):
    text = json.dumps(value)
    assert parse_json(text, "it") == parse_json(text.encode("utf-8-sig"), "it") == value


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=80) | st.text(max_size=80))
def test_anything_else_is_one_sentence(given):
    try:
        json.loads(given)
    except ValueError:
        with pytest.raises(FacetError, match=r"^curation cannot be read \("):
            parse_json(given, "curation")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"1" * 400, "400 digits"),
        (b"-" + b"1" * 5000, "digits"),
        (b"1e999", "1e999 is no number"),
        (b"-1e999", "-1e999 is no number"),
        (b"[NaN]", "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"\xff\xfe\x00", "utf-8"),
        (b"", "Expecting value"),
        (b" " * 2000, "larger than 1 KiB"),
    ],
)
def test_what_no_code_can_use_names_the_file_and_says_why(tmp_path, text, why):
    path = tmp_path / "grid.json"
    path.write_bytes(text)
    with pytest.raises(FacetError, match=r"grid\.json cannot be read") as found:
        read_json(path, most=1 << 10 if text.isspace() else 4 << 20)
    assert why in str(found.value)


def test_every_number_fits_into_a_float():
    assert float(parse_json("9" * 300, "it")) > 1e299


def test_a_file_that_is_not_there_is_the_callers_to_answer(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_json(tmp_path / "none.json")
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(FacetError, match=r"folder\.json cannot be read"):
        read_json(tmp_path / "folder.json")


def test_a_file_that_is_too_large_is_never_read(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(FacetError, match="larger than 4 MiB"):
        read_json(path)
