"""VideoData: clips of videos that a text file lists, in the order that recurrent layers want."""
from __future__ import annotations

from dataclasses import replace
from functools import partial

from .. import glog
from ..errors import DataError
from ..paths import resolve
from ..proto.caffe_pb2 import VideoDataParameter
from ..proto.text import LayerDef
from ..sources.base import Shape
from ..sources.batcher import BatchSpec, PictureTransform
from ..sources.clip_list import VideoList, read_video_list
from ..sources.frame_folders import FLOW, RGB
from ..sources.orders import OneEach
from ..sources.original_clips import OriginalClipTransform
from ..sources.records.clips import SMALLEST, ClipRecords, Cutting, Sizing
from .base import TRAIN, exactly
from .common.source import SourceLayer
from .common.transformation import paired_size, read_transform, warn_about_neglected


class VideoData(SourceLayer):
    """Reads clips of T = ``clip_length`` frames from N = ``batch_size`` videos at a time.

    Videos are folders of frames, as ``caffe-lrcn data frames`` and ``data flow`` write them, or
    video files (RGB alone, through PyAV). Of each video comes one clip an epoch: TRAIN draws its
    start, TEST takes the middle. A clip has one crop and one flip; mirroring acts in TEST as well,
    as in ImageData. ``value = (pixel - mean) * scale``; where flow is mirrored, its horizontal
    motion becomes ``256 - pixel``, at most 255. The last frame of a video that is shorter than a
    clip is repeated.

    All videos are looked at when the net is built: 3 ms for a folder with a frames.json, which says
    how it was made; in other folders every picture is opened to see its size.

    Time comes first, as LSTM wants it: frame t of clip n is picture ``t * N + n``. What a net makes
    of the pictures becomes (T, N, ...) in a ``Reshape`` with ``num_axes: 1`` and the clip markers
    as its second bottom.

    tops: (T*N, C, H, W) pictures, BGR; (T, N) labels, the video's at each frame; (T, N) clip
    markers, 0 at the first frame of a clip and 1 after it, for the second bottom of LSTM.

    Raises:
        DataError: the list or a video is missing, damaged, of the wrong form, or has changed since
            the net was built.

    Source: section 4 of the LRCN paper; sequence_input_layer.py of its activity scripts, which
    ``faithful`` reproduces.
    """

    tops = exactly(3)

    def make_spec(self) -> BatchSpec:
        """Check the definition, the list and all videos, and return what to read."""
        given, definition = self.param.video_data_param, self.context.place.file
        self._check_definition()
        size = paired_size(LayerDef(self.param, self.context.place), "video_data_param",
                           "new_height", "new_width")
        transform, sizing = self._transform(size), Sizing(size)
        source, rate = resolve(given.source, definition), given.rate or None
        flow = given.modality == VideoDataParameter.FLOW
        videos = read_video_list(source, given.root_folder, (source, definition),
                                 FLOW if flow else RGB, rate)
        if given.rand_skip and given.rand_skip >= len(videos.videos):
            raise self.error(DataError, "rand_skip is not smaller than the list",
                             at=("video_data_param", "rand_skip"), got=given.rand_skip,
                             wanted=f"less than {len(videos.videos)}")
        cutting = Cutting(given.clip_length, given.frame_stride, given.faithful, flow)
        records = ClipRecords(videos, cutting, sizing, rate)
        self._check_lengths(videos, cutting)
        self._check_sizes(videos, sizing, transform)
        order = OneEach(records.clips, given.faithful or self.phase == TRAIN, given.shuffle,
                        given.rand_skip)
        return replace(self.batches(partial(replace, records), order, given.batch_size, transform),
                       group=given.clip_length, time_major=True)

    def top_shapes(self, shapes: list[Shape]) -> list[Shape]:
        """Return (T*N, C, H, W) and, twice, (T, N)."""
        steps = self.param.video_data_param.clip_length
        pictures, *rest = shapes
        return [pictures, *((steps, shape[0] // steps) for shape in rest)]

    def _transform(self, size: tuple[int, int] | None) -> PictureTransform:
        given = self.param.video_data_param
        flow = given.modality == VideoDataParameter.FLOW
        transform = replace(read_transform(self), flow=flow, flow_sum=256, encoded_flow=True)
        if not given.faithful:
            return transform
        if not transform.crop_size:
            raise self.error(DataError, "the original's reader crops; crop_size is not given",
                             at=("video_data_param", "faithful"),
                             wanted="transform_param { crop_size: 227 }")
        if transform.mean is not None and transform.mean.ndim == 3:
            raise self.error(DataError, "the original's reader has no mean picture",
                             at=("transform_param", "mean_file"), wanted="mean_value")
        return OriginalClipTransform(transform.crop_size, size or SMALLEST, transform.mean,
                                     transform.scale, flow)

    def _check_definition(self) -> None:
        given = self.param.video_data_param
        self.check_source("video_data_param", "a text file with lines of video and label", "clip")
        for field in ("clip_length", "frame_stride"):
            if getattr(given, field) < 1:
                raise self.error(DataError, f"{field} must be at least 1",
                                 at=("video_data_param", field), got=0)
        if not 0 <= given.rate < float("inf"):
            raise self.error(DataError, "rate is not a number of frames per second",
                             at=("video_data_param", "rate"), got=given.rate)
        warn_about_neglected(self, "transform_param", ["flow"], "modality says what pictures are")
        warn_about_neglected(self, "transform_param", ["force_color", "force_gray"],
                             "frames have three channels")
        if given.faithful:
            warn_about_neglected(self, "transform_param", ["mirror"],
                                 "the original's reader mirrors half of the clips")

    def _check_lengths(self, videos: VideoList, cutting: Cutting) -> None:
        """Tell of videos that are shorter than a clip."""
        short = [entry for entry, video in enumerate(videos.videos)
                 if video.count < cutting.span]
        if cutting.faithful:
            none = [entry for entry, video in enumerate(videos.videos)
                    if not cutting.clips(video.count)]
            if none:
                self._refuse(videos, none, cutting)
        elif short:
            glog.warning("%s: layer '%s': %d of %d videos are shorter than the %d frames that a "
                         "clip covers; their last frame is repeated. The first is %s",
                         videos.place(short[0])[0], self.name, len(short), len(videos.videos),
                         cutting.span, videos.place(short[0])[1])

    def _refuse(self, videos: VideoList, entries: list[int], cutting: Cutting) -> None:
        where, name = videos.place(entries[0])
        more = f", and {len(entries) - 1} more" if len(entries) > 1 else ""
        raise DataError(f"the original's reader stops at {name}, which has too few frames{more}",
                        where=where, layer=self.name, got=videos.videos[entries[0]].count,
                        wanted=f"at least {cutting.span + (not cutting.flow)}",
                        remedy="Leave faithful out, or take these videos off the list")

    def _check_sizes(self, videos: VideoList, sizing: Sizing,
                     transform: PictureTransform) -> None:
        """See that all videos give pictures of one shape: training would stop hours later."""
        first: tuple[int, ...] | None = None
        for entry, video in enumerate(videos.videos):
            try:
                shape = transform.shape((*sizing.of(video.height, video.width), 3))
            except DataError as error:
                error.where, name = videos.place(entry)
                error.layer, error.message = self.name, f"{name}: {error.message}"
                raise
            if shape != (first := first or shape):
                where, name = videos.place(entry)
                first_where, first_name = videos.place(0)
                raise DataError(
                    f"{name} has another size than the first", where=where, layer=self.name,
                    got=shape, wanted=f"{first} (channels, height, width) as "
                                      f"{first_name} ({first_where})",
                    remedy="Set crop_size, or new_height and new_width")
