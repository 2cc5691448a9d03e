"""WindowData: windows of pictures, foreground and background, as R-CNN trains on them."""
from __future__ import annotations

from functools import partial

import numpy as np

from ..errors import DataError
from ..paths import resolve
from ..sources.batcher import BatchSpec
from ..sources.orders import Drawn
from ..sources.records.windows import WindowRecords
from ..sources.transform import Transform
from ..sources.warp import Warp, WindowTransform
from ..sources.window_list import WindowList, read_window_list
from .base import exactly
from .common.source import SourceLayer
from .common.transformation import read_transform, warn_about_neglected

_CHANNELS = 3


class WindowData(SourceLayer):
    """Draws windows of listed pictures, with replacement, and warps them to squares.

    ``batch_size - int(batch_size * fg_fraction)`` background windows, of label 0, come before the
    foreground ones. ``value = (pixel - mean) * scale``; what lies outside of a picture is 0.
    Size, mirroring and mean come from ``transform_param``, the scale from ``window_data_param``
    or else from ``transform_param``.

    tops: (N, 3, crop_size, crop_size) pictures, BGR; (N,) labels.

    Raises:
        DataError: the list or a picture is missing, damaged or of the wrong form.

    Source: Caffe window_data_layer.cpp.
    """

    tops = exactly(2)

    def make_spec(self) -> BatchSpec:
        """Check the definition and the list, and return what to read."""
        given, definition = self.param.window_data_param, self.context.place.file
        self._check_definition()
        # CAFFE-QUIRK: these fields are read from no definition that is not upgraded.
        warn_about_neglected(self, "window_data_param", ["mean_file", "crop_size", "mirror"],
                             "write it in transform_param")
        transform = read_transform(self)
        self._check_mean(transform)
        source = resolve(given.source, definition)
        windows = read_window_list(source, given.fg_threshold, given.bg_threshold)
        # In single precision, as Caffe counts them.
        foreground = int(np.float32(given.batch_size) * np.float32(given.fg_fraction))
        self._check_windows(windows, foreground)
        reader = partial(
            WindowRecords, windows, given.root_folder, (source, definition), given.cache_images,
            skip_rest=self.context.settings.strict)
        order = Drawn((len(windows.background), len(windows.foreground)),
                      (given.batch_size - foreground, foreground))
        warp = Warp(transform.crop_size, given.context_pad, given.crop_mode == "square")
        return self.batches(reader, order, given.batch_size, WindowTransform(
            warp, self._scale(), transform.mirror, transform.mean))

    def _scale(self) -> float:
        own, common = self.param.window_data_param, self.param.transform_param
        # CAFFE-QUIRK: upgraded definitions have their scale in transform_param, where Caffe
        # does not look for it.
        if own.HasField("scale") or self.context.settings.strict:
            return own.scale
        return common.scale

    def _check_definition(self) -> None:
        given, crop = self.param.window_data_param, self.param.transform_param.crop_size
        self.check_source("window_data_param", "a text file with blocks of windows", "window")
        if not crop:
            raise self.error(DataError, "crop_size is not given", at=("transform_param",),
                             wanted="transform_param { crop_size: the side of the squares }")
        if 2 * given.context_pad >= crop:
            raise self.error(DataError, "context_pad leaves no room for the window",
                             at=("window_data_param", "context_pad"), got=given.context_pad,
                             wanted=f"less than half of crop_size {crop}")
        if not 0 <= given.fg_fraction <= 1:
            raise self.error(DataError, "fg_fraction is not a fraction",
                             at=("window_data_param", "fg_fraction"), got=given.fg_fraction,
                             wanted="0 to 1")

    def _check_mean(self, transform: Transform) -> None:
        mean, crop = transform.mean, transform.crop_size
        if mean is None:
            return
        fits = len(mean) in (1, _CHANNELS) if mean.ndim == 1 else len(mean) == _CHANNELS
        if fits and mean.ndim == 3:
            offset = (mean.shape[2] - crop) // 2
            fits = offset >= 0 and offset + crop <= min(mean.shape[1:])
        if not fits:
            raise self.error(DataError, "the mean does not fit the squares",
                             at=("transform_param",), got=f"mean of shape {mean.shape}",
                             wanted=f"1 or 3 values, or a picture of 3 channels that holds the "
                                    f"{crop} x {crop} square at offset (width - {crop}) / 2")

    def _check_windows(self, windows: WindowList, foreground: int) -> None:
        given = self.param.window_data_param
        for name, count, wanted in (("foreground", len(windows.foreground), foreground),
                                    ("background", len(windows.background),
                                     given.batch_size - foreground)):
            if wanted and not count:
                raise DataError(f"the list has no {name} windows", where=windows.file,
                                layer=self.name, wanted=f"at least 1, to draw {wanted} from",
                                remedy="Look at fg_threshold, bg_threshold and fg_fraction")
