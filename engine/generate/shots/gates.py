"""The gates: each measures one thing in a shot and holds it to a threshold.

docs/adding-a-gate.md says how to add one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, dataclass, field, fields
from typing import Any

import torch

from ...core.character import Score, Tags
from ...vision.embedding import embed
from ...vision.framing import ADULTS, PROFILES, bands_of, framing_of
from ...vision.measures import PHOTOGRAPHED, FaceMeasures, measures_of
from ...vision.pose import CONFIDENCE, NOSE, PoseModel
from ...vision.similarity import least_alike, small
from .reading import Reading, ShotMeter

VIEW_GATE = "view"
FRAMING_GATE = "framing"
PERSONS_GATE = "persons"
IDENTITY_GATE = "identity"
SHARPNESS_GATE = "sharpness"
DUPLICATE_GATE = "duplicate"
THUMBNAIL = 48
NO_FACE_MODEL = "skipped: no FACE_DETECTION_MODEL is connected"


def threshold(
    gate: str, default: float, low: float, high: float, step: float = 0.01
) -> Callable[[str], Any]:
    """A field of `Thresholds`, its gate and its range, to be called with what a person is told."""
    known = {"gate": gate, "low": low, "high": high, "step": step}
    return lambda text: field(default=default, metadata={**known, "text": text})


@dataclass(frozen=True)
class Thresholds:
    """How strict the gates are.

    max_yaw_error, min_pitch: degrees. min_identity: cosine with the original for a shot from the
    front; the three shares of it hold for shots turned further. close_up_face, full_face: heights
    of the face as shares of the visible height, 0 for those of the people whom the face model
    knows. min_sharpness: share of the original's. max_alike: SSIM where two shots differ most,
    max_same_embedding: their cosine; both have to be exceeded. off: gates that are not used.
    """

    max_yaw_error: float = threshold(VIEW_GATE, 12.0, 1, 90, 1)(
        "Largest deviation of the face's yaw from the view asked for, in degrees; 12 is "
        "recommended."
    )
    min_identity: float = threshold(IDENTITY_GATE, 0.5, -1, 1)(
        "Minimum similarity to the original for a shot from the front: cosine of the CLIP_VISION "
        "embeddings. About 0.5 for the demo encoder, 0.6 for DINOv2, 0.8 for CLIP and SigLIP."
    )
    min_pitch: float = threshold(VIEW_GATE, 10.0, 0, 60, 1)(
        "Minimum pitch of the face in views from above and below, in degrees; 10 is recommended."
    )
    three_quarter_identity: float = threshold(IDENTITY_GATE, 0.95, 0, 1)(
        "Share of min_identity that three-quarter views have to reach."
    )
    profile_identity: float = threshold(IDENTITY_GATE, 0.85, 0, 1)(
        "Share of min_identity that profiles have to reach: half a face gives a lower similarity."
    )
    back_identity: float = threshold(IDENTITY_GATE, 0.75, 0, 1)(
        "Share of min_identity that back views have to reach."
    )
    close_up_face: float = threshold(FRAMING_GATE, 0.0, 0, 1)(
        "Minimum height of the face in a close-up, as a share of the image or of the person. 0 "
        "takes 0.27, which suits adults; the demo's people have their own."
    )
    full_face: float = threshold(FRAMING_GATE, 0.0, 0, 1)(
        "Maximum height of the face in a full-body shot, as a share of the image. 0 takes 0.13, "
        "which suits adults; figures with large heads need more."
    )
    min_sharpness: float = threshold(SHARPNESS_GATE, 0.3, 0, 2)(
        "Minimum sharpness, as a share of the original's at the same size; 0.3 is recommended."
    )
    max_alike: float = threshold(DUPLICATE_GATE, 0.8, 0, 1)(
        "A shot counts as a duplicate when its SSIM with another, taken in the region where they "
        "differ most, is above this."
    )
    max_same_embedding: float = threshold(DUPLICATE_GATE, 0.95, 0, 1)(
        "A duplicate's embedding also has a cosine above this with the other's; both have to be "
        "exceeded. Needs a CLIP_VISION."
    )
    off: frozenset[str] = frozenset()

    def identity(self, yaw: float | None) -> float:
        """The least cosine for a shot turned by ``yaw`` degrees; None for unknown."""
        turned = abs(yaw or 0.0)
        if turned < 30:
            return self.min_identity
        share = self.three_quarter_identity if turned < 65 else self.profile_identity
        # A negative threshold is one that lets everything pass, at any yaw.
        return self.min_identity * (self.back_identity if turned > 120 else share)


@dataclass(frozen=True, eq=False)
class ShotLook:
    """What a shot is known again by: thumbnail (3, 48, 48), embedding (D,) or empty, its hash."""

    thumbnail: torch.Tensor
    embedding: torch.Tensor
    hash: str


def look(image: torch.Tensor, reading: Reading, name: str) -> ShotLook:
    """The look of ``image`` (H, W, 3) with the hash ``name``."""
    return ShotLook(small(image, THUMBNAIL), torch.tensor(reading.embedding), name)


@dataclass(frozen=True, eq=False)
class Seen:
    """All that a gate may look at: what was read in a picture, and what it was asked to show.

    bands: of the framings, see ``vision.framing``. measures: of the face model. original: its
    embedding (D,), or None. this, others: the picture's look, and those of the shots that it may
    not repeat.
    """

    reading: Reading
    tags: Tags
    thresholds: Thresholds
    bands: tuple[float, float] = ADULTS
    measures: FaceMeasures = PHOTOGRAPHED
    original: torch.Tensor | None = None
    this: ShotLook | None = None
    others: tuple[ShotLook, ...] = ()


def view(seen: Seen) -> Score:
    """The yaw of the face against that of the view, its pitch from above and below; from behind,
    that there is no face."""
    reading, tags, limit = seen.reading, seen.tags, seen.thresholds.max_yaw_error
    if tags.yaw is None:
        return Score(VIEW_GATE, None, None, None, "the shot asks for no measurable view")
    if not reading.face_model:
        return Score(VIEW_GATE, None, None, None, NO_FACE_MODEL)
    if tags.view == "back":
        return _from_behind(seen, limit)
    if tags.view in ("top", "low"):
        return _from_above_or_below(reading, tags.view, seen.thresholds.min_pitch)
    if reading.yaw is None and tags.view in PROFILES and reading.shows_somebody:
        note = "not measured: no face was found in somebody who may be in profile"
        return Score(VIEW_GATE, None, limit, None, note)
    if reading.yaw is None:
        return Score(VIEW_GATE, None, limit, False, "no face was found")
    error = abs(reading.yaw - tags.yaw)
    note = "" if error <= limit else f"yaw {reading.yaw:+.0f}° instead of {tags.yaw:+.0f}°"
    return Score(VIEW_GATE, reading.yaw, limit, error <= limit, note)


def _from_behind(seen: Seen, limit: float) -> Score:
    reading = seen.reading
    if reading.faces:
        return Score(VIEW_GATE, reading.yaw, limit, False, "a face shows in a back view")
    if reading.pose and reading.pose[3 * NOSE + 2] >= CONFIDENCE:
        return Score(VIEW_GATE, None, limit, False, "the nose shows in a back view")
    if reading.person_model and not reading.people:
        return Score(VIEW_GATE, None, limit, False, "nobody is in the picture")
    if reading.pose or seen.measures.sees_everybody:
        return Score(VIEW_GATE, 180.0, limit, True, "no face, as asked")
    missing = "" if reading.person_model else ", and no person_detector looks for somebody"
    return Score(VIEW_GATE, None, limit, None, f"not measured: no face was found{missing}")


def _from_above_or_below(reading: Reading, asked: str, limit: float) -> Score:
    if reading.pitch is None:
        return Score(VIEW_GATE, None, limit, False, "no face was found")
    # Seen from above, a level head points its nose to the lower edge of the picture.
    passed = reading.pitch <= -limit if asked == "top" else reading.pitch >= limit
    side = "above" if asked == "top" else "below"
    note = "" if passed else f"pitch {reading.pitch:+.0f}°, not seen from {side}"
    return Score(VIEW_GATE, reading.pitch, limit, passed, note)


def framing(seen: Seen) -> Score:
    """The height of the face against what is visible of the person, or else of the picture."""
    reading, tags = seen.reading, seen.tags
    if tags.framing not in ("close_up", "medium", "full"):
        return Score(FRAMING_GATE, None, None, None, "the shot asks for no measurable framing")
    if not reading.face_model:
        return Score(FRAMING_GATE, None, None, None, NO_FACE_MODEL)
    if reading.face_height is None:
        return Score(FRAMING_GATE, None, None, None, "skipped: no face to measure it by")
    close = seen.thresholds.close_up_face or seen.bands[0]
    full = seen.thresholds.full_face or seen.bands[1]
    share = reading.face_height / (reading.person_height or 1.0)
    found = framing_of(share, (close, full))
    limit = full if tags.framing == "full" or found == "full" else close
    passed = found == tags.framing
    words = {"close_up": "a close-up", "medium": "a medium shot", "full": "a full-body shot"}
    note = "" if passed else f"{words[found]} instead of {words[tags.framing]}"
    return Score(FRAMING_GATE, share, limit, passed, note)


def persons(seen: Seen) -> Score:
    """How many people there are: by faces, and by whole people where these are detected too."""
    reading = seen.reading
    if not (reading.face_model or reading.person_model):
        return Score(PERSONS_GATE, None, None, None, NO_FACE_MODEL)
    count = max(reading.faces, reading.people)
    if count > 1:
        return Score(PERSONS_GATE, float(count), 1.0, False, f"{count} people are in it")
    if not (count or reading.pose or seen.measures.sees_everybody):
        return Score(PERSONS_GATE, 0.0, 1.0, None, "nobody was found")
    note = "" if reading.person_model else "by faces alone: no person_detector is connected"
    return Score(PERSONS_GATE, float(count), 1.0, True, note)


def identity(seen: Seen) -> Score:
    """Cosine of the picture's embedding with the original's, held to what its yaw allows."""
    reading, asked = seen.reading, seen.tags.yaw
    if seen.original is None or not reading.embedding:
        return Score(IDENTITY_GATE, None, None, None, "skipped: no CLIP_VISION is connected")
    cosine = float(torch.tensor(reading.embedding) @ seen.original)
    limit = seen.thresholds.identity(reading.yaw if asked is None else asked)
    passed = cosine >= limit
    note = "" if passed else f"only {cosine:.2f} like the original"
    return Score(IDENTITY_GATE, cosine, limit, passed, note)


def sharpness(seen: Seen) -> Score:
    """Sharpness as a share of the original's."""
    value, limit = seen.reading.sharpness, seen.thresholds.min_sharpness
    if value is None:
        return Score(SHARPNESS_GATE, None, None, None, "skipped: it was not measured")
    note = "" if value >= limit else f"blurred: {value:.0%} of the original's sharpness"
    return Score(SHARPNESS_GATE, value, limit, value >= limit, note)


