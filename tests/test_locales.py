"""Translations and help pages: whole, true to the schema, and as ComfyUI's page can show them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from comfy_api.latest import io

from facet.launcher.node_texts import english, sections, with_sections

if TYPE_CHECKING:
    from harness.browser import Browser
    from harness.comfy_server import ComfyServer

LANGUAGES = ("en", "it", "pt-BR", "zh")
TRANSLATIONS = LANGUAGES[1:]
# The page runs titles, descriptions and names through vue-i18n, which reads these as commands.
# Tooltips are shown as they stand.
COMMANDS = re.compile(r"[{}@|]")
# What a person types or looks for on disk is the same in every language.
UNTRANSLATED = re.compile(
    r"\{\w+\}"
    r"|output/facet[/<>\w]*"
    r"|\w+\.jsonl?"
    r"|(?<!\w)'[^']+'"
    r"|\b[a-zA-Z]+_\w+"
    r"|\d+(?:[.e-]+\d+)*"
)

# What the page calls each node, its inputs and its widgets.
SHOWN = """(types) => Object.fromEntries(types.map((type) => {
    const node = LiteGraph.createNode(type);
    const { display_name, description, category } = node.constructor.nodeData;
    const labels = [
        ...node.inputs.map((one) => [one.name, one.label ?? one.localized_name]),
        ...(node.widgets ?? []).map((one) => [one.name, one.label]),
    ].filter(([name]) => name in { ...node.constructor.nodeData.inputs });
    return [type, {
        title: display_name, description, category, inputs: Object.fromEntries(labels),
    }];
}))"""

Words = dict[str, Any]


@pytest.fixture(scope="module")
def schemas(node_ids: list[str]) -> dict[str, io.Schema]:
    """The schema of each node of the pack."""
    import nodes

    return {node: nodes.NODE_CLASS_MAPPINGS[node].GET_SCHEMA() for node in node_ids}


@pytest.fixture(scope="module")
def words(schemas: dict[str, io.Schema]) -> dict[str, Words]:
    """What nodeDefs.json has to hold for each node, in the schema's own words."""
    return english(schemas)


def told(root: Path, language: str, file: str = "nodeDefs") -> Words:
    found: Words = json.loads((root / "locales" / language / f"{file}.json").read_text("utf-8"))
    return found


def leaves(tree: Words, path: str = "") -> dict[str, str]:
    """The texts in ``tree`` by their path, such as 'FacetCharacter.inputs.name.tooltip'."""
    found = {}
    for key, value in tree.items():
        where = f"{path}.{key}" if path else key
        found.update(leaves(value, where) if isinstance(value, dict) else {where: value})
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_there_and_no_other(
    root: Path, words: dict[str, Words], language: str
) -> None:
    there, needed = leaves(told(root, language)), leaves(words)
    assert sorted(needed.keys() - there.keys()) == []
    assert sorted(there.keys() - needed.keys()) == []
    assert [path for path, text in there.items() if not text or text != text.strip()] == []


