"""What happens in the clips: five slots, whose labels depend on each other.

Each activity has its own tools, objects, sources and places, some more often than others, so that
one slot tells about the others: what a CRF and a language model can learn.
"""
from __future__ import annotations

from collections.abc import Mapping
from dataclasses import astuple, dataclass

import numpy as np

from ..description.role_records import Slot

NONE = "none"
Weights = Mapping[str, float]


@dataclass(frozen=True)
class Scene:
    """The roles of one clip; the fields are the slots, in their order."""

    activity: str
    tool: str
    object: str
    source: str
    location: str


@dataclass(frozen=True)
class _Kind:
    """How often an activity has which roles.

    Args:
        weight: of the activity.
        tools: label -> weight.
        objects: label -> weight.
        places: object -> (sources, locations); ``""`` stands for all other objects.
    """

    weight: float
    tools: Weights
    objects: Weights
    places: Mapping[str, tuple[Weights, Weights]]


_HERE: Weights = {NONE: 1}
_CHILLED: Weights = {"fridge": 9, "cupboard": 1}
_DRY: Weights = {"cupboard": 6, "drawer": 3, "fridge": 1}
_KINDS: dict[str, _Kind] = {
    "cut": _Kind(
        4, {"knife": 12, "peeler": 1}, {"carrot": 4, "cucumber": 4, "onion": 4, "potato": 2,
                                        "bread": 3},
        {"": (_HERE, {"board": 8, "plate": 1, "counter": 1})}),
    "peel": _Kind(
        3, {"peeler": 7, "knife": 3}, {"carrot": 4, "potato": 5, "cucumber": 2, "onion": 1},
        {"potato": (_HERE, {"sink": 5, "bowl": 3, "board": 1}),
         "": (_HERE, {"board": 5, "sink": 3, "plate": 1})}),
    "stir": _Kind(
        3, {"spoon": 7, "whisk": 4}, {"soup": 4, "sauce": 4, "egg": 3, "milk": 1},
        {"soup": (_HERE, {"pan": 9, "bowl": 2}), "sauce": (_HERE, {"pan": 6, "bowl": 3}),
         "": (_HERE, {"bowl": 9, "pan": 2})}),
    "season": _Kind(
        2, {"shaker": 9, "spoon": 2}, {"soup": 4, "sauce": 2, "egg": 3, "potato": 2, "bread": 1},
        {"soup": (_HERE, {"pan": 5, "bowl": 3}), "sauce": (_HERE, {"pan": 5, "bowl": 2}),
         "": (_HERE, {"plate": 6, "pan": 2, "bowl": 1})}),
    "pour": _Kind(
        3, {NONE: 1}, {"water": 4, "milk": 3, "soup": 1, "sauce": 2},
        {"water": ({"jug": 8, "bottle": 2}, {"pan": 5, "bowl": 2, "sink": 1}),
         "milk": ({"bottle": 8, "jug": 2}, {"bowl": 5, "pan": 2}),
         "": ({"jug": 5, "bottle": 3}, {"plate": 3, "bowl": 4, "pan": 1})}),
    "wash": _Kind(
        3, {NONE: 6, "brush": 3}, {"carrot": 4, "potato": 4, "cucumber": 4, "knife": 2,
                                   "spoon": 2},
        {"": (_HERE, {"sink": 12, "bowl": 1})}),
    "take": _Kind(
        4, {NONE: 1}, {"carrot": 3, "cucumber": 3, "egg": 4, "onion": 2, "potato": 2, "bread": 3,
                       "knife": 3, "spoon": 2},
        {"carrot": (_CHILLED, {"board": 5, "counter": 3, "sink": 1}),
         "cucumber": (_CHILLED, {"board": 5, "counter": 3, "sink": 1}),
         "egg": (_CHILLED, {"counter": 5, "bowl": 4}),
         "knife": ({"drawer": 9, "cupboard": 1}, {"board": 5, "counter": 4}),
         "spoon": ({"drawer": 8, "cupboard": 2}, {"counter": 6, "bowl": 2, "plate": 1}),
         "": (_DRY, {"counter": 5, "board": 4, "plate": 1})}),
}
#: The slots and their labels, as a file of roles has them.
SLOTS = (
    Slot("activity", tuple(_KINDS)),
    Slot("tool", (NONE, "knife", "peeler", "spoon", "whisk", "shaker", "brush")),
    Slot("object", ("carrot", "cucumber", "potato", "onion", "egg", "bread", "soup", "sauce",
                    "water", "milk", "knife", "spoon")),
    Slot("source", (NONE, "fridge", "cupboard", "drawer", "jug", "bottle")),
    Slot("location", ("board", "counter", "plate", "bowl", "pan", "sink")),
)
#: Labels of a slot that look alike: what a recogniser takes for each other.
ALIKE: dict[str, tuple[tuple[str, ...], ...]] = {
    "activity": (("cut", "peel"), ("stir", "season"), ("pour",), ("wash", "take")),
    "tool": ((NONE,), ("knife", "peeler"), ("spoon", "whisk"), ("shaker", "brush")),
    "object": (("carrot", "cucumber"), ("potato", "onion", "egg", "bread"), ("soup", "sauce"),
               ("water", "milk"), ("knife", "spoon")),
    "source": ((NONE,), ("fridge", "cupboard", "drawer"), ("jug", "bottle")),
    "location": (("board", "counter"), ("plate", "bowl", "pan"), ("sink",)),
}


def random_scene(random: np.random.Generator) -> Scene:
    """Return a scene as the activities' weights have it."""
    activity = _draw({name: kind.weight for name, kind in _KINDS.items()}, random)
    kind = _KINDS[activity]
    tool, thing = _draw(kind.tools, random), _draw(kind.objects, random)
    sources, locations = kind.places.get(thing) or kind.places[""]
    return Scene(activity, tool, thing, _draw(sources, random), _draw(locations, random))


def labels(scene: Scene) -> list[int]:
    """Return the place of each role among the labels of its slot."""
    return [slot.labels.index(role) for slot, role in zip(SLOTS, astuple(scene), strict=True)]


def _draw(weights: Weights, random: np.random.Generator) -> str:
    shares = np.array([*weights.values()])
    return str(random.choice([*weights], p=shares / shares.sum()))