def duplicate(seen: Seen) -> Score:
    """How alike the shot is to the nearest other one, where the two differ most."""
    this, thresholds = seen.this, seen.thresholds
    others = [one for one in seen.others if this is not None and one.hash != this.hash]
    if this is None or not others:
        return Score(DUPLICATE_GATE, None, None, None, "there is no other shot yet")
    alike = least_alike(this.thumbnail, torch.stack([other.thumbnail for other in others]))
    nearest = int(alike.argmax())
    value, limit, other = float(alike[nearest]), thresholds.max_alike, others[nearest]
    same = value > limit
    if this.embedding.numel() and this.embedding.shape == other.embedding.shape:
        same = same and float(this.embedding @ other.embedding) > thresholds.max_same_embedding
    note = "the same picture as another one" if same else ""
    return Score(DUPLICATE_GATE, value, limit, not same, note)


@dataclass(frozen=True)
class Gate:
    """A gate: its name, what its switch ``check_<name>`` is told to be, and what it says."""

    name: str
    text: str
    score: Callable[[Seen], Score]

    @property
    def thresholds(self) -> list[Field[Any]]:
        """The fields of `Thresholds` that belong to it, in order."""
        return [one for one in fields(Thresholds) if one.metadata.get("gate") == self.name]


SHOT_GATES = (
    Gate(
        VIEW_GATE,
        "Whether the face has to look in the direction asked for. Recommended on.",
        view,
    ),
    Gate(
        FRAMING_GATE,
        "Whether a close-up has to be a close-up, and a full body a full body. Recommended on.",
        framing,
    ),
    Gate(
        PERSONS_GATE,
        "Whether a second person fails a shot. Recommended on.",
        persons,
    ),
    Gate(
        IDENTITY_GATE,
        "Whether a shot has to be similar to the original. Recommended on.",
        identity,
    ),
    Gate(
        SHARPNESS_GATE,
        "Whether a blurred shot fails. Recommended on.",
        sharpness,
    ),
    Gate(
        DUPLICATE_GATE,
        "Whether a duplicate of the original or of an accepted shot fails. Recommended on.",
        duplicate,
    ),
)
"""Every gate, in the order in which its score stands in a shot."""
GATES = tuple(gate.name for gate in SHOT_GATES)


