"""Families of which little is known; one that needs more gets a module of its own."""

from __future__ import annotations

from .family import Architecture, Family, Form, LoraNames, ReferenceMode

_REFERENCES = (ReferenceMode.REFERENCE_LATENTS,)

SD2 = Family(
    "sd2",
    "Stable Diffusion 2",
    ("SD20",),
    captions=Form.PHRASES,
    lora_names=LoraNames.DIFFUSERS,
    architecture=Architecture(
        "sd_v2", "stable-diffusion-v2-512", "https://github.com/Stability-AI/stablediffusion"
    ),
    licence="CreativeML Open RAIL++-M",
)
SD3 = Family(
    "sd3",
    "Stable Diffusion 3",
    ("SD3",),
    lora_names=LoraNames.KOHYA,
    architecture=Architecture(
        "sd3", "stable-diffusion-3", "https://github.com/Stability-AI/sd3-ref"
    ),
    licence="Stability AI Community License",
)
LUMINA2 = Family(
    "lumina2",
    "Lumina 2",
    ("Lumina2",),
    references=_REFERENCES,
    lora_names=LoraNames.KOHYA,
    architecture=Architecture(
        "lumina", "lumina-2", "https://github.com/Alpha-VLLM/Lumina-Image-2.0"
    ),
    licence="Apache-2.0",
)
LONGCAT = Family(
    "longcat",
    "LongCat-Image",
    ("LongCatImage",),
    references=_REFERENCES,
    lora_names=LoraNames.KOHYA,
)
HIDREAM_O1 = Family(
    "hidream_o1",
    "HiDream-O1",
    ("HiDreamO1",),
    references=_REFERENCES,
    always_edits=True,
    takes_images=True,
)
OMNIGEN2 = Family("omnigen2", "OmniGen 2", ("Omnigen2",), references=_REFERENCES, always_edits=True)
JOYIMAGE = Family("joyimage", "JoyImage", ("JoyImage",), references=_REFERENCES, always_edits=True)
BOOGU = Family("boogu", "Boogu", ("Boogu",), references=_REFERENCES)
MAGEFLOW = Family("mageflow", "MageFlow", ("MageFlow",), references=_REFERENCES)
ANIMA = Family("anima", "Anima", ("Anima",), captions=Form.TAGS)

# CLIP text encoders alone: 77 tokens, short phrases separated by commas.
STABLE_CASCADE = Family(
    "stable_cascade", "Stable Cascade", ("Stable_Cascade_C",), captions=Form.PHRASES
)
HUNYUAN_DIT = Family("hunyuan_dit", "Hunyuan-DiT", ("HunyuanDiT",), captions=Form.PHRASES)

# T5 and language models as text encoders: their own captions are sentences.
HIDREAM = Family("hidream", "HiDream", ("HiDream",))
AURAFLOW = Family("auraflow", "AuraFlow", ("AuraFlow",))
PIXART = Family("pixart", "PixArt", ("PixArtAlpha",))
HUNYUAN_IMAGE = Family("hunyuan_image", "HunyuanImage 2.1", ("HunyuanImage21",))
HUNYUAN_VIDEO = Family("hunyuan_video", "HunyuanVideo", ("HunyuanVideo",))
ERNIE = Family("ernie", "ERNIE-Image", ("ErnieImage",))
KANDINSKY5 = Family("kandinsky5", "Kandinsky 5", ("Kandinsky5Image",))
IDEOGRAM4 = Family("ideogram4", "Ideogram 4", ("Ideogram4",))
PIXELDIT = Family("pixeldit", "PixelDiT", ("PixelDiTT2I",))
LENS = Family("lens", "Lens", ("Lens",))
COSMOS = Family("cosmos", "Cosmos Predict 2", ("CosmosT2IPredict2",))
WAN = Family("wan", "Wan", ("WAN21_T2V", "WAN22_T2V"))

OTHERS = (
    SD2, SD3, LUMINA2, LONGCAT, HIDREAM_O1, OMNIGEN2, JOYIMAGE, BOOGU, MAGEFLOW, ANIMA,
    STABLE_CASCADE, HUNYUAN_DIT, HIDREAM, AURAFLOW, PIXART, HUNYUAN_IMAGE, HUNYUAN_VIDEO, ERNIE,
    KANDINSKY5, IDEOGRAM4, PIXELDIT, LENS, COSMOS, WAN,
)  # fmt: skip
