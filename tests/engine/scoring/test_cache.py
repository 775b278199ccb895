import torch

from facet.engine.scoring.cache import PictureCache, picture_key, weights_key


def test_a_picture_comes_back_as_it_was_given_out(tmp_path):
    cache = PictureCache(tmp_path)
    assert cache.load("a1") is None
    kept = cache.save("a1", torch.rand(9, 7, 3))
    assert torch.equal(cache.load("a1"), kept)


def test_a_picture_that_was_cut_off_is_made_again(tmp_path):
    cache = PictureCache(tmp_path)
    cache.save("a1", torch.rand(9, 7, 3))
    path = tmp_path / "a1.png"
    path.write_bytes(path.read_bytes()[:40])
    assert cache.load("a1") is None


def test_a_picture_whose_inside_is_damaged_is_made_again(tmp_path):
    cache = PictureCache(tmp_path)
    cache.save("a1", torch.rand(9, 7, 3))
    path = tmp_path / "a1.png"
    data = bytearray(path.read_bytes())
    data[data.index(b"IDAT") + 6] ^= 0xFF
    path.write_bytes(data)
    assert cache.load("a1") is None


def test_every_value_of_a_lora_counts():
    weights = {"up": torch.zeros(64, 64), "down": torch.zeros(4, dtype=torch.bfloat16)}
    other = {**weights, "up": weights["up"].clone()}
    assert weights_key(weights) == weights_key(dict(reversed(other.items())))
    other["up"][33, 7] = 1e-6
    assert weights_key(weights) != weights_key(other)


def test_keys_tell_all_their_parts_apart():
    assert picture_key("a", 1) == picture_key("a", 1)
    parts = [("a", 1, ""), ("a", "", 1), ("a", 1), ("a", 2), ("a", "1"), ("a",)]
    assert len({picture_key(*some) for some in parts}) == len(parts)
    assert len(picture_key("x")) == 24
