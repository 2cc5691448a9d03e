"""Drawing of scenes: smooth-edged shapes on muted backgrounds."""
from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageDraw

from .scene import Scene, Thing

#: Width and height of a picture in pixels.
SIDE = 64
#: Shapes are drawn so many times larger and reduced, for smooth edges.
_OVERSIZE = 4
_RED_GREEN_BLUE = {"red": (210, 45, 45), "green": (50, 160, 65), "blue": (50, 90, 215),
                   "yellow": (235, 205, 50), "purple": (150, 60, 185), "white": (238, 238, 238)}
_COLOUR_JITTER = 18
_RADII = {"small": (7.5, 9.0), "large": (11.5, 13.5)}
_LARGEST_TURN = math.radians(10)
#: No corner lies farther from the middle than so many radii.
_REACH = 1.2
#: Corners on a circle of radius 1, and that radius: all shapes look equally large.
_CORNERS: dict[str, tuple[float, list[tuple[float, float]]]] = {
    "square": (_REACH, [(1, 1), (-1, 1), (-1, -1), (1, -1)]),
    "triangle": (_REACH, [(0, -1), (0.87, 0.5), (-0.87, 0.5)]),
    "cross": (1.1, [(0.33, 1), (-0.33, 1), (-0.33, 0.33), (-1, 0.33), (-1, -0.33),
                    (-0.33, -0.33), (-0.33, -1), (0.33, -1), (0.33, -0.33), (1, -0.33),
                    (1, 0.33), (0.33, 0.33)]),
}


def draw(scene: Scene, random: np.random.Generator) -> np.ndarray:
    """Return a picture of the scene, (64, 64, 3) uint8 red, green, blue.

    Args:
        scene: what to show.
        random: decides about place, exact size and colour, turn and background.
    """
    picture = _background(random)
    radii = [random.uniform(*_RADII[thing.size]) for thing in scene.things]
    for thing, radius, centre in zip(scene.things, radii, _centres(scene, radii, random),
                                     strict=True):
        colour = np.add(_RED_GREEN_BLUE[thing.colour],
                        random.uniform(-_COLOUR_JITTER, _COLOUR_JITTER, 3))
        cover = _cover(thing, radius, centre, random.uniform(-_LARGEST_TURN, _LARGEST_TURN))
        picture += cover[:, :, None] * (colour.astype(np.float32) - picture)
    return np.clip(picture, 0, 255).astype(np.uint8)


def _centres(scene: Scene, radii: list[float],
             random: np.random.Generator) -> list[tuple[float, float]]:
    """Return (x, y) of each thing: two stand in two halves of the picture, almost level."""
    if scene.relation is None:
        margin = _REACH * radii[0] + 1
        x, y = random.uniform(margin, SIDE - margin, 2)
        return [(x, y)]
    level = random.uniform(0.3, 0.7) * SIDE
    centres = []
    for (_, relation), radius in zip(scene.placed(), radii, strict=True):
        margin = _REACH * radius + 1
        along = random.uniform(margin, SIDE / 2 - radius)
        across = min(max(level + random.uniform(-4, 4), margin), SIDE - margin)
        if relation in ("right", "below"):
            along = SIDE - along
        centres.append((along, across) if relation in ("left", "right") else (across, along))
    return centres


def _cover(thing: Thing, radius: float, centre: tuple[float, float],
           turn: float) -> np.ndarray:
    """Return how far the shape covers each pixel, (64, 64) float32 from 0 to 1."""
    mask = Image.new("L", (SIDE * _OVERSIZE, SIDE * _OVERSIZE))
    pen = ImageDraw.Draw(mask)
    x, y = (_OVERSIZE * value for value in centre)
    if thing.shape == "circle":
        r = radius * _OVERSIZE
        pen.ellipse((x - r, y - r, x + r, y + r), fill=255)
    else:
        reach, corners = _CORNERS[thing.shape]
        scale = radius * _OVERSIZE * reach / max(math.hypot(*corner) for corner in corners)
        cos, sin = scale * math.cos(turn), scale * math.sin(turn)
        pen.polygon([(x + cos * a - sin * b, y + sin * a + cos * b) for a, b in corners],
                    fill=255)
    return np.asarray(mask.reduce(_OVERSIZE), np.float32) / 255


def _background(random: np.random.Generator) -> np.ndarray:
    """Return a muted background, (64, 64, 3) float32: plain, gradient, stripes or clouds."""
    first = random.uniform(75, 145) + random.uniform(-15, 15, 3)
    second = first + random.choice([-1, 1]) * random.uniform(12, 36) + random.uniform(-12, 12, 3)
    kind = random.integers(4)
    if kind == 0:
        mix = np.zeros((SIDE, SIDE))
    elif kind == 3:
        clouds = Image.fromarray(random.integers(0, 256, (9, 9), np.uint8))
        mix = np.asarray(clouds.resize((SIDE, SIDE), Image.Resampling.BILINEAR)) / 255
    else:
        angle = random.uniform(0, 2 * math.pi)
        rows, columns = np.mgrid[:SIDE, :SIDE] / SIDE - 0.5
        mix = math.cos(angle) * columns + math.sin(angle) * rows + 0.5
        if kind == 2:
            mix = np.sin(mix * random.uniform(20, 60)) / 2 + 0.5
        mix = np.clip(mix, 0, 1)
    return (first + mix[:, :, None] * (second - first)).astype(np.float32)
