"""Vision-language models of the published architectures, few and narrow layers, as folders.

Their processors are the library's own, over a vocabulary of a few words.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

WORDS = (
    "a in on at the and with of to is Where park room night city street beach grey white blue red "
    "green plain background warm natural low light coat dress shirt wearing none woman person"
).split()
SPECIAL = ["<pad>", "<s>", "</s>", "<unk>", "<image>"]
WIDTH = 32
PATCH = 14
CHAT = (
    "{% for message in messages %}{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ picture }}{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endfor %}{% if add_generation_prompt %} : {% endif %}"
)
PLAIN_CHATS = tuple(
    "{% for message in messages %}" + said + "{% endfor %}"
    "{% if add_generation_prompt %} : {% endif %}"
    for said in ("<image> {{ message['content'] | trim }}", "{{ '<image> ' + message['content'] }}")
)
"""Templates for plain texts, with a picture before each, as JoyCaption has it."""


def tokenizer(special: Iterable[str] = (), picture: str = "<image>") -> Any:
    """A tokenizer that knows whole words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    every = [*SPECIAL, *special, ":", ".", ",", *WORDS]
    known = Tokenizer(models.WordLevel({word: at for at, word in enumerate(every)}, "<unk>"))
    known.pre_tokenizer = pre_tokenizers.Whitespace()
    made = PreTrainedTokenizerFast(
        tokenizer_object=known,
        pad_token="<pad>",
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        extra_special_tokens={"image_token": picture},
    )
    made.add_tokens(list(special), special_tokens=True)
    return made


def _text(vocabulary: int) -> dict[str, Any]:
    return {
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "vocab_size": vocabulary,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
        "bos_token_id": 1,
        "eos_token_id": 2,
    }


def llava(folder: Path, template: str = CHAT.replace("{{ picture }}", "<image>")) -> Any:
    """LLaVA, which JoyCaption is as well: a CLIP tower and a Llama."""
    from transformers import (
        CLIPImageProcessor,
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
        LlavaProcessor,
    )

    words = tokenizer()
    vision = CLIPVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=2 * WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=4 * PATCH,
        patch_size=PATCH,
        projection_dim=WIDTH,
    )
    config = LlavaConfig(
        vision_config=vision,
        text_config=LlamaConfig(**_text(len(words))),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        image_seq_length=16,
    )
    size = {"height": 4 * PATCH, "width": 4 * PATCH}
    pictures = CLIPImageProcessor(size=size, crop_size=size, do_center_crop=False)
    processor = LlavaProcessor(
        pictures,
        words,
        patch_size=PATCH,
        vision_feature_select_strategy="default",
        chat_template=template,
        num_additional_image_tokens=1,
    )
    return _saved(folder, LlavaForConditionalGeneration, config, processor)


def qwen_vl(folder: Path) -> Any:
    """Qwen2.5-VL."""
    from transformers import (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
    )

    marks = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    words = tokenizer(marks, marks[2])
    start, end, picture, video = words.convert_tokens_to_ids(marks)
    config = Qwen2_5_VLConfig(
        text_config=_text(len(words))
        | {
            "rope_parameters": {
                "rope_type": "default",
                "mrope_section": [2, 3, 3],
                "rope_theta": 10000.0,
            },
        },
        vision_config={
            "depth": 2,
            "hidden_size": WIDTH,
            "intermediate_size": 64,
            "num_heads": 2,
            "out_hidden_size": WIDTH,
            "fullatt_block_indexes": [1],
            "window_size": 56,
        },
        image_token_id=picture,
        video_token_id=video,
        vision_start_token_id=start,
        vision_end_token_id=end,
    )
    place = "<|vision_start|><|image_pad|><|vision_end|>"
    processor = Qwen2_5_VLProcessor(
        Qwen2VLImageProcessor(min_pixels=56 * 56, max_pixels=112 * 112),
        words,
        Qwen2VLVideoProcessor(),
        chat_template=CHAT.replace("{{ picture }}", place),
    )
    return _saved(folder, Qwen2_5_VLForConditionalGeneration, config, processor)


def florence(folder: Path) -> Any:
    """Florence-2: a DaViT tower and BART."""
    from transformers import (
        BartConfig,
        CLIPImageProcessor,
        Florence2Config,
        Florence2ForConditionalGeneration,
        Florence2Processor,
        Florence2VisionConfig,
    )

    words = tokenizer()
    vision = Florence2VisionConfig(
        embed_dim=[16, 16, 32, 32],
        num_heads=[2, 2, 2, 2],
        num_groups=[2, 2, 2, 2],
        depths=[1, 1, 1, 1],
        window_size=4,
        projection_dim=WIDTH,
    )
    bart = BartConfig(
        vocab_size=len(words),
        d_model=WIDTH,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=512,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=2,
        forced_eos_token_id=2,
    )
    config = Florence2Config(
        text_config=bart, vision_config=vision, image_token_id=words.image_token_id
    )
    size = {"height": 64, "width": 64}
    pictures = CLIPImageProcessor(size=size, crop_size=size, do_center_crop=False)
    pictures.image_seq_length = 5
    processor = Florence2Processor(pictures, words)
    return _saved(folder, Florence2ForConditionalGeneration, config, processor)


def blip(folder: Path) -> Any:
    """BLIP, the captioner."""
    from transformers import (
        BlipConfig,
        BlipForConditionalGeneration,
        BlipImageProcessor,
        BlipProcessor,
        BlipTextConfig,
        BlipVisionConfig,
    )

    words = tokenizer()
    text = _text(len(words)) | {"encoder_hidden_size": WIDTH, "sep_token_id": 2}
    vision = BlipVisionConfig(
        hidden_size=WIDTH,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=64,
        patch_size=16,
    )
    config = BlipConfig(text_config=BlipTextConfig(**text), vision_config=vision)
    processor = BlipProcessor(BlipImageProcessor(size={"height": 64, "width": 64}), words)
    return _saved(folder, BlipForConditionalGeneration, config, processor)


KINDS: dict[str, Callable[[Path], Any]] = {
    "LLaVA": llava,
    "Qwen2.5-VL": qwen_vl,
    "Florence-2": florence,
    "BLIP": blip,
}


def _saved(folder: Path, kind: Any, config: Any, processor: Any) -> Any:
    """A model with random weights, written to ``folder`` with its processor."""
    torch.manual_seed(0)
    model = kind(config).eval()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Small\n", "utf-8")
    return model


def described(folder: Path) -> dict[str, Any]:
    """The folder's config.json."""
    found: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
    return found
