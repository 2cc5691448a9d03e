"""What a frame of a video goes through on its way into a net."""
from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ... import glog
from ...errors import ShapeError, UsageError
from ...layer_types.common.transformation import is_stated, read_preprocessing
from ...net.net import Net
from ...proto import caffe_pb2
from ...proto.text import LayerDef
from ...sources.preprocessing import Preprocessing
from ...sources.records.clips import SMALLEST, Sizing
from ...sources.resize import enlarged_size, resize
from ...sources.transform import Transform
from .flow import STILL
from .windows import CROPS, crops

#: What LRCN's activity nets subtract from blue, green and red of RGB frames.
MEAN = (103.939, 116.779, 123.68)
_BATCH = 16  # frames that the original's single-frame test looks at together
_RED = 2


@dataclass(frozen=True)
class FrameInput:
    """Resize a frame, cut its crops out, subtract the mean and scale.

    Args:
        shape: (C, H, W) of a crop, as the net takes it.
        preparation: what the net's input says; its crop is the shape's.
        crops: ``center`` or ``10``.
        flow: frames are pictures of flow, whose motion is turned around where they are mirrored.
        inverted: None, or which mirrored crops of flow the original's scripts turn around: ``none``
            (of an LRCN net) or ``most`` (all crops but the first five of every 16 frames).
        faithful: enlarge frames only where their height is small, as the original does.
    """

    shape: tuple[int, int, int]
    preparation: Preprocessing
    crops: str = "center"
    flow: bool = False
    inverted: str | None = None
    faithful: bool = False

    @property
    def count(self) -> int:
        """How many crops a frame has, K."""
        return CROPS[self.crops]

    def size_of(self, height: int, width: int) -> tuple[int, int]:
        """Return the (height, width) that a frame gets before it is cropped.

        What the net's input says; else 240x320 where a side is smaller, as VideoData does.
        """
        if self.preparation.new_size:
            return self.preparation.new_size
        if self.preparation.min_size:
            return enlarged_size((height, width), self.preparation.min_size)
        if self.faithful:  # CAFFE-QUIRK: the width is not looked at
            return SMALLEST if height < SMALLEST[0] else (height, width)
        return Sizing().of(height, width)

    def resized(self, frame: np.ndarray) -> np.ndarray:
        """Return a frame (H, W, C) in the size that it gets before it is cropped."""
        return resize(frame, *self.size_of(*frame.shape[:2]))

    def __call__(self, frames: Sequence[np.ndarray], first: int = 0) -> np.ndarray:
        """Return frames as the net takes them.

        Args:
            frames: resized, each (H, W, C) uint8, BGR.
            first: number of the first of them in the video.

        Returns:
            (T, K, C, H, W) float32.

        Raises:
            ShapeError, DataError: the frames do not fit the crop or the mean.
        """
        transform = self.preparation.transform
        pictures = np.asarray(frames)
        wanted = self.shape[1:]
        if not transform.crop_size and pictures.shape[1:3] != wanted:
            raise ShapeError("the frames do not fit the net's input",
                             got="{}x{} (height, width)".format(*pictures.shape[1:3]),
                             wanted="{}x{}".format(*wanted),
                             remedy="Say --size {}x{}, or let the net's Input layer give "
                                    "new_height and new_width, or crop_size.".format(*wanted))
        transform.shape(pictures.shape[1:])  # raises: the mean does not fit
        cut = self._crops(pictures, first)
        values = np.empty((*cut.shape[:2], *self.shape), np.float32)
        values[...] = cut.transpose(0, 1, 4, 2, 3)
        if transform.mean is not None:
            values -= self._mean(transform.mean)
        if transform.scale != 1:
            values *= np.float32(transform.scale)
        return values

    def _crops(self, pictures: np.ndarray, first: int) -> np.ndarray:
        cut = crops(pictures, *self.shape[1:], self.crops, self.flow and self.inverted is None)
        if self.inverted == "most":  # CAFFE-QUIRK: see the class
            for number in range(len(cut)):
                start = 0 if (first + number) % _BATCH else 5
                red = cut[number, start:, ..., _RED]
                red[...] = 255 - red
        return cut

    def _mean(self, mean: np.ndarray) -> np.ndarray:
        """Return the mean (1, K, C, H, W), mirrored where the crops are, or (1, 1, C, 1, 1)."""
        if mean.ndim == 1:
            return mean.reshape(1, 1, -1, 1, 1)
        picture = mean.transpose(1, 2, 0)[None]
        return crops(picture, *self.shape[1:], self.crops).transpose(0, 1, 4, 2, 3)


def read_frame_input(net: Net, name: str, *, crops: str = "center", flow: bool | None = None,
                     size: tuple[int, int] | None = None, mean: Sequence[float] | None = None,
                     faithful: bool = False, recurrent: bool = False) -> FrameInput:
    """Return what frames go through before an input of a net.

    It is what the input's layer states in ``transform_param`` and ``image_data_param``;
    ``transform_param { flow: true }`` says that the net takes flow. Where the layer states
    nothing, the mean of the original's nets is assumed, with a warning.

    Args:
        net: the net.
        name: of its input (N, C, H, W).
        crops: ``center`` or ``10``.
        flow: whether it takes pictures of flow, if not what the layer says.
        size: (height, width) that frames are resized to, instead.
        mean: blue, green, red, instead.
        faithful: as in the original's scripts.
        recurrent: the net reads frames one after another.

    Raises:
        DataError: what is stated cannot be done, or its mean cannot be read.
        ShapeError: the input does not take such crops.
        UsageError: unknown crops.
    """
    if crops not in CROPS:
        raise UsageError("unknown crops", got=crops, wanted=", ".join(CROPS))
    node = next(node for node in net.nodes if name in node.top_names)
    definition, shape = LayerDef(node.layer.param, node.place), net.blobs[name].shape[1:]
    stated = is_stated(definition.param)
    if flow is None:
        flow = bool(definition.param.transform_param.flow)
    if stated:
        found = read_preprocessing(definition, caffe_pb2.TEST)
    else:
        found = _assumed(definition, shape[2], flow, mean is not None)
    if size is not None:
        found = replace(found, new_size=size, min_size=None)
        if not found.transform.crop_size and size != shape[1:]:
            found = replace(found, transform=replace(found.transform, crop_size=shape[2]))
    if mean is not None:
        found = replace(found, transform=replace(found.transform,
                                                 mean=np.array(mean, np.float32)))
    crop = found.transform.crop_size
    if shape[0] != 3 or crop and (crop, crop) != shape[1:]:
        raise ShapeError("the net's input does not fit what is said about it",
                         where=definition.place.at(), layer=definition.param.name,
                         got=f"{shape} (C, H, W)",
                         wanted=f"(3, {crop}, {crop})" if crop else "three channels")
    inverted = ("none" if recurrent else "most") if faithful and flow else None
    return FrameInput((shape[0], shape[1], shape[2]), found, crops, flow, inverted, faithful)


def _assumed(definition: LayerDef, side: int, flow: bool, has_mean: bool) -> Preprocessing:
    """Return what is assumed of a layer that states nothing, and say so."""
    mean = (float(STILL),) * 3 if flow else MEAN
    if not has_mean:
        glog.warning("%s: layer '%s' does not say how frames are prepared (transform_param, "
                     "image_data_param); assumed: less %s in blue, green, red (--mean), the "
                     "centre of frames of 240 x 320 or more (--size)", definition.place,
                     definition.param.name, ", ".join(f"{value:g}" for value in mean))
    return Preprocessing(Transform(crop_size=side, mean=np.array(mean, np.float32),
                                   phase=caffe_pb2.TEST))
