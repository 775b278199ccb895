import pytest
import torch

from facet.engine.core.character import Character, Provenance, Score, Shot, Tags


def picture(seed: int, height: int = 24, width: int = 16) -> torch.Tensor:
    return torch.rand(height, width, 3, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def character() -> Character:
    """A character with all that a dataset has to keep: masks, weights, scores, an excluded shot."""
    mask = (torch.arange(24 * 16).reshape(24, 16) % 256).float() / 255
    soft = torch.rand(24, 16, generator=torch.Generator().manual_seed(9))
    source = Shot(
        picture(0),
        Provenance("original"),
        mask=mask,
        caption="zqx person, front view, in a café",
        tags=Tags("medium", "front", background="in a café"),
    )
    shots = (
        Shot(
            picture(1),
            Provenance("generated", "demo", "same character", "", 2**63, 2, 3, source.hash),
            mask=soft,
            caption="zqx person, left profile",
            tags=Tags(view="profile_left", details=("a tattoo",)),
            scores=(Score("view", -80.5, 12.0, True, "close"), Score("identity", None, None, None)),
        ),
        Shot(picture(2), Provenance("imported"), caption="zqx person, from behind", weight=2.0),
        Shot(picture(3, 8, 8), Provenance("edited"), caption="zqx person", include=False),
    )
    return Character("Ada Löve/..", "zqx", "person", source, shots)
