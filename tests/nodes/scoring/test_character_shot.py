import json
import math
from dataclasses import replace
from pathlib import Path

import folder_paths
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot
from facet.engine.demo.people import demo_picture
from facet.engine.scoring.calibrate import Calibration
from facet.engine.scoring.score import ScoreCard
from facet.engine.scoring.variant import Variant
from facet.engine.studio.judge import ALIGNED_FACE, Judge
from facet.engine.studio.studio import Studio
from facet.engine.vision.embedders import AppearanceEmbedder, FaceEmbedder, label
from facet.engine.vision.recognition import open_face_model
from facet.nodes.scoring.character_shot import FacetCharacterShot
from harness.executor import Executor
from harness.face_models import random_iresnet, write_safetensors
from harness.prompts import demo_prompt, node, studio_node
from harness.small_models import small_clip_vision, small_models
from harness.studios import studio_of

QKV = "lora_unet_double_blocks_0_img_attn_qkv"
SMALL = {
    "seed": 1,
    "prompt": "smiling\nin a park, left profile",
    "lora_name": "none",
    "lora_strength": 1.0,
}
FACET = {"facet.trigger": "zqx", "facet.class_word": "person", "facet.character": "Ada Lo"}


@pytest.fixture(scope="module")
def studio() -> Studio:
    return studio_of(small_models(), cfg=2.0)


@pytest.fixture(scope="module")
def vision() -> Judge:
    """Measures how alike images are, and finds no faces."""
    return Judge(clip_vision=small_clip_vision())


