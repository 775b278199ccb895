"""What is encoded once is found again, and never anything else."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from facet.engine.core.character import Shot
from facet.engine.training.data.buckets import View
from facet.engine.training.data.caches import Cache, content_key
from facet.engine.training.data.conditioning import encode_captions
from facet.engine.training.data.pictures import encode_views
from harness.small_models import SmallModels, small_clip

VALUE: dict[str, Any] = {
    "cross_attn": torch.randn(1, 7, 5, generator=torch.Generator().manual_seed(0)),
    "half": torch.ones(2, dtype=torch.bfloat16),
    "nothing": None,
    "sizes": [1, (2.5, True)],
    "more": {"text": "zqx", "scalar": torch.tensor(3)},
}


def unexpected() -> Any:
    pytest.fail("made again")


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and one == other


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*"))


def test_a_value_comes_back_as_it_was(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    with torch.inference_mode():
        cache.fetch("captions", "a", lambda: VALUE)
        found = Cache(tmp_path).fetch("captions", "a", unexpected)
    assert same(found, VALUE)
    assert not found["cross_attn"].is_inference()


@pytest.mark.parametrize("place", [0, 4, 60, -3, -1])
def test_a_damaged_file_is_made_again(tmp_path: Path, place: int) -> None:
    cache = Cache(tmp_path)
    cache.fetch("captions", "a", lambda: VALUE)
    (path,) = files(tmp_path)
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert same(cache.fetch("captions", "a", lambda: VALUE), VALUE)
    assert path.read_bytes() != data
    assert same(cache.fetch("captions", "a", unexpected), VALUE)


@pytest.mark.parametrize("data", [b"", b"\x00" * 100, b"\x80\x04K\x01."])
def test_anything_else_in_its_place_is_never_used(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "captions").mkdir()
    (tmp_path / "captions" / "a.safetensors").write_bytes(data)
    assert Cache(tmp_path).fetch("captions", "a", lambda: 3) == 3
    assert Cache(tmp_path).fetch("captions", "a", unexpected) == 3


def test_what_is_more_than_tensors_and_numbers_is_not_kept(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    for _ in range(2):
        assert cache.fetch("captions", "a", lambda: {"hooks": object}) == {"hooks": object}
    assert files(tmp_path) == []


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "captions").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="lies outside"):
        Cache(tmp_path / "cache").fetch("captions", "a", lambda: 3)
    assert not list(tmp_path.glob("*.safetensors"))


def test_the_files_unused_for_longest_make_room(tmp_path: Path) -> None:
    cache = Cache(tmp_path, limit=2500)
    for age, key in enumerate("abc"):
        cache.fetch("latents", key, lambda: torch.zeros(200))
        os.utime(tmp_path / "latents" / f"{key}.safetensors", (1000 + age, 1000 + age))
    cache.fetch("latents", "a", unexpected)
    cache.trim()
    assert [path.stem for path in files(tmp_path)] == ["a", "c"]


def test_pictures_and_captions_are_encoded_once(
    models: SmallModels, picture: Callable[..., Shot], tmp_path: Path, monkeypatch: Any
) -> None:
    looks = [View(picture(0), (64, 64)), View(picture(0), (64, 64), True, 0.5)]
    cache = Cache(tmp_path)

    def encoded() -> list[torch.Tensor]:
        samples = encode_views(models.model.model, models.vae, looks, cache=cache)
        prompts = encode_captions(models.clip, ["zqx person", ""], cache)
        return [s.latent for s in samples] + [p["cross_attn"] for p in prompts.values()]

    first = encoded()
    monkeypatch.setattr(models.vae, "encode", lambda _: unexpected())
    monkeypatch.setattr(models.clip, "encode_from_tokens_scheduled", lambda _: unexpected())
    assert all(map(torch.equal, first, encoded()))
    assert len(files(tmp_path)) == 4


def test_another_text_encoder_or_size_is_encoded_anew(
    models: SmallModels, picture: Callable[..., Shot], tmp_path: Path
) -> None:
    cache = Cache(tmp_path)
    other = small_clip()
    for weight in other.cond_stage_model.parameters():
        weight.data.mul_(1.1)
    skipping = models.clip.clone()
    skipping.clip_layer(-2)
    found = [encode_captions(clip, ["a"], cache) for clip in (models.clip, other, skipping)]
    assert len({float(one["a"]["cross_attn"].double().sum()) for one in found}) == 3
    for size in ((64, 64), (64, 128)):
        encode_views(models.model.model, models.vae, [View(picture(0), size)], cache=cache)
    encode_views(models.model.model, models.vae, [View(picture(1), (64, 64))], cache=cache)
    assert len(list((tmp_path / "latents").iterdir())) == 3


def test_keys_tell_contents_apart() -> None:
    assert content_key("a", 1) == content_key("a", 1)
    assert len({content_key("a", 1), content_key("a1"), content_key("a", "1")}) == 3
