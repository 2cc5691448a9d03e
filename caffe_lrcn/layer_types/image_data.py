"""ImageData: pictures that a text file lists, with integer labels."""
from __future__ import annotations

from functools import partial

from ..errors import DataError
from ..paths import resolve
from ..proto.text import LayerDef
from ..sources.batcher import BatchSpec
from ..sources.listing import read_picture_list
from ..sources.orders import Epochs
from ..sources.records.images import TAB_REMEDY, ImageRecords
from .base import exactly
from .common.source import SourceLayer
from .common.transformation import LEGACY, read_preprocessing, warn_about_neglected


class ImageData(SourceLayer):
    """Decodes, resizes, crops, mirrors and normalises listed pictures.

    ``value = (pixel - mean) * scale``; see ``sources.transform``. Mirroring acts in TEST as well.

    tops: (N, C, H, W) pictures, BGR or grey; (N,) labels.

    Raises:
        DataError: the list or a picture is missing, damaged or of the wrong form.

    Source: Caffe image_data_layer.cpp.
    """

    tops = exactly(2)

    def make_spec(self) -> BatchSpec:
        """Check the definition and the list, and return what to read."""
        given, definition = self.param.image_data_param, self.context.place.file
        preprocessing = read_preprocessing(LayerDef(self.param, self.context.place), self.phase,
                                           self.context.settings.strict)
        self.check_source("image_data_param", "a text file with lines of picture and label",
                          "picture")
        self._warn_about_ignored_fields()
        source = resolve(given.source, definition)
        pictures = read_picture_list(source)
        if given.rand_skip and given.rand_skip >= len(pictures):
            raise self.error(DataError, "rand_skip is not smaller than the list",
                             at=("image_data_param", "rand_skip"), got=given.rand_skip,
                             wanted=f"less than {len(pictures)}")
        reader = partial(
            ImageRecords, listed=pictures, root_folder=given.root_folder,
            beside=(source, definition), preprocessing=preprocessing)
        self._check_pictures(reader())
        return self.batches(
            reader, Epochs(len(pictures), given.shuffle, rand_skip=given.rand_skip),
            given.batch_size, preprocessing.transform)

    def _check_pictures(self, records: ImageRecords) -> None:
        """Look for all pictures now: training would stop at a missing one hours later."""
        missing = records.missing()
        if not missing:
            return
        first = missing[0]
        message = f"picture '{records.root_folder + records.listed.names[first]}' is missing"
        if len(missing) > 1:
            message += f", and {len(missing) - 1} more of {records.count}"
        remedy = (TAB_REMEDY if "\t" in records.listed.names[first] else
                  "A line is a picture's name, a space, its label; root_folder is put before the "
                  "name as it is, so end it with a slash")
        raise DataError(message, where=records.place(first)[0], remedy=remedy)

    def _warn_about_ignored_fields(self) -> None:
        # CAFFE-QUIRK: these fields are read from no definition that is not upgraded.
        warn_about_neglected(self, "image_data_param", LEGACY, "write it in transform_param")
        warn_about_neglected(self, "transform_param", ["force_color", "force_gray"],
                             "ImageData decides by is_color")