@pytest.fixture(autouse=True)
def output(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
    return tmp_path / "output"


@pytest.fixture
def loras(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "loras"
    folder.mkdir()
    known = {**folder_paths.folder_names_and_paths, "loras": ([str(folder)], {".safetensors"})}
    monkeypatch.setattr(folder_paths, "folder_names_and_paths", known)
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    return folder


def lora(rows: int = 384) -> dict[str, torch.Tensor]:
    return {
        f"{QKV}.lora_up.weight": torch.ones(rows, 1),
        f"{QKV}.lora_down.weight": torch.ones(1, 128),
    }


def character(**changes) -> Character:
    picture = torch.rand(64, 64, 3, generator=torch.Generator().manual_seed(0))
    source = Shot(picture, Provenance("original"), caption="zqx person, short hair")
    return Character(
        **{"name": "Ada", "trigger": "zqx", "class_word": "person", **changes}, source=source
    )


def card(trigger: str = "zqx", null=(0.0, 0.1), positives=(0.8, 0.9)) -> ScoreCard:
    condition = Variant("LoRA off", ())
    return ScoreCard(
        "Ada", trigger, "person", "hash", Calibration(null, positives), condition,
        (condition,), condition, None, (), {},
    )  # fmt: skip


@torch.inference_mode()
def run(studio, **given):
    result = FacetCharacterShot.execute(studio, **{**SMALL, **given})
    return (*result.args, result.ui)


def test_each_line_becomes_a_picture_that_is_kept_with_what_is_known_of_it(studio, vision, output):
    images, scores, told, sheet, ui = run(
        studio, character=character(), lora=lora(), judge=vision, min_likeness=-1.0
    )
    assert [image.shape for image in images] == [(1, 64, 64, 3)] * 2
    assert len(scores) == 2 and all(-1 <= score <= 1 for score in scores)
    assert told.startswith("zqx person: 2 of 2 pictures pass, 2 attempts.")
    assert sheet.ndim == 4 and ui["text"] == (told,)
    for shown in ui["images"]:
        assert shown["subfolder"] == "facet/Ada/pictures" and shown["type"] == "output"
        with Image.open(output / shown["subfolder"] / shown["filename"]) as kept:
            record = json.loads(kept.text["facet"])
        assert record["prompt"].startswith("(zqx person:1.1), same character")
        assert "different person" in record["negative"] and record["passed"]


def test_a_lora_file_tells_who_it_is_without_a_character(studio, loras, output):
    save_file(lora(), loras / "ada.safetensors", FACET)
    images, scores, told, _, _ = run(studio, lora_name="ada.safetensors", pictures=2)
    assert len(images) == 4 and all(map(math.isnan, scores))
    assert told.startswith("zqx person: 4 of 4") and "No character is connected" in told
    assert len(list((output / "facet" / "Ada_Lo" / "pictures").glob("*.png"))) == 4


def test_a_lora_that_says_nothing_takes_the_prompt_as_it_is(studio):
    *_, told, _, ui = run(studio, lora=lora())
    assert "prompts are used as written" in told and "zqx" not in told
    assert ui["images"][0]["subfolder"] == "facet/the_LoRA/pictures"


def test_the_scale_of_a_score_counts_and_another_characters_is_named(studio, vision):
    given = {"character": character(), "lora": lora(), "judge": vision, "tries": 1}
    _, scores, told, _, _ = run(studio, score=card(), **given)
    _, cosines, _, _, _ = run(studio, **given)
    scale = card().calibration
    assert scores == pytest.approx([scale.score(cosine) for cosine in cosines])
    assert "score " in told and "cosine" not in told
    assert "not 'zqx'" in run(studio, score=card("abc"), **given)[2]
    problem = run(studio, score=card(positives=()), **given)[2]
    assert "The score sets no scale." in problem


def test_a_prompt_that_contradicts_the_character_is_made_with_a_warning(studio, caplog):
    given = {"character": character(), "lora": lora(), "prompt": "long hair"}
    told = run(studio, **given)[2]
    warning = "'long hair' asks for long hair, and the character has short hair"
    assert f"Warning: {warning}." in told and warning in caplog.text
    assert "Warning" not in run(studio, **given, description="long hair")[2]


def test_tries_go_on_while_it_is_somebody_else_and_the_best_is_marked(studio, vision, output):
    given = {"character": character(), "lora": lora(), "judge": vision, "min_likeness": 1.5}
    images, scores, told, _, _ = run(studio, **given, prompt="smiling")
    assert len(images) == 1
    records = [json.loads(p.read_text()) for p in output.rglob("tries/*.json")]
    assert sorted(one["strength"] for one in records) == [1.0, 1.25, 1.5]
    assert scores[0] == max(one["measures"]["cosine"] for one in records)
    assert "kept although only" in told and "3 attempts." in told
    assert "3 of them from disk" in run(studio, **given, prompt="smiling")[2]


def test_a_lora_that_is_in_the_model_is_used_as_it_is(studio, vision):
    import comfy.sd

    model, _ = comfy.sd.load_lora_for_models(studio.model, None, lora(), 1.0, 0.0)
    told = run(replace(studio, model=model), character=character(), judge=vision)[2]
    assert "its strength was not changed" in told


@pytest.mark.parametrize("size", [(0, 0), (0, 128)])
def test_without_a_size_the_models_own_is_taken(studio, loras, size):
    save_file(lora(), loras / "ada.safetensors", FACET)
    given = {"lora": lora(), "character": character(), "prompt": "x"}
    images = run(replace(studio, sampling=Sampling(*size, steps=1)), **given)[0]
    assert images[0].shape == (1, size[1] or 64, size[0] or 64, 3)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "neither a LoRA nor a character"),
        ({"character": character()}, "The MODEL carries no LoRA"),
        ({"lora": lora(), "prompt": " \n# note"}, "The prompt is empty"),
        ({"lora": {"strange.weight": torch.ones(1)}}, "do not belong to this model"),
        ({"lora": lora(rows=96)}, "another shape"),
        ({"lora": lora(), "lora_name": "bad.safetensors"}, "is chosen too"),
        ({"lora_name": "gone.safetensors"}, "is in no folder of LoRAs"),
        ({"lora_name": "bad.safetensors"}, "bad.safetensors cannot be read"),
        ({"lora_name": "sd.safetensors"}, "do not belong.*trained on sd_v1"),
    ],
)
def test_what_cannot_be_made_is_one_sentence_and_leaves_nothing(
    studio, loras, output, given, sentence
):
    (loras / "bad.safetensors").write_bytes(b"\xff" * 64)
    other = {key.replace("double_blocks_0", "other"): value for key, value in lora().items()}
    save_file(other, loras / "sd.safetensors", {"ss_base_model_version": "sd_v1"})
    with pytest.raises(ValueError, match=rf"^Facet Character Shot: .*{sentence}") as failure:
        run(studio, **given)
    assert "\n" not in str(failure.value)
    assert not list(output.rglob("*"))


def test_a_name_that_leads_out_of_the_output_folder_stays_in_it(studio, loras, output):
    save_file(lora(), loras / "a.safetensors", {**FACET, "facet.character": "../../etc/x"})
    run(studio, lora_name="a.safetensors", prompt="x")
    assert [one.name for one in (output / "facet").iterdir()] == ["etc_x"]


