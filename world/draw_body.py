"""Draws the body with its clothes."""

from __future__ import annotations

import math
import random

from .canvas import Canvas, Point, smooth
from .head import Head
from .palette import COLOURS, Colour, jitter, mix, shade, tint
from .scene import Scene

SHOULDER_Y, WAIST_Y, HIP_Y, KNEE_Y, FOOT_Y = 1.38, 2.3, 2.75, 3.6, 4.42


class Body:
    """A body in one scene: places the joints and draws the layers in order."""

    def __init__(self, canvas: Canvas, head: Head, scene: Scene, rng: random.Random):
        self.canvas, self.head, self.scene = canvas, head, scene
        self.skin = head.identity.skin_rgb
        self.top = jitter(COLOURS[scene.top_colour], rng, 6)
        self.bottom = jitter(COLOURS[scene.bottom_colour], rng, 6)
        if scene.top == "dress":
            self.bottom = self.top
        self.flat = abs(head.facing)
        self.half = head.identity.body_width * (0.62 + 0.16 * self.flat)
        self.reach = head.identity.body_width * 0.74

    def arm(self, sign: int) -> tuple[Point, Point, Point, float]:
        """Shoulder, elbow and hand of the right (-1) or left (1) arm, and the shoulder's depth."""
        azimuth = sign * math.pi / 2 + self.head.yaw
        x, depth = self.reach * math.sin(azimuth), math.cos(azimuth)
        turned = self.flat < 0.35
        out = math.copysign(1, self.head.side) if turned else math.copysign(1, x)
        shoulder = (x, SHOULDER_Y + 0.06)
        pose = self.scene.pose
        if pose == "arms_raised" or (pose == "waving" and sign > 0):
            raised = pose == "arms_raised"
            elbow = (x + out * (0.56 if raised else 0.58), 1.02 if raised else 1.2)
            hand = (x + out * (0.74 if raised else 0.78), 0.12 if raised else 0.34)
            return shoulder, elbow, hand, depth
        if pose == "hands_on_hips":
            back = -out if turned else out
            return shoulder, (x + back * 0.52, 1.98), (x + back * 0.02, 2.5), depth
        return shoulder, (x + out * 0.16, 2.0), (x + out * 0.14, 2.58), depth

    def joints(self) -> dict[str, Point]:
        """The body's joints in head radii, by OpenPose name."""
        found: dict[str, Point] = {"neck": (0.0, SHOULDER_Y - 0.1)}
        for sign, name in ((-1, "right"), (1, "left")):
            shoulder, elbow, hand, _ = self.arm(sign)
            found |= {f"{name}_shoulder": shoulder, f"{name}_elbow": elbow, f"{name}_wrist": hand}
            x = self._leg_x(sign)
            found |= {
                f"{name}_hip": (x, HIP_Y),
                f"{name}_knee": (x, KNEE_Y),
                f"{name}_ankle": (x, FOOT_Y - 0.08),
            }
        return found

    def _leg_x(self, sign: int) -> float:
        return 0.34 * self.head.identity.body_width * math.sin(sign * math.pi / 2 + self.head.yaw)

    def draw(self) -> None:
        """Everything below the head."""
        near = [s for s in (-1, 1) if self.arm(s)[3] >= 0.2]
        for sign in (-1, 1):
            if sign not in near:
                self._draw_arm(sign)
        self._draw_legs()
        dark = shade(self.skin, 0.25)
        self.canvas.stroke([(0, 0.8), (0, SHOULDER_Y)], dark, 0.44)
        self._draw_bottom()
        self._draw_torso()
        if not self.head.from_behind:
            self._draw_front()
        for sign in near:
            self._draw_arm(sign)

    def _draw_arm(self, sign: int) -> None:
        shoulder, elbow, hand, _ = self.arm(sign)
        line = smooth([shoulder, elbow, hand], 6, closed=False)
        top = self.scene.top
        bare = top in ("tank top", "t-shirt", "dress")
        colour = self.skin if bare else self.top
        self.canvas.stroke(line, shade(colour, 0.2), 0.36)
        lit = [(x - 0.03, y - 0.02) for x, y in line]
        self.canvas.stroke(lit, colour, 0.3)
        if top in ("t-shirt", "dress"):
            self.canvas.stroke(line[:6], shade(self.top, 0.2), 0.46)
            self.canvas.stroke(lit[:6], self.top, 0.38)
        self.canvas.oval(*hand, 0.2, 0.2, shade(self.skin, 0.12))
        self.canvas.oval(hand[0] - 0.02, hand[1] - 0.02, 0.17, 0.17, self.skin)

    def _draw_legs(self) -> None:
        covered = self.scene.bottom == "trousers" and self.scene.top != "dress"
        colour: Colour = self.bottom if covered else self.skin
        for sign in sorted((-1, 1), key=lambda s: math.cos(s * math.pi / 2 + self.head.yaw)):
            x = self._leg_x(sign)
            self.canvas.stroke([(x, HIP_Y), (x, FOOT_Y - 0.1)], shade(colour, 0.2), 0.46)
            self.canvas.stroke([(x - 0.03, HIP_Y), (x - 0.03, FOOT_Y - 0.12)], colour, 0.38)
            toe = x + 0.16 * self.head.side
            self.canvas.oval(toe, FOOT_Y, 0.33, 0.18, (70, 56, 62))
            self.canvas.oval(toe - 0.06, FOOT_Y - 0.05, 0.2, 0.08, (112, 94, 98))

    def _draw_bottom(self) -> None:
        h, colour = self.half, self.bottom
        if self.scene.top == "dress":
            return
        if self.scene.bottom == "skirt":
            hem = KNEE_Y - 0.05
            skirt = [
                (-h * 0.86, WAIST_Y),
                (h * 0.86, WAIST_Y),
                (h * 1.42, hem),
                (0, hem + 0.08),
                (-h * 1.42, hem),
            ]
            self.canvas.shaded(skirt, colour)
            return
        hips = [
            (-h * 0.92, WAIST_Y),
            (h * 0.92, WAIST_Y),
            (h * 0.95, HIP_Y + 0.22),
            (-h * 0.95, HIP_Y + 0.22),
        ]
        self.canvas.shaded(hips, colour)
        if self.scene.bottom == "shorts":
            for sign in (-1, 1):
                x = self._leg_x(sign)
                leg = [
                    (x - 0.3, HIP_Y),
                    (x + 0.3, HIP_Y),
                    (x + 0.33, KNEE_Y - 0.16),
                    (x - 0.33, KNEE_Y - 0.16),
                ]
                self.canvas.shaded(leg, colour)

    def _draw_torso(self) -> None:
        h, top = self.half, self.scene.top
        hem = HIP_Y - (0.05 if top in ("tank top", "t-shirt") else -0.08)
        torso = [
            (-0.26, SHOULDER_Y - 0.2),
            (0.26, SHOULDER_Y - 0.2),
            (h * 0.98, SHOULDER_Y - 0.02),
            (h * 1.02, SHOULDER_Y + 0.4),
            (h * 0.96, WAIST_Y),
            (h * 1.0, hem),
            (-h * 1.0, hem),
            (-h * 0.96, WAIST_Y),
            (-h * 1.02, SHOULDER_Y + 0.4),
            (-h * 0.98, SHOULDER_Y - 0.02),
        ]
        if top == "dress":
            hem = KNEE_Y + 0.12
            torso[4:8] = [
                (h * 0.84, WAIST_Y - 0.1),
                (h * 1.55, hem),
                (-h * 1.55, hem),
                (-h * 0.84, WAIST_Y - 0.1),
            ]
        self.canvas.shaded(smooth(torso, 4), self.top, offset=(-0.16, -0.06))
        dark = shade(self.top, 0.32)
        if top == "dress":
            self.canvas.stroke([(-h * 0.84, WAIST_Y - 0.1), (h * 0.84, WAIST_Y - 0.1)], dark, 0.17)
        elif top in ("sweater", "hoodie"):
            self.canvas.stroke([(-h * 0.92, hem - 0.04), (h * 0.92, hem - 0.04)], dark, 0.15)
        if top == "sweater":
            light = mix(self.top, (255, 255, 255), 0.55)
            self.canvas.stroke([(-h * 0.94, 1.86), (h * 0.94, 1.86)], light, 0.17)
        if top == "hoodie":
            self.canvas.shaded(
                smooth(
                    [
                        (-h * 0.8, 1.2),
                        (0, 1.0),
                        (h * 0.8, 1.2),
                        (h * 0.5, 1.52),
                        (0, 1.6),
                        (-h * 0.5, 1.52),
                    ],
                    6,
                ),
                shade(self.top, 0.18),
            )
        if top == "tank top":
            for sign in (-1, 1):
                cut = [
                    (sign * h * 0.66, 1.12),
                    (sign * h * 1.12, 1.2),
                    (sign * h * 1.1, 1.86),
                    (sign * h * 0.72, 1.62),
                ]
                self.canvas.shape(smooth(cut, 5), self.skin)

    def _draw_front(self) -> None:
        top, h = self.scene.top, self.half
        x = 0.5 * h * self.head.side
        narrow = max(0.35, self.flat)
        if top in ("t-shirt", "sweater", "dress", "tank top"):
            depth = 1.62 if top in ("tank top", "dress") else 1.42
            neck = [(x - 0.32 * narrow, 1.14), (x, depth), (x + 0.32 * narrow, 1.14), (x, 1.1)]
            self.canvas.shape(smooth(neck, 5), shade(self.skin, 0.1))
        elif top == "jacket":
            shirt = [
                (x - 0.34 * narrow, 1.14),
                (x + 0.34 * narrow, 1.14),
                (x + 0.2 * narrow, HIP_Y + 0.06),
                (x - 0.2 * narrow, HIP_Y + 0.06),
            ]
            self.canvas.shape(shirt, (250, 249, 246))
            for sign in (-1, 1):
                lapel = [
                    (x + sign * 0.3 * narrow, 1.16),
                    (x + sign * 0.6 * narrow, 1.3),
                    (x + sign * 0.2 * narrow, 2.0),
                ]
                self.canvas.shape(lapel, shade(self.top, 0.3))
        elif top == "hoodie":
            for sign in (-1, 1):
                cord = x + sign * 0.15 * narrow
                self.canvas.stroke([(cord, 1.5), (cord, 1.9)], tint(self.top, 0.75), 0.075)
            pocket = [
                (x - 0.36 * narrow, 2.62),
                (x - 0.24 * narrow, 2.28),
                (x + 0.24 * narrow, 2.28),
                (x + 0.36 * narrow, 2.62),
            ]
            self.canvas.shape(pocket, shade(self.top, 0.26))
