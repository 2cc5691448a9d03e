"""Clips of scenes: things on textured counters, under light of which colours suffer."""
from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from .scenes import NONE, Scene
from .shapes import LOCATIONS, SKIN, SOURCES, THINGS, TOOLS, WATER, Part

#: Things are drawn so many times larger and reduced, for smooth edges.
_OVERSIZE = 2
_PLACE, _THING, _TOOL, _HAND = 0.27, 0.17, 0.17, 0.055  # sizes in sides of the frame
_CYCLE = 12  # frames in which a tool comes back


def draw_clip(scene: Scene, texture: np.ndarray, frames: int, side: int,
              random: np.random.Generator) -> np.ndarray:
    """Return the frames of a clip, (T, side, side, 3) uint8 red, green, blue.

    Args:
        scene: what happens.
        texture: (H, W, 3) uint8 background, at least as large as a frame.
        frames: T.
        side: of a frame, pixels.
        random: decides about places, speeds, light and noise.
    """
    stage = _Stage(scene, texture, side, random)
    light = _Light(random)
    return np.stack([light.shine(stage.frame(t, t / max(frames - 1, 1)), random)
                     for t in range(frames)])


class _Light:
    """Colours lose their strength and differences, each channel is as bright as it likes."""

    def __init__(self, random: np.random.Generator) -> None:
        self._saturation, self._contrast = random.uniform(0.25, 1), random.uniform(0.55, 1)
        self._gains = (1 + random.uniform(-0.12, 0.12, 3)).astype(np.float32)
        self._noise = random.uniform(2, 9)

    def shine(self, picture: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """Return the (H, W, 3) picture in this light, uint8."""
        picture = picture.astype(np.float32)
        grey = picture.mean(axis=2, keepdims=True)
        picture = 128 + self._contrast * (grey + self._saturation * (picture - grey) - 128)
        picture *= self._gains
        picture += self._noise * random.standard_normal(picture.shape, np.float32)
        return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


class _Stage:
    """What does not change in a clip, and how the rest moves."""

    def __init__(self, scene: Scene, texture: np.ndarray, side: int,
                 random: np.random.Generator) -> None:
        self._scene, self._side = scene, side
        self._large = side * _OVERSIZE
        self._middle = np.array([0.55, 0.57]) + random.uniform(-0.05, 0.05, 2)
        self._turn = random.uniform(-0.5, 0.5)  # of what lies there
        self._phase, self._pace = random.uniform(0, 2 * math.pi), random.uniform(0.9, 1.15)
        self._scale = random.uniform(0.85, 1.1)
        self._source = np.array([0.1, random.uniform(0.3, 0.7)])
        x, y = (int(random.integers(extent - side + 1)) for extent in texture.shape[1::-1])
        self._base = Image.fromarray(texture[y:y + side, x:x + side]).resize(
            (self._large, self._large), Image.Resampling.BILINEAR)
        self._draw(self._base, LOCATIONS[scene.location], self._middle, _PLACE)
        if scene.source in ("fridge", "cupboard", "drawer"):
            self._draw(self._base, SOURCES[scene.source], self._source, 0.2)

    def frame(self, t: int, share: float) -> np.ndarray:
        """Return frame ``t``, at this share of the clip, (side, side, 3) uint8."""
        picture = self._base.copy()
        if self._scene.activity == "take":
            self._take(picture, share)
        elif self._scene.activity == "pour":
            self._pour(picture, share)
        elif self._scene.activity == "wash":
            self._wash(picture, t)
        else:
            self._draw(picture, THINGS[self._scene.object], self._middle, _THING, self._turn)
            self._work(picture, t, share)
        return np.asarray(picture.reduce(_OVERSIZE))

    def _angle(self, t: int) -> float:
        return self._phase + 2 * math.pi * self._pace * t / _CYCLE

    def _work(self, picture: Image.Image, t: int, share: float) -> None:
        """Move the tool over the thing: down and up, along it, around, or shaking."""
        angle = self._angle(t)
        along = np.array([math.cos(self._turn), math.sin(self._turn)])
        kinds = {
            "cut": 0.13 * (0.8 - 1.6 * share) * along + [0, 0.11 * (math.sin(angle) - 0.7)],
            "peel": 0.15 * math.sin(angle) * along - [0, 0.05],
            "stir": 0.11 * np.array([math.cos(angle), math.sin(angle)]),
            "season": np.array([0.035 * math.sin(3 * angle), 0.03 * math.cos(3 * angle) - 0.22]),
        }
        place = self._middle + kinds[self._scene.activity]
        if self._scene.activity == "season":
            for grain in range(4):
                fall = (t / 8 + grain / 4) % 1
                x, y = place + [0.04 * math.cos(3 * grain), 0.22 * fall]
                self._polygon(picture, [(x - 0.012, y), (x, y - 0.012), (x + 0.012, y),
                                        (x, y + 0.012)], (250, 250, 250))
        tilt = 0.35 if self._scene.activity != "stir" else 0.25 * math.cos(angle)
        self._draw(picture, TOOLS[self._scene.tool], place, _TOOL, tilt)
        self._hand(picture, place + 1.45 * _TOOL * np.array([math.sin(tilt), -math.cos(tilt)]))

    def _wash(self, picture: Image.Image, t: int) -> None:
        """Move the thing from side to side under running water."""
        angle = self._angle(t)
        place = self._middle + [0.09 * math.sin(angle), 0.02 * math.cos(2 * angle)]
        for k in range(3):
            x, y = self._middle + [0.025 * (k - 1), -0.24]
            long = 0.2 + 0.03 * math.sin(2 * angle + k)
            self._polygon(picture, [(x - 0.008, y), (x + 0.008, y), (x + 0.008, y + long),
                                    (x - 0.008, y + long)], WATER)
        self._draw(picture, THINGS[self._scene.object], place, _THING, self._turn)
        if self._scene.tool == NONE:
            self._hand(picture, place + [0.09, 0.03])
            return
        brush = self._middle - [0.09 * math.sin(angle), 0.04]
        self._draw(picture, TOOLS[self._scene.tool], brush, _TOOL, 0.3)
        self._hand(picture, brush - [-0.05, 0.17])

    def _pour(self, picture: Image.Image, share: float) -> None:
        """Tilt what is held until it runs; what is poured grows."""
        tilt = 1.9 * min(1, share / 0.35)
        held = self._middle + [-0.26, -0.3]
        if share > 0.35:
            grown = min(1, (share - 0.25) / 0.6)
            self._draw(picture, THINGS[self._scene.object], self._middle, _THING * grown)
            colour = THINGS[self._scene.object][0].colour
            (x, y), end = held + [0.17, 0.03], self._middle
            self._polygon(picture, [(x, y), (x + 0.03, y), (end[0] + 0.02, end[1]),
                                    (end[0] - 0.02, end[1])], colour)
        self._draw(picture, SOURCES[self._scene.source], held, 0.19, tilt)
        self._hand(picture, held + [-0.1, 0.02])

    def _take(self, picture: Image.Image, share: float) -> None:
        """Carry the thing from its source to the place, and leave it there."""
        way = min(1, share / 0.75)
        way = way * way * (3 - 2 * way)
        place = self._source + way * (self._middle - self._source)
        self._draw(picture, THINGS[self._scene.object], place, _THING, self._turn)
        away = max(0, share - 0.78)
        self._hand(picture, place + [0.02 - 0.6 * away, -0.06 - 1.2 * away])

    def _hand(self, picture: Image.Image, place: np.ndarray) -> None:
        self._draw(picture, (Part(SKIN, [(-1, -1), (0.2, -1.2), (1.1, -0.4), (1, 0.7), (0, 1.1),
                                         (-1.1, 0.5)]),), place, _HAND)

    def _draw(self, picture: Image.Image, parts: Sequence[Part], place: np.ndarray, size: float,
              turn: float = 0.0) -> None:
        size *= self._scale
        cos, sin = size * math.cos(turn), size * math.sin(turn)
        for part in parts:
            self._polygon(picture, [(place[0] + cos * x - sin * y, place[1] + sin * x + cos * y)
                                    for x, y in part.corners], part.colour)

    def _polygon(self, picture: Image.Image, corners: Sequence[tuple[float, float]],
                 colour: tuple[int, int, int]) -> None:
        ImageDraw.Draw(picture).polygon([(x * self._large, y * self._large) for x, y in corners],
                                        fill=colour)
