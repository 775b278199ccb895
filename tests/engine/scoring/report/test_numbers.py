import re
from dataclasses import replace

from facet.engine.scoring.calibrate import Scales
from facet.engine.scoring.report.material import Material
from facet.engine.scoring.report.numbers import front
from facet.engine.scoring.report.page import rendered
from facet.engine.scoring.variant import variant


def tables(html: str) -> dict[str, list[list[str]]]:
    """The cells of each map by its title."""
    found = {}
    for table in re.findall(r"<table.*?</table>", html, re.DOTALL):
        title = re.search(r"<caption>(.*?) <span>", table)[1]
        rows = table.partition("<tbody>")[2].split("<tr>")[1:]
        found[title] = [re.findall(r"<td[^>]*>(?:<b.*?</b>)?(.*?)</td>", row) for row in rows]
    return found


def test_each_number_has_a_map_of_checkpoints_at_strengths(material):
    found = tables(rendered("maps", material))
    assert {"Similarity with the original", "Right views", "Copies", "Quality kept"} <= found.keys()
    for cells in found.values():
        assert [len(row) for row in cells] == [2, 2]
    by_place = [f"{one.identity.value:.2f}" for one in material.card.tried]
    shown = found["Similarity with the original"]
    assert [cell for row in shown for cell in row] == by_place


def test_the_chosen_cell_is_framed_and_named_in_each_map(material):
    html = rendered("maps", material)
    count = len(tables(html))
    assert html.count("chosen: </b>") == count
    assert len(re.findall(r'<td class="chosen[^"]*"', html)) == count


def test_better_is_stronger_whichever_way_a_number_goes(make_full, character):
    evaluation = make_full(steps=(1, 2), strengths=(1.0,))
    poor, good = evaluation.card.tried
    worse = [
        replace(one, similarity=one.similarity - 0.3, nearest=replace(one.nearest, copied=True))
        for one in poor.samples
    ]
    scale = evaluation.card.calibration
    tried = (variant(poor.label, tuple(worse), Scales(scale, scale, {}), True, strength=1.0), good)
    html = rendered(
        "maps", Material(character, replace(evaluation, card=card_of(evaluation, tried)))
    )
    for title in ("Similarity with the original", "Copies"):
        table = html[html.index(f"<caption>{title}") :]
        first, second = re.findall(r"--good:(\d+)%", table)[:2]
        assert int(first) < int(second), title


def test_all_are_compared_over_what_each_was_measured_on(make_full, character):
    evaluation = make_full(steps=(1, 2), strengths=(1.0,))
    first_look, best = evaluation.card.tried
    few = replace(first_look, samples=first_look.samples[:4])
    copied = [
        replace(one, nearest=replace(one.nearest, copied=number > 3))
        for number, one in enumerate(best.samples)
    ]
    tried = (few, replace(best, samples=tuple(copied)))
    html = rendered(
        "maps", Material(character, replace(evaluation, card=card_of(evaluation, tried)))
    )
    assert "over the same 4 scenes" in html
    assert tables(html)["Copies"] == [["0 %"], ["0 %"]]


def card_of(evaluation, tried):
    return replace(evaluation.card, tried=tried, best=tried[-1])


def test_one_lora_at_one_strength_has_no_map(make_full, character):
    alone = Material(character, make_full(steps=(100,), strengths=(1.0,)))
    assert rendered("maps", alone) == "" and rendered("pareto", alone) == ""


def test_a_gap_in_the_grid_is_an_empty_cell(make_full, character):
    evaluation = make_full()
    card = replace(evaluation.card, tried=evaluation.card.tried[1:])
    found = tables(rendered("maps", Material(character, replace(evaluation, card=card))))
    assert found["Copies"][0][0] == "\N{EN DASH}" and found["Copies"][0][1] == "0 %"


def test_only_what_nothing_else_beats_is_on_the_front(make_full, figures):
    one = make_full().card.tried[0]
    best, faithful, beaten, twin = (
        figures(one, *values) for values in ((0.9, 0.4), (0.6, 0.0), (0.6, 0.4), (0.9, 0.4))
    )
    found = front((best, faithful, beaten, twin), lambda each: 1 - each.metrics["copies"].value)
    assert [any(each is other for other in found) for each in (best, faithful, beaten, twin)] == [
        True,
        True,
        False,
        True,
    ]


def test_what_does_not_differ_is_said_rather_than_drawn(material):
    html = rendered("pareto", material)
    assert "Images that are not copies: 100 % at each of them, so similarity decides." in html
