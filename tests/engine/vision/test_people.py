"""People found by core's detection model, with random weights of its true shape."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from facet.engine.vision.people import check_detector, find_people


@pytest.fixture(scope="module")
def detector() -> Any:
    import comfy.model_management
    import comfy.model_patcher
    import comfy.supported_models

    torch.manual_seed(0)  # of this test's weights
    config = comfy.supported_models.RT_DETR_v4({"image_model": "RT_DETR_v4"})
    config.unet_config = {"image_model": "RT_DETR_v4"}
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model({}, "")
    for name, weight in model.named_parameters():
        torch.nn.init.normal_(weight, 1.0 if "norm" in name else 0.0, 0.02)
    decoder = model.diffusion_model.decoder
    for weight in decoder.decoder.lqe_layers.parameters():
        weight.data.zero_()
    decoder.up.data.fill_(0.5)
    decoder.reg_scale.data.fill_(8.0)
    device = comfy.model_management.get_torch_device()
    return comfy.model_patcher.ModelPatcher(model, device, torch.device("cpu"))


@torch.inference_mode()
def test_people_lie_in_the_picture_and_the_largest_comes_first(detector):
    head = detector.model.diffusion_model.decoder.dec_score_head[-1]
    head.bias.fill_(-4.0)
    head.weight.zero_()
    head.bias[0] = 4.0  # a person in every place
    image = torch.rand(60, 90, 3, generator=torch.Generator().manual_seed(1))
    found = find_people(detector, image)
    assert found
    for person in found:
        x0, y0, x1, y1 = person.box
        assert 0 <= x0 <= x1 <= 90 and 0 <= y0 <= y1 <= 60
    assert [one.area for one in found] == sorted((one.area for one in found), reverse=True)
    head.bias[0], head.bias[1] = -4.0, 4.0  # and now a bicycle
    assert find_people(detector, image) == []


def test_another_model_is_refused_in_a_sentence(demo_models, detector):
    check_detector(detector)
    with pytest.raises(ValueError, match=r"Flux model finds no people; connect an RT-DETR"):
        check_detector(demo_models.model)
