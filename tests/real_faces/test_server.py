"""A prompt with a photograph and real networks runs in a real ComfyUI."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image

from facet.engine.vision.faces import find_face
from facet.real_faces.models import RealFaces
from harness.comfy_server import ComfyServer


def test_a_photograph_smiles(real_faces: RealFaces, server: ComfyServer) -> None:
    photograph = real_faces.photographs["audrey"]
    prompt: dict[str, Any] = {
        "1": {"class_type": "RealFaceModels", "inputs": {}},
        "2": {"class_type": "LoadImage", "inputs": {"image": server.upload(photograph.path)}},
        "3": {"class_type": "FacetJudge", "inputs": {"face_detection_model": ["1", 0]}},
        "4": {
            "class_type": "FacetExpressionEditor",
            "inputs": {"image": ["2", 0], "judge": ["3", 0], "preset": "smile", "strength": 1.0},
        },
        "5": {"class_type": "PreviewImage", "inputs": {"images": ["4", 0]}},
    }
    run = server.run(prompt)
    assert run.status == "success", run.error
    [picture] = run.outputs["5"]["images"]
    with Image.open(server.server.base / "temp" / picture["filename"]) as opened:
        image = torch.from_numpy(np.asarray(opened.convert("RGB"), dtype=np.float32) / 255)
    before, after = (find_face(real_faces.model, one) for one in (photograph.image, image))
    assert before is not None and after is not None
    smiled = [face.blendshapes["mouthSmileLeft"] for face in (before, after)]
    assert smiled[0] < 0.2 < 0.4 < smiled[1]
