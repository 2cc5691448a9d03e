"""Drawing of clips: smooth-edged things on textured backgrounds, with noise."""
from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from .motions import Track

#: Things are drawn so many times larger and reduced, for smooth edges.
_OVERSIZE = 4
#: Corners on a circle of radius 1, and that radius; none of them shows which way it moves.
_CORNERS: dict[str, list[tuple[float, float]]] = {
    "disc": [(math.cos(k * math.pi / 12), math.sin(k * math.pi / 12)) for k in range(24)],
    "square": [(0.8, 0.8), (-0.8, 0.8), (-0.8, -0.8), (0.8, -0.8)],
    "triangle": [(1, 0), (-0.6, 0.85), (-0.6, -0.85)],
    "bar": [(1, 0.45), (-1, 0.45), (-1, -0.45), (1, -0.45)],
    "ell": [(-0.75, -0.9), (0, -0.9), (0, 0.2), (0.9, 0.2), (0.9, 0.9), (-0.75, 0.9)],
    "tee": [(-0.9, -0.8), (0.9, -0.8), (0.9, -0.1), (0.35, -0.1), (0.35, 0.9), (-0.35, 0.9),
            (-0.35, -0.1), (-0.9, -0.1)],
}
SHAPES = tuple(_CORNERS)
#: A spot off the middle shows turns of the round shapes too: centre and radius.
_SPOT = (0.45, 0.1), 0.34
#: The least difference in brightness between a thing and the background, grey levels.
_CONTRAST = 75
_GREY = np.array([0.299, 0.587, 0.114])
_LARGEST_DRIFT = 0.005  # of a side, per frame
_SHARE_DRIFTING = 0.3


@dataclass(frozen=True)
class Look:
    """What the clips of one group share, of all classes: how the things and the place look.

    Args:
        shapes: of two things; most clips show the first only.
        colours: (2, 2, 3) body and spot of each, red, green, blue.
        texture: (H, W, 3) uint8 background, twice the frame's side.
        drift: (2,) how far the background moves per frame, in sides; often nothing.
        noise: deviation of the noise of each frame, grey levels.
    """

    shapes: tuple[str, str]
    colours: np.ndarray
    texture: np.ndarray
    drift: np.ndarray
    noise: float


def random_look(side: int, random: np.random.Generator) -> Look:
    """Return a random look for square frames with this side in pixels."""
    level = random.uniform(70, 165)
    texture = _texture(2 * side, level, random)
    drift = np.zeros(2)
    if random.random() < _SHARE_DRIFTING:
        angle = random.uniform(0, 2 * math.pi)
        drift = (random.uniform(0.3, 1) * _LARGEST_DRIFT
                 * np.array([math.cos(angle), math.sin(angle)]))
    bodies = [_colour(level, random) for _ in range(2)]
    colours = np.array([(body, _colour(float(body @ _GREY), random)) for body in bodies])
    first, second = random.permutation(SHAPES)[:2]
    return Look((str(first), str(second)), colours, texture, drift, random.uniform(1, 4))


def draw_clip(look: Look, tracks: Sequence[Track], side: int,
              random: np.random.Generator) -> np.ndarray:
    """Return the frames of a clip, (T, side, side, 3) uint8 red, green, blue.

    Args:
        look: of the things and the place.
        tracks: how the things move; a later one is in front.
        side: of a frame, pixels.
        random: decides about the part of the background, and noise.
    """
    frames = len(tracks[0].places)
    texture = Image.fromarray(look.texture)
    start = side / 2 + random.uniform(-0.25, 0.25, 2) * side
    clip = np.empty((frames, side, side, 3), np.uint8)
    # The drift stays within the texture, however long the clip is.
    reach = 0.25 * np.sin(np.arange(frames)[:, None] * look.drift / 0.25) * side
    for t in range(frames):
        x, y = start + reach[t]
        place = texture.transform((side, side), Image.Transform.AFFINE, (1, 0, x, 0, 1, y),
                                  Image.Resampling.BILINEAR)
        picture = np.asarray(place, np.float32)
        for shape, colours, track in zip(look.shapes, look.colours, tracks, strict=False):
            if track.visible[t]:
                picture = _add(picture, shape, colours, track, t)
        picture = picture + look.noise * random.standard_normal(picture.shape, np.float32)
        clip[t] = np.clip(np.rint(picture), 0, 255)
    return clip


def _add(picture: np.ndarray, shape: str, colours: np.ndarray, track: Track,
         t: int) -> np.ndarray:
    """Return the (side, side, 3) picture with a thing on it, as it is in frame ``t``."""
    side = picture.shape[0]
    large = side * _OVERSIZE
    scale = track.radius * track.growth[t] * large
    x, y = track.places[t] * large
    cos, sin = scale * math.cos(track.turns[t]), scale * math.sin(track.turns[t])
    (a, b), radius = _SPOT
    spot_x, spot_y, r = x + cos * a - sin * b, y + sin * a + cos * b, radius * scale
    mask = Image.new("L", (large, large))
    ImageDraw.Draw(mask).polygon([(x + cos * a - sin * b, y + sin * a + cos * b)
                                  for a, b in _CORNERS[shape]], fill=255)
    spot = Image.new("L", (large, large))
    ImageDraw.Draw(spot).ellipse((spot_x - r, spot_y - r, spot_x + r, spot_y + r), fill=255)
    body = np.asarray(mask.reduce(_OVERSIZE), np.float32)[:, :, None] / 255
    mark = np.asarray(spot.reduce(_OVERSIZE), np.float32)[:, :, None] / 255
    paint = colours[0] + mark * (colours[1] - colours[0])
    return picture + body * (paint.astype(np.float32) - picture)


def _colour(level: float, random: np.random.Generator) -> np.ndarray:
    """Return a colour whose brightness is far enough from ``level``."""
    while True:
        colour = random.uniform(15, 245, 3)
        if abs(colour @ _GREY - level) > _CONTRAST:
            return colour


def _texture(size: int, level: float, random: np.random.Generator) -> np.ndarray:
    """Return a background, (size, size, 3) uint8: clouds, stripes, checks or grain."""
    kind = random.integers(4)
    if kind == 1:
        mix = np.sin(_ramp(size, random) * random.uniform(30, 90)) / 2 + 0.5
    elif kind == 2:
        checks = [np.sin(_ramp(size, random) * random.uniform(20, 60)) for _ in range(2)]
        mix = (checks[0] * checks[1] > 0).astype(float)
    else:
        cells = int(random.integers(6, 12) if kind == 0 else random.integers(24, 48))
        clouds = Image.fromarray(random.integers(0, 256, (cells, cells), np.uint8))
        mix = np.asarray(clouds.resize((size, size), Image.Resampling.BICUBIC)) / 255
    tint = random.uniform(-14, 14, (2, 3))
    tint -= (tint @ _GREY)[:, None]
    ends = level + tint + np.array([[-1.0], [1.0]]) * random.uniform(4, 14)
    return np.clip(ends[0] + mix[:, :, None] * (ends[1] - ends[0]), 0, 255).astype(np.uint8)


def _ramp(size: int, random: np.random.Generator) -> np.ndarray:
    angle = random.uniform(0, 2 * math.pi)
    rows, columns = np.mgrid[:size, :size] / size
    return math.cos(angle) * columns + math.sin(angle) * rows