def test_another_file_under_the_same_name_is_noticed(loras):
    save_file(lora(), loras / "a.safetensors")
    before = FacetCharacterShot.fingerprint_inputs("a.safetensors")
    save_file({**lora(), "more": torch.zeros(8)}, loras / "a.safetensors")
    assert FacetCharacterShot.fingerprint_inputs("a.safetensors") != before
    for nothing in ("none", None, "gone.safetensors"):
        assert FacetCharacterShot.fingerprint_inputs(nothing) == ""


@pytest.fixture(scope="module")
def face_embedder(tmp_path_factory) -> FaceEmbedder:
    file = tmp_path_factory.mktemp("faces") / "mine.safetensors"
    write_safetensors(file, random_iresnet(18, 8).state_dict())
    return FaceEmbedder(open_face_model(file))


@pytest.mark.parametrize(
    ("connected", "measured_by"),
    [
        ({"look_at": ALIGNED_FACE}, "appearance by Facet's demo encoder, aligned face"),
        ({"face_embedder": True}, "face recognition by mine (IResNet-18), aligned face"),
        ({"face_embedder": True, "clip_vision": None}, "face recognition by mine (IResNet-18), "),
        ({}, "appearance by Facet's demo encoder, whole picture"),
    ],
)
def test_what_measured_stands_in_the_report_and_in_the_picture(
    studio, demo_models, face_embedder, output, connected, measured_by
):
    ada = replace(character(), source=Shot(demo_picture(3), Provenance("original")))
    models = {name: face_embedder if value is True else value for name, value in connected.items()}
    judge = Judge(
        **{"face_model": demo_models.face, "clip_vision": demo_models.clip_vision, **models}
    )
    given = {"character": ada, "lora": lora(), "judge": judge, "tries": 2}
    _, scores, told, _, ui = run(studio, **given, prompt="smiling\nfrom behind")
    assert f"Likeness is {measured_by}" in told and "dentity" not in told
    with Image.open(output / "facet/Ada/pictures" / ui["images"][0]["filename"]) as kept:
        record = json.loads(kept.text["facet"])
    assert record["measured_by"].startswith(measured_by)
    # Random weights draw nobody: on faces that is no likeness, and fails a picture of one.
    if connected:
        assert all(map(math.isnan, scores)) and record["cosine"] is None
        assert "not measured, attempt 1 of 2" in told
        assert "attempt 2: new seed, the face asked" in told
    assert record["causes"][-1] == "no face"


def test_a_score_that_something_else_measured_sets_no_scale(studio, vision):
    given = {"character": character(), "lora": lora(), "judge": vision, "tries": 1}
    mine = label(AppearanceEmbedder(vision.clip_vision))
    cosines = run(studio, **given)[1]
    same = run(studio, score=replace(card(), settings={"measured_by": mine}), **given)
    scale = card().calibration
    assert same[1] == pytest.approx([scale.score(cosine) for cosine in cosines])
    assert f"Likeness is {mine}, on the score's scale" in same[2]
    other = run(studio, score=replace(card(), settings={"measured_by": "a doorman"}), **given)
    assert other[1] == cosines and "another model (a doorman)" in other[2]
    assert "the bare cosine with the original" in other[2]


@pytest.mark.slow
def test_in_a_graph_of_the_demo_it_keeps_pictures_with_the_workflow_in_them(
    comfy: Executor, monkeypatch, tmp_path
):
    monkeypatch.setattr(folder_paths, "output_directory", str(comfy.output))
    training = {"steps": 2, "rank": 2, "checkpoint_every": 0, "gradient_checkpointing": False}
    graph = demo_prompt(
        captions=node("FacetCaptionWriter", character=["character", 0]),
        train=node("FacetLoraTrainer", character=["captions", 0], studio=["models", 0], **training),
        studio=studio_node(reference_mode="auto", cfg=2.0, width=128, height=128),
        made=node(
            "FacetCharacterShot",
            studio=["studio", 0],
            judge=["models", 1],
            character=["character", 0],
            lora=["train", 0],
            **{**SMALL, "tries": 2},
        ),
    )
    result = comfy.run(graph)
    assert len(result.list("made", 0)) == len(result.list("made", 1)) == 2
    shown = result.ui["made"]["images"]
    with Image.open(comfy.output / shown[0]["subfolder"] / shown[0]["filename"]) as kept:
        assert json.loads(kept.text["prompt"])["made"]["class_type"] == "FacetCharacterShot"
