import json
import random
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import folder_paths
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from facet.engine.comfyui.lora import read_lora
from facet.engine.comfyui.sampling import Sampling
from facet.engine.core.character import Character, Provenance, Shot, Tags
from facet.engine.demo.models import DemoModels
from facet.engine.scoring.calibrate import Calibration
from facet.engine.studio.judge import ALIGNED_FACE, WITHOUT_BACKGROUND, Judge
from facet.engine.training.run_record import Checkpoint, TrainingRun
from facet.engine.vision.embedders import AppearanceEmbedder
from facet.nodes.scoring.scorer import FacetIdentityScorer, write_stamp
from facet.world.demo_people import FIRST
from facet.world.identity import Identity
from facet.world.scene import Scene
from harness.comfy_server import ComfyServer
from harness.face_models import face_embedder
from harness.faces import drawn_picture
from harness.prompts import demo_prompt, node, studio_node
from harness.small_models import small_clip_vision, small_models
from harness.studios import studio_of

QKV = "lora_unet_double_blocks_0_img_attn_qkv"
SMALL = {
    "seed": 1,
    "strengths": "1.0",
    "samples": 2,
    "trigger_only": 1,
    "attributes": 1,
    "leak_probes": 1,
}


@pytest.fixture(scope="module")
def models() -> dict:
    """A studio of small models, and a judge with a CLIP_VISION."""
    return {"studio": studio_of(small_models()), "judge": Judge(clip_vision=small_clip_vision())}


@pytest.fixture(scope="module")
def demo(demo_models: DemoModels) -> dict:
    return {"studio": studio_of(demo_models, side=128), "judge": demo_models.judge()}


def drawn(view: str) -> Character:
    """A person of the demo world, in four pictures from one side."""
    rng = random.Random(0)
    shots = [
        Shot(drawn_picture(Identity.from_seed(FIRST), scene), Provenance("imported"))
        for scene in (Scene.sample(rng, view=view) for _ in range(4))
    ]
    return Character("Ada", "zqx", "person", shots[0], tuple(shots[1:]))


def nothing() -> dict[str, torch.Tensor]:
    """A LoRA for the demo's model that changes nothing."""
    return {
        f"{QKV}.lora_up.weight": torch.zeros(768, 1),
        f"{QKV}.lora_down.weight": torch.ones(1, 256),
    }


@pytest.fixture(autouse=True)
def output(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(folder_paths, "output_directory", str(tmp_path / "output"))
    monkeypatch.setattr(folder_paths, "temp_directory", str(tmp_path / "temp"))
    return tmp_path / "output"


def character(height: int = 64, width: int = 64) -> Character:
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.rand(height, width, 3, generator=generator) for _ in range(3)]
    shots = [
        Shot(picture, Provenance("generated"), caption="zqx person", tags=Tags(view="front"))
        for picture in pictures
    ]
    return Character("Ada", "zqx", "person", shots[0], tuple(shots[1:]))


def lora() -> dict[str, torch.Tensor]:
    return {
        f"{QKV}.lora_up.weight": torch.ones(384, 1),
        f"{QKV}.lora_down.weight": torch.ones(1, 128),
    }


def run_in(folder: Path, **changes) -> TrainingRun:
    folder.mkdir()
    points = []
    for step in (1, 2):
        path = folder / f"{step}.safetensors"
        save_file({key: value * step for key, value in lora().items()}, path)
        points.append(Checkpoint(step, path, 0.5))
    values = {
        "character_name": "Ada",
        "character_hash": character().hash,
        "trigger": "zqx",
        "class_word": "person",
        "folder": folder,
        "settings": {},
        "checkpoints": tuple(points),
    }
    return TrainingRun(**{**values, **changes})


def test_a_run_is_scored_and_its_best_lora_and_report_come_out(models, tmp_path, output):
    with torch.inference_mode():
        result = FacetIdentityScorer.execute(
            character(), run=run_in(tmp_path / "run"), **models, **SMALL
        )
    card, report, best, verdict = result.args
    assert [tried.step for tried in card.tried] == [1, 2]
    assert best[f"{QKV}.lora_up.weight"].unique().item() == card.best.step
    assert report.shape[0] == 1 and report.shape[2:] == (1600, 3)
    folder = output / "facet" / "Ada" / "report"
    assert json.loads((folder / "score.json").read_text())["verdict"] == verdict == card.verdict


