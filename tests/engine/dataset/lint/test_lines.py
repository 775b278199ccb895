"""The lint's text: alike findings together, each with the names of its pictures."""

from __future__ import annotations

from facet.engine.dataset.lint.finding import Finding, Report, found
from facet.engine.dataset.lint.lines import finding_lines, report_lines

NAMES = {f"{number:064x}": f"IMG_{number}.jpg" for number in range(20)}
SHOTS = list(NAMES)


def lines(*findings: Finding) -> list[str]:
    return finding_lines(findings, NAMES)


def test_sixteen_of_one_kind_are_one_paragraph_that_names_the_first() -> None:
    said = lines(*(found("caption_missing", [shot], "No caption.") for shot in SHOTS[:16]))
    assert said == [
        "! No caption. The trainer needs the trigger in every caption and stops.",
        "    16 of them: IMG_0.jpg, IMG_1.jpg, IMG_2.jpg, IMG_3.jpg, IMG_4.jpg, IMG_5.jpg and 10 "
        "more",
    ]


def test_what_each_says_stands_beside_its_name() -> None:
    said = lines(
        found("blurred", [SHOTS[3]], "Blurred: 20 %."),
        found("blurred", [SHOTS[5]], "Blurred: 30 %."),
    )
    assert said == [
        "! The LoRA learns blur as part of the face.",
        "    IMG_3.jpg: Blurred: 20 %.",
        "    IMG_5.jpg: Blurred: 30 %.",
    ]


def test_of_many_that_differ_eight_are_told() -> None:
    said = lines(*(found("blurred", [s], f"{s[-2:]} %.") for s in SHOTS))
    assert len(said) == 1 + 8 + 1 and said[-1] == "    and 12 more"


def test_two_that_are_alike_stay_a_pair() -> None:
    said = lines(
        found("near_duplicate", SHOTS[:2], "Two images are nearly the same."),
        found("near_duplicate", SHOTS[2:4], "Two images are nearly the same."),
    )
    assert said[1] == "    2 of them: IMG_0.jpg and IMG_1.jpg; IMG_2.jpg and IMG_3.jpg"


def test_a_remedy_is_said_once_and_a_finding_of_the_whole_set_names_nobody() -> None:
    said = lines(
        found("coverage", (), "No image is tagged sad.", about="expression sad", effect="Stiff."),
        found(
            "coverage", (), "No image is tagged angry.", about="expression angry", effect="Stiff."
        ),
    )
    assert said == [
        "! Stiff.",
        "    No image is tagged sad.",
        "    No image is tagged angry.",
        "  Add it to a shot plan, or tag the images that show it.",
    ]


def test_an_unknown_picture_is_called_by_its_hash() -> None:
    assert lines(found("empty_mask", ["ab" * 32], "The mask is empty."))[1] == f"    {'ab' * 8}"


def test_a_report_begins_with_its_number_and_ends_with_what_was_skipped() -> None:
    report = Report((found("too_few", (), "There are 3 images."),), 40, ("Faces: skipped.",))
    said = report_lines(report, NAMES)
    assert said[0] == "Dataset 40 of 100, 1 finding." and said[-1] == "Faces: skipped."
