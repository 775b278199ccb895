"""The documents: short where they should be, true in what they name, and with no dead link."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from facet.engine.dataset.layouts import Layout
from facet.launcher.bench import names as benchmarks
from facet.launcher.comfyui import known_versions

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted(
    file
    for pattern in ("*.md", "docs/**/*.md", ".github/**/*.md", "world/*.md", "engine/**/*.md")
    for file in ROOT.glob(pattern)
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
PATH = re.compile(
    r"`((?:engine|nodes|js|locales|docs|tests|world|benchmarks|launcher|workflows)/[\w./-]+)`"
)
COMMAND = re.compile(r"python facet\.py (\w+)(?: (\w+))?")
LONGEST_README = 150


def name_of(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def prose(file: Path) -> str:
    """The document without its code blocks."""
    return CODE.sub("", file.read_text("utf-8"))


def heading_ids(text: str) -> set[str]:
    """The anchors that GitHub makes of headings."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("file", DOCUMENTS, ids=name_of)
def test_every_link_leads_somewhere(file: Path) -> None:
    dead = []
    for target in LINK.findall(prose(file)):
        if re.match(r"https?:|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        there = (file.parent / path).resolve() if path else file
        found = there.exists() and ROOT in (there, *there.parents)
        if not found or (anchor and anchor not in heading_ids(there.read_text("utf-8"))):
            dead.append(target)
    assert dead == []


# What a document on adding a thing makes is not there before.
@pytest.mark.parametrize("file", [f for f in DOCUMENTS if "adding-a-" not in f.name], ids=name_of)
def test_every_file_that_is_named_is_there(file: Path) -> None:
    assert [path for path in PATH.findall(prose(file)) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("file", DOCUMENTS, ids=name_of)
def test_every_command_exists(file: Path) -> None:
    from facet.launcher.cli import parser

    [action] = [one for one in parser()._actions if one.dest == "command"]
    commands = set(action.choices or ())
    found = COMMAND.findall(file.read_text("utf-8"))
    assert {command for command, _ in found} <= commands
    measured = {name for command, name in found if command == "bench" and name.islower()}
    assert measured <= set(benchmarks())


def test_the_readme_is_for_a_newcomer() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= LONGEST_README


def test_the_readme_has_every_template() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    there = {file.stem[:2] for file in (ROOT / "workflows").glob("*.json")}
    assert set(re.findall(r"^\| (\d\d) ", readme, re.MULTILINE)) == there


def test_every_number_stands_below_its_command() -> None:
    text = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    introduction, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
    assert "|" not in introduction
    commands = []
    for section in sections:
        title, _, body = section.partition("\n")
        block = re.match(r"\n```\n(python facet\.py [\w ]+)\n```\n", body)
        assert block, f"{title}: a command comes first"
        commands.append(block[1])
    assert sorted(commands) == sorted(
        ["python facet.py demo", *(f"python facet.py bench {name}" for name in benchmarks())]
    )


def test_the_list_of_nodes_is_whole() -> None:
    listed = set(
        re.findall(r"docs/(Facet\w+)\.md", (ROOT / "docs" / "nodes.md").read_text("utf-8"))
    )
    assert listed == {page.stem for page in (ROOT / "js" / "docs").glob("Facet*.md")}


def test_each_decision_is_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = sorted(page.name for page in folder.glob("[0-9]*.md"))
    listed = LINK.findall((folder / "README.md").read_text("utf-8"))
    assert listed == pages
    assert [int(page[:2]) for page in pages] == list(range(1, len(pages) + 1))
    for page in pages:
        text = (folder / page).read_text("utf-8")
        assert text.startswith(f"# {int(page[:2])}. ")
        assert all(f"**{part}.**" in text for part in ("Why", "Decision", "What follows")), page


def test_each_document_on_adding_is_in_the_list() -> None:
    pages = {page.name for page in (ROOT / "docs").glob("adding-a-*.md")}
    assert set(re.findall(r"adding-a-\w+\.md", (ROOT / "docs" / "README.md").read_text())) == pages


def test_the_exporters_help_lists_every_layout() -> None:
    page = (ROOT / "js" / "docs" / "FacetDatasetExporter.md").read_text("utf-8")
    rows = re.findall(r"^\| (\w+) \| ", page, re.MULTILINE)
    missing = [layout.value for layout in Layout if layout.value not in rows]
    assert missing == [], "give it a row in js/docs/FacetDatasetExporter.md"


def test_the_linter_is_the_same_everywhere() -> None:
    wanted = (ROOT / "tests" / "requirements.txt").read_text("utf-8")
    [version] = re.findall(r"^ruff==(\S+)$", wanted, re.MULTILINE)
    hook = (ROOT / ".pre-commit-config.yaml").read_text("utf-8")
    assert re.findall(r"rev: v(\S+)", hook) == [version]


def test_the_forms_and_workflows_can_be_read() -> None:
    yaml = pytest.importorskip("yaml")
    files = sorted((ROOT / ".github").rglob("*.yml"))
    assert len(files) >= 6
    for file in files:
        read = yaml.safe_load(file.read_text("utf-8"))
        assert isinstance(read, dict), file.name
        # YAML 1.1 reads the key `on` as true.
        assert "workflows" not in file.parts or {True, "jobs"} <= read.keys(), file.name


def test_the_archive_holds_what_the_page_and_the_readme_show() -> None:
    ignored = (ROOT / ".comfyignore").read_text("utf-8").split()
    assert {"/docs/", "tests/", "world/", "benchmarks/", "real_faces/"} <= set(ignored)
    for shipped in (
        "js/docs/",
        "locales/",
        "workflows/",
        "subgraphs/",
        "engine/",
        "README.md",
        "LICENSE",
    ):
        assert shipped not in ignored
    pages = [page.read_text("utf-8") for page in (ROOT / "js" / "docs").glob("*.md")]
    assert [link for page in pages for link in LINK.findall(page) if link.startswith("..")] == []


def test_the_readme_names_the_versions_of_comfyui_that_were_tried() -> None:
    oldest, newest = known_versions()
    assert f"tested with {oldest} to {newest}" in (ROOT / "README.md").read_text("utf-8")