def test_a_lora_alone_is_scored_at_each_strength(models):
    widgets = {**SMALL, "strengths": "0.5, 1.0"}
    card = FacetIdentityScorer.execute(character(), lora=lora(), **models, **widgets).args[0]
    assert [tried.strength for tried in card.tried] == [0.5, 1.0]


@pytest.mark.parametrize("size", [(8, 8), (40, 130)])
def test_an_original_of_any_size_is_scored(models, size):
    studio = replace(models["studio"], sampling=Sampling(steps=1, cfg=1.0))
    given = {**models, "studio": studio, **SMALL, "samples": 1}
    card = FacetIdentityScorer.execute(character(*size), lora=lora(), **given).args[0]
    assert card.settings["width"] >= 64 and card.settings["width"] % 16 == 0


def test_a_run_of_another_dataset_is_named_in_the_report(models, tmp_path):
    run = run_in(tmp_path / "run", character_hash="other")
    card = FacetIdentityScorer.execute(character(), run=run, **models, **SMALL).args[0]
    assert any("trained on other images" in note for note in card.notes)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "connect a training run or a LoRA"),
        ({"lora": {"strange.weight": torch.ones(1)}}, "do not belong to this model"),
        ({"lora": lora(), "strengths": "much"}, "The strength 'much' cannot be used"),
        ({"lora_name": "nowhere.safetensors"}, "is in no folder of LoRAs"),
        ({"lora": lora(), "judge": Judge()}, "The judge measures no similarity; connect a CLIP_V"),
        (
            {"lora": lora(), "judge": Judge(object(), face_embedder=face_embedder())},
            "a face embedder and no CLIP_VISION, by which copies",
        ),
    ],
)
def test_what_cannot_be_scored_is_one_sentence_and_leaves_nothing(
    models, changes, sentence, output
):
    with pytest.raises(ValueError, match=rf"^Facet Identity Scorer: .*{sentence}"):
        FacetIdentityScorer.execute(character(), **{**models, **SMALL, **changes})
    made = {path.name for path in output.rglob("*") if path.is_file()}
    assert made <= {"character.json"}


@pytest.fixture
def loras(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "loras"
    folder.mkdir()
    save_file(lora(), folder / "mine.safetensors", {"ss_output_name": "mine"})
    listed = ([str(folder)], folder_paths.supported_pt_extensions)
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "loras", listed)
    return folder


@pytest.mark.parametrize("content", [b"", b"no LoRA at all", b"\x20\0\0\0\0\0\0\0{"])
def test_a_damaged_lora_is_named_before_anything_is_made(models, loras, output, content):
    (loras / "mine.safetensors").write_bytes(content)
    widgets = {**SMALL, "lora_name": "mine.safetensors"}
    with pytest.raises(
        ValueError, match=r"^Facet Identity Scorer: mine\.safetensors cannot be read"
    ):
        FacetIdentityScorer.execute(character(), **models, **widgets)
    made = {path.name for path in output.rglob("*") if path.is_file()}
    assert made <= {"character.json"}


def test_a_character_of_one_picture_gets_its_pictures_and_is_told_why_there_is_no_scale(demo):
    alone = replace(drawn("front"), shots=())
    card, report, _, verdict = FacetIdentityScorer.execute(
        alone, lora=nothing(), **demo, **SMALL
    ).args
    assert "no accepted shot besides the original" in verdict
    assert card.best.identity.value is None and len(card.best.samples) == 5
    assert report.shape[2:] == (1600, 3)


