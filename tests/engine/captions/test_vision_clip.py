import comfy.sd
import comfy.text_encoders.qwen_image as qwen_image
import pytest
import torch
from comfy.supported_models_base import ClipTarget
from comfy_extras.nodes_textgen import TextGenerate

from facet.engine.captions import vision
from facet.engine.captions.vision import ClipVisionModel
from harness.small_models import small_clip
from harness.text_models import language_model, seeing_language_model


@pytest.fixture(scope="module")
def clip():
    return seeing_language_model()


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(vision, "TOKENS", 6)


@torch.inference_mode()
def test_it_answers_as_comfyui_s_own_node_does(clip):
    image = torch.rand(96, 64, 3, generator=torch.Generator().manual_seed(0))
    said = ClipVisionModel(clip).say(image, "Where is the person?")
    own = TextGenerate.execute(
        clip, "Where is the person?", 6, {"sampling_mode": "off"}, image=image[None]
    )
    assert said == own.args[0] != ""


@torch.inference_mode()
def test_what_it_says_depends_on_the_picture(clip):
    model = ClipVisionModel(clip)
    generator = torch.Generator().manual_seed(0)
    pictures = [torch.rand(64, 64, 3, generator=generator), torch.zeros(64, 64, 3)]
    assert len({model.say(picture, "Where?") for picture in pictures}) == 2


def test_it_is_known_by_its_weights_and_by_what_is_patched_into_it(clip):
    model = ClipVisionModel(clip)
    assert model.name == "Qwen3VL"
    assert model.digest == ClipVisionModel(clip.clone()).digest
    key = next(iter(clip.cond_stage_model.state_dict()))
    patched = clip.clone()
    patched.add_patches({key: (torch.zeros(1),)})
    assert ClipVisionModel(patched).digest != model.digest
    with torch.no_grad():
        weights = dict(clip.cond_stage_model.named_parameters())
        for weight in weights.values():
            weight.add_(0.01)
    assert ClipVisionModel(clip).digest != model.digest


def test_a_text_encoder_that_writes_nothing_is_refused():
    with pytest.raises(ValueError, match="only encodes text and writes none"):
        ClipVisionModel(small_clip())


def test_a_language_model_that_does_not_see_is_refused():
    with pytest.raises(ValueError, match=r"\(Qwen3_4B\) drops the image"):
        ClipVisionModel(language_model())


def test_the_text_encoder_of_qwen_image_is_refused_because_it_drops_the_picture():
    config = {"hidden_size": 48, "intermediate_size": 64, "num_hidden_layers": 1}
    config |= {"num_attention_heads": 2, "num_key_value_heads": 1}
    target = ClipTarget(qwen_image.QwenImageTokenizer, qwen_image.te())
    options = {"qwen25_7b_model_config": config, "initial_device": torch.device("meta")}
    clip = comfy.sd.CLIP(target, model_options=options)
    with pytest.raises(ValueError, match=r"\(Qwen25_7BVLI\) drops the image"):
        ClipVisionModel(clip)
