import random
from dataclasses import replace

import pytest
import torch

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.scoring.evaluate import IN_WORDS, OFF, evaluate
from facet.engine.scoring.protocol import prompt_suite
from facet.engine.scoring.sampler import Bench, Candidate, CandidateSampler
from facet.world.demo_people import FIRST
from facet.world.identity import Identity
from facet.world.scene import Scene
from harness.faces import drawn_picture
from harness.small_models import small_clip_vision, small_models

QKV = "lora_unet_double_blocks_0_img_attn_qkv"


@pytest.fixture(scope="module")
def bench() -> Bench:
    models = small_models()
    sampling = Sampling(64, 64, steps=2, cfg=1.0)
    return Bench(models.model, models.clip, models.vae, small_clip_vision(), sampling)


def lora(scale: float) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        f"{QKV}.lora_up.weight": scale * torch.randn(384, 4, generator=generator),
        f"{QKV}.lora_down.weight": torch.randn(4, 128, generator=generator),
    }


def candidate(scale: float, name: str = "step 1") -> Candidate:
    return Candidate(name, 1.0, lambda: lora(scale))


def run(character, bench, candidates, count=2, **more):
    return evaluate(character, candidates, bench, prompt_suite(character, count, 5), **more)


def test_off_and_on_differ_by_the_lora_and_by_whom_they_ask_for(character, bench):
    nothing = run(character, bench, [candidate(0.0)])
    label = nothing.card.best.label
    plain = CandidateSampler(bench).make(None)
    for off, on in zip(nothing.card.off.samples, nothing.card.best.samples, strict=True):
        assert on.text == f"zqx {off.text}" and off.text.startswith("person, ")
        assert off.prompt == on.prompt
    for sample, on in zip(nothing.card.best.samples, nothing.pictures[label], strict=True):
        assert plain(sample.text, sample.prompt.seed).equal(on)
    something = run(character, bench, [candidate(1.0)])
    for before, on in zip(nothing.pictures[label], something.pictures[label], strict=True):
        assert (before - on).abs().max() > 1e-3
    assert all(
        off.equal(again)
        for off, again in zip(nothing.pictures[OFF], something.pictures[OFF], strict=True)
    )


def test_the_same_inputs_give_the_same_card(character, bench):
    first, second = (run(character, bench, [candidate(1.0)]) for _ in range(2))
    assert first.card.to_dict() == second.card.to_dict()


def test_every_candidate_gets_a_first_look_and_the_best_all_prompts(character, bench):
    seen = []
    candidates = [candidate(scale, f"step {scale}") for scale in (0.5, 1.0, 2.0)]

    def see(done: int, total: int, _picture: torch.Tensor) -> None:
        seen.append((done, total))

    evaluation = run(character, bench, candidates, count=6, on_picture=see)
    card = evaluation.card
    assert card.calibration.problem  # nothing is compared, and the last stands in
    assert seen == [(number, 6 + 3 * 4 + 2) for number in range(1, 21)]
    assert [len(tried.samples) for tried in card.tried] == [4, 4, 6]
    assert card.best is card.tried[-1] and evaluation.best.label == card.best.label


def test_those_that_four_scenes_cannot_tell_from_the_best_make_more(demo_models):
    """Pictures that are known: two LoRAs draw the person, one of them with a flaw in one scene of
    four, and the third draws somebody else."""
    rng = random.Random(1)
    own, stranger = Identity.from_seed(FIRST), Identity.from_seed(FIRST + 1)
    scenes = [Scene.sample(rng, view="front") for _ in range(20)]
    shots = [Shot(drawn_picture(own, scene), Provenance("imported")) for scene in scenes[:6]]
    person = Character("Ada", "zqx", "person", shots[0], tuple(shots[1:]))
    prompts = [
        replace(one, tags=Tags(view="front"), seed=number)
        for number, one in enumerate(prompt_suite(person, 14, 5))
    ]
    drawn = {"person": stranger, "zqx person": own}

    def make(candidate):
        def image(text: str, seed: int) -> torch.Tensor:
            who = drawn[", ".join(text.split(", ")[:1])]
            if candidate is None:
                who = Identity.from_seed(FIRST + 2 + seed)
            elif candidate.name == "other" or (candidate.name == "flawed" and seed % 4 == 3):
                who = stranger
            return drawn_picture(who, scenes[6 + seed])

        return image

    measuring = Bench(
        demo_models.model,
        demo_models.clip,
        demo_models.vae,
        demo_models.clip_vision,
        Sampling(128, 128),
        demo_models.face,
    )
    seen = []
    card = evaluate(
        person,
        [Candidate(name, 1.0, dict) for name in ("other", "flawed", "true")],
        measuring,
        prompts,
        make=make,
        on_picture=lambda done, total, _: seen.append((done, total)),
    ).card
    assert card.calibration.problem == ""
    counts = {one.label.split()[0]: len(one.scenes) for one in card.tried}
    assert counts == {"other": 4, "flawed": 8, "true": 14}
    assert card.best.label == "true at strength 1"
    assert [len(one.scenes) for one in card.compared] == [4, 8, 8]
    assert seen[-1][0] == seen[-1][1] == len(seen)
    assert all(done <= total for done, total in seen)


def test_a_description_is_scored_beside_without_the_lora(character, bench):
    evaluation = run(character, bench, [candidate(1.0)], description="a man with a red hat")
    words = evaluation.card.words
    assert words is not None and len(words.samples) == 2
    assert words.samples[0].text.startswith("a man with a red hat, close-up")
    assert len(evaluation.pictures[IN_WORDS]) == 2


def test_without_a_face_model_views_are_not_measured_and_the_card_says_so(character, bench):
    card = run(character, bench, [candidate(1.0)]).card
    assert card.best.metrics["views"].value is None
    assert any("No FACE_DETECTION_MODEL" in note for note in card.notes)


def test_no_candidate_is_one_sentence(character, bench):
    with pytest.raises(ValueError, match="no LoRA to score"):
        run(character, bench, [])