def test_pictures_without_any_face_are_no_error(demo):
    behind = drawn("back")
    card = FacetIdentityScorer.execute(behind, lora=nothing(), **demo, **SMALL).args[0]
    assert card.best.metrics["views"].value is None and card.best.metrics["faces"].value is None
    assert any("finds no face in the original" in note for note in card.notes)
    faces = {**demo, "judge": replace(demo["judge"], look_at=ALIGNED_FACE)}
    with pytest.raises(ValueError, match="finds no face in the original picture; use another"):
        FacetIdentityScorer.execute(behind, lora=nothing(), **faces, **SMALL)


def test_any_lora_of_the_folders_is_scored_and_stays_as_it_is(models, loras):
    path = loras / "mine.safetensors"
    before = path.read_bytes()
    widgets = {**SMALL, "lora_name": "mine.safetensors"}
    card = FacetIdentityScorer.execute(character(), **models, **widgets).args[0]
    assert card.best.label == "mine at strength 1"
    assert path.read_bytes() == before
    stamped = replace(card, calibration=Calibration((0.1, 0.2), (0.8, 0.9)))
    state = FacetIdentityScorer.fingerprint_inputs("mine.safetensors")
    write_stamp(stamped)
    # The weights are the same, so ComfyUI need not score them again.
    assert FacetIdentityScorer.fingerprint_inputs("mine.safetensors") == state != ""
    assert path.read_bytes() == before
    metadata = read_lora(path).metadata
    told = json.loads(metadata["facet.score"])
    assert told["verdict"] == stamped.verdict and told["strength"] == 1.0
    assert told["dataset_hash"] == character().hash
    assert metadata["ss_output_name"] == "mine"


def test_what_was_made_once_is_not_made_again(models, output):
    pictures = output / "facet" / "Ada" / "report" / "pictures"
    first = FacetIdentityScorer.execute(character(), lora=lora(), **models, **SMALL).args[0]
    made = {path: path.stat().st_mtime_ns for path in pictures.glob("*.png")}
    assert len(made) == 10  # two scenes and three probes, without the LoRA and with it
    again = FacetIdentityScorer.execute(character(), lora=lora(), **models, **SMALL).args[0]
    assert again.rows() == first.rows()
    assert {path: path.stat().st_mtime_ns for path in pictures.glob("*.png")} == made
    FacetIdentityScorer.execute(character(), lora=lora(), **models, **{**SMALL, "strengths": "0.5"})
    assert len(list(pictures.glob("*.png"))) == 15


def test_people_are_looked_at_without_their_background(demo):
    person = drawn("front")
    judge = replace(demo["judge"], look_at=WITHOUT_BACKGROUND)
    given = {**demo, "judge": judge, **SMALL}
    card = FacetIdentityScorer.execute(person, lora=nothing(), **given).args[0]
    assert card.settings["measured_by"].endswith("without background")
    assert card.best.metrics["figures"].count == len(card.best.samples)
    alone = AppearanceEmbedder(judge.clip_vision, WITHOUT_BACKGROUND)
    images = [shot.image for shot in person.pictures]
    masks = [judge.background.encode_image(image[None])[0] for image in images]
    vectors = alone.embed(images, masks).vectors
    cosines = vectors[1:] @ vectors[0]
    assert torch.tensor(card.calibration.positives).allclose(cosines, atol=1e-4)


def test_own_prompts_take_the_place_of_the_suite(models):
    widgets = {**SMALL, "prompts": "left profile, in a kitchen\nleak: smiling"}
    card = FacetIdentityScorer.execute(character(), lora=lora(), **models, **widgets).args[0]
    assert [one.text for one in card.best.scenes] == ["zqx person, left profile, in a kitchen"]
    assert "zqx person, smiling" in {one.text for one in card.best.samples}


def test_leaks_alone_are_no_scene(models):
    with pytest.raises(ValueError, match=r"^Facet Identity Scorer: There is no prompt to score on"):
        FacetIdentityScorer.execute(
            character(), lora=lora(), **models, **{**SMALL, "prompts": "leak: smiling"}
        )