def test_english_says_what_the_schema_says(root: Path, words: dict[str, Words]) -> None:
    assert leaves(told(root, "en")) == leaves(words), "Run 'python facet.py words'."


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_descriptions_and_tooltips_are_translated(root: Path, language: str) -> None:
    english, other = leaves(told(root, "en")), leaves(told(root, language))
    sentences = [path for path in english if path.endswith((".description", ".tooltip"))]
    assert [path for path in sentences if other[path] == english[path]] == []


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_the_same_english_is_translated_alike(root: Path, language: str) -> None:
    english, other = leaves(told(root, "en")), leaves(told(root, language))
    meanings: dict[str, set[str]] = {}
    for path, text in english.items():
        meanings.setdefault(text, set()).add(other[path])
    assert {text: said for text, said in meanings.items() if len(said) > 1} == {}


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_what_is_typed_survives_translation(root: Path, language: str) -> None:
    english, other = leaves(told(root, "en")), leaves(told(root, language))
    lost = {}
    for path, text in english.items():
        if path.endswith((".description", ".tooltip")):
            gone = [part for part in UNTRANSLATED.findall(text) if part not in other[path]]
            if gone:
                lost[path] = gone
    assert lost == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_holds_a_command_of_the_page(root: Path, language: str) -> None:
    main = told(root, language, "main")
    # The panels read their own texts as they stand.
    del main["facet"]
    texts = leaves(told(root, language)) | leaves(main)
    compiled = {path: text for path, text in texts.items() if not path.endswith(".tooltip")}
    assert [path for path, text in compiled.items() if COMMANDS.search(text)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_menu_has_a_name(root: Path, schemas: dict[str, io.Schema], language: str) -> None:
    parts = {part for schema in schemas.values() for part in schema.category.split("/")}
    assert set(told(root, language, "main")["nodeCategories"]) == parts


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_in_the_menu_differ(root: Path, language: str) -> None:
    titles = [entry["display_name"] for entry in told(root, language).values()]
    assert all(title.startswith("Facet ") for title in titles)
    assert len(set(titles)) == len(titles)


def test_comfyui_serves_every_language(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import folder_paths
    from app.custom_node_manager import CustomNodeManager

    (tmp_path / "facet").symlink_to(root, target_is_directory=True)
    monkeypatch.setitem(
        folder_paths.folder_names_and_paths, "custom_nodes", ([str(tmp_path)], set())
    )
    served = CustomNodeManager().build_translations()
    assert set(served) == set(LANGUAGES)
    for language in LANGUAGES:
        assert served[language]["nodeDefs"] == told(root, language)
        assert served[language]["nodeCategories"] == told(root, language, "main")["nodeCategories"]


@pytest.mark.browser
@pytest.mark.parametrize("language", ["pt-BR", pytest.param("zh", marks=pytest.mark.nightly)])
def test_the_page_speaks_the_language(
    browser: Browser,
    server: ComfyServer,
    root: Path,
    schemas: dict[str, io.Schema],
    language: str,
) -> None:
    try:
        with browser.open(server, vue=False, settings={"Comfy.Locale": language}) as page:
            shown = page.run(SHOWN, list(told(root, language)))
            assert page.troubles() == []
    finally:
        server.client.post("/settings", {"Comfy.Locale": "en"})
    for node, entry in told(root, language).items():
        assert shown[node]["title"] == entry["display_name"]
        assert shown[node]["description"] == entry["description"]
        # The page shows such a group as its members, each by its own id.
        grown = {one.id for one in schemas[node].inputs if isinstance(one, io.Autogrow.Input)}
        told_inputs = entry.get("inputs", {}).items()
        names = {one: said["name"] for one, said in told_inputs if one not in grown}
        assert shown[node]["inputs"] == names, node
    menus = told(root, language, "main")["nodeCategories"]
    assert shown["FacetLoraTrainer"]["category"] == f"Facet/{menus['Training']}"


def test_every_node_has_a_help_page_and_no_page_is_left_over(
    root: Path, node_ids: list[str]
) -> None:
    pages = {page.stem for page in (root / "js" / "docs").glob("*.md")}
    assert pages == set(node_ids)


def test_a_help_page_names_its_node_and_its_widgets(
    root: Path, schemas: dict[str, io.Schema]
) -> None:
    missing = []
    for node, schema in schemas.items():
        page = (root / "js" / "docs" / f"{node}.md").read_text("utf-8")
        if not page.startswith(f"# {schema.display_name}\n"):
            missing.append(f"{node}: its title")
        bold = ",".join(re.findall(r"\*\*([^*\n]+)\*\*", page))
        named = {name.strip() for name in bold.split(",")}
        missing += [f"{node}: {name}" for name in widgets(schema) if name not in named]
    assert missing == []


def widgets(schema: io.Schema) -> list[str]:
    """The widgets that a person sees without unfolding the advanced ones."""
    return [
        one.id
        for one in schema.inputs
        if isinstance(one, io.WidgetInput) and not (one.advanced or one.force_input)
    ]


def test_help_pages_name_no_input_that_is_gone(root: Path, schemas: dict[str, io.Schema]) -> None:
    ids = {one.id for schema in schemas.values() for one in (*schema.inputs, *schema.outputs)}
    gone = []
    for page in sorted((root / "js" / "docs").glob("*.md")):
        for bold in re.findall(r"\*\*([^*\n]+)\*\*", page.read_text("utf-8")):
            names = [name.strip() for name in bold.split(",")]
            gone += [f"{page.stem}: {n}" for n in names if "_" in n and n not in ids]
    assert gone == []


def test_lists_on_help_pages_say_what_the_tables_say(root: Path) -> None:
    for node, texts in sections().items():
        page = (root / "js" / "docs" / f"{node}.md").read_text("utf-8")
        assert with_sections(page, texts) == page, f"{node}: run 'python facet.py words'."


def test_a_help_page_without_its_list_is_named() -> None:
    with pytest.raises(ValueError, match="has no section 'settings'; put <!-- settings: written"):
        with_sections("# Facet\n", {"settings": lambda: ""})