class Gates:
    """Measures shots against one original.

    A model that is None skips its gates, and the scores say so. ``face_model`` is what goes over
    FACE_DETECTION_MODEL, ``clip_vision`` a CLIP_VISION, ``person_detector`` an RT-DETR MODEL,
    ``pose_model`` core's SDPose.
    """

    def __init__(
        self,
        source: torch.Tensor,
        thresholds: Thresholds,
        face_model: Any = None,
        clip_vision: Any = None,
        person_detector: Any = None,
        pose_model: PoseModel | None = None,
        gates: tuple[Gate, ...] = SHOT_GATES,
    ) -> None:
        self.thresholds, self.gates = thresholds, gates
        self.meter = ShotMeter(source, face_model, clip_vision, person_detector, pose_model)
        self.bands, self.measures = bands_of(face_model), measures_of(face_model)
        self.source_embedding = None if clip_vision is None else embed(clip_vision, source[None])[0]

    def read(self, image: torch.Tensor, known: Reading | None = None) -> Reading:
        """What there is to see in ``image`` (H, W, 3); see ``ShotMeter.read``."""
        return self.meter.read(image, known)

    def judge(
        self,
        reading: Reading,
        tags: Tags,
        this: ShotLook | None = None,
        others: Sequence[ShotLook] = (),
    ) -> tuple[Score, ...]:
        """Every gate's score for a picture that was asked to show ``tags``.

        this, others: its look and those of the shots that it may not repeat.
        """
        seen = Seen(
            reading,
            tags,
            self.thresholds,
            self.bands,
            self.measures,
            self.source_embedding,
            this,
            tuple(others),
        )
        scores = []
        for gate in self.gates:
            if gate.name == DUPLICATE_GATE and this is None:
                continue
            score = gate.score(seen)
            if gate.name in self.thresholds.off:
                score = Score(score.gate, score.value, None, None, "switched off")
            scores.append(score)
        return tuple(scores)

    def measure(self, image: torch.Tensor, tags: Tags) -> tuple[Score, ...]:
        """Every gate's score for ``image`` (H, W, 3) that was asked to show ``tags``."""
        return self.judge(self.read(image), tags)