@pytest.mark.slow
def test_comfyui_scores_a_lora_again_only_when_its_file_was_replaced(comfy, loras, demo_models):
    model = demo_models.model.model.diffusion_model
    up, down = model.double_blocks[0].img_attn.qkv.weight.shape

    def put(scale: float) -> None:
        weights = {
            f"{QKV}.lora_up.weight": torch.full((up, 1), scale),
            f"{QKV}.lora_down.weight": torch.ones(1, down),
        }
        save_file(weights, loras / "demo.safetensors")

    few = {"samples": 1, "trigger_only": 0, "attributes": 0, "leak_probes": 0}
    links = {"character": ["character", 0], "studio": ["studio", 0], "judge": ["models", 1]}
    graph = demo_prompt(
        studio=studio_node(),
        score=node("FacetIdentityScorer", **links, **few, lora_name="demo.safetensors"),
    )

    def scored() -> bool:  # ComfyUI writes what it found into the prompt that it is given
        return "score" not in comfy.run(deepcopy(graph)).cached

    put(1e-3)
    assert scored()
    assert not scored()
    put(2e-3)
    assert scored()


def test_a_lora_that_is_linked_or_gone_has_no_state(loras):
    assert FacetIdentityScorer.fingerprint_inputs(lora_name=None, seed=None) == ""
    assert FacetIdentityScorer.fingerprint_inputs(lora_name="gone.safetensors") == ""
    assert FacetIdentityScorer.fingerprint_inputs() == ""


def held_out_graph(server: ComfyServer, folder: Path, held_out: torch.Tensor) -> dict:
    """A person of four uploaded pictures, scored with one held out."""
    weights = {key: value.contiguous() for key, value in nothing().items()}
    loras = server.output.parent / "models" / "loras"
    loras.mkdir(parents=True, exist_ok=True)
    save_file(weights, loras / "nothing.safetensors")
    person = drawn("front")
    links = {"character": ["shots", 0], "studio": ["studio", 0], "judge": ["models", 1]}
    images = {}
    for name, image in (
        ("source", person.source.image),
        *((f"shot{n}", shot.image) for n, shot in enumerate(person.shots)),
        ("held", held_out),
    ):
        path = folder / f"{name}.png"
        Image.fromarray((image * 255).round().to(torch.uint8).numpy()).save(path)
        images[name] = node("LoadImage", image=server.upload(path))
    return {
        "models": node("FacetDemoModels"),
        **images,
        "begin": node(
            "FacetCharacter",
            image=["source", 0],
            name="Held",
            trigger="zqx",
            class_word="person",
        ),
        "two": node("ImageBatch", image1=["shot0", 0], image2=["shot1", 0]),
        "three": node("ImageBatch", image1=["two", 0], image2=["shot2", 0]),
        "shots": node("FacetImagesToShots", character=["begin", 0], images=["three", 0]),
        "studio": studio_node(width=128, height=128, steps=4),
        "score": node(
            "FacetIdentityScorer",
            **links,
            **{**SMALL, "samples": 4},
            lora_name="nothing.safetensors",
            held_out=["held", 0],
        ),
    }


@pytest.mark.slow
def test_a_picture_held_out_is_measured_over_the_api(server, tmp_path):
    rng = random.Random(9)
    fresh = drawn_picture(Identity.from_seed(FIRST), Scene.sample(rng, view="front"))
    run = server.run(held_out_graph(server, tmp_path, fresh))
    assert run.status == "success", run.error
    folder = server.output / "facet" / "Held" / "report"
    score = json.loads((folder / "score.json").read_text())
    assert score["held_out"]["count"] == 4 and score["held_out"]["value"] is not None
    assert len(score["held_out_calibration"]["positives"]) == 1
    assert score["settings"]["held_out_pictures"] == 1
    assert "cosine_with_held_out" in (folder / "score.csv").read_text().splitlines()[0]
    assert "Held out: nobody has seen it" in (folder / "report.html").read_text()
    assert "held_out" in json.loads((folder / "summary.json").read_text())["numbers"]


@pytest.mark.slow
def test_a_picture_of_the_dataset_is_refused_over_the_api_before_anything_is_made(server, tmp_path):
    shown = drawn("front").shots[1].image[6:-6, 6:-6]
    run = server.run(held_out_graph(server, tmp_path, shown))
    assert "Held-out picture 1 is a picture of the dataset over again" in run.error
