"""Data: pictures and labels of a database."""
from __future__ import annotations

from functools import partial

from .. import glog
from ..blob import Blob
from ..errors import DataError
from ..paths import resolve
from ..proto.caffe_pb2 import DataParameter
from ..sources.batcher import BatchSpec
from ..sources.datum import parse_datum
from ..sources.orders import Rounds
from ..sources.records.database import DatabaseRecords, open_database
from .base import Arity
from .common.source import SourceLayer
from .common.transformation import LEGACY, read_transform, warn_about_neglected


class Data(SourceLayer):
    """Reads the Datum records of an LMDB or LevelDB database in the order of their keys.

    ``value = (pixel - mean) * scale``; see ``sources.transform``. Mirroring acts in TEST as well.
    Pictures are stored raw or encoded; ``force_color`` and ``force_gray`` say how the latter are
    decoded. After the last record comes the first again. All pictures of a batch have one size.

    tops: (N, C, H, W) pictures, BGR or grey; and, if wanted, (N,) labels.

    Raises:
        DataError: the database or a record is missing, damaged or of the wrong form.

    Source: Caffe data_layer.cpp.
    """

    tops = Arity(1, 2)

    def make_spec(self) -> BatchSpec:
        """Check the definition and the first record, and return what to read."""
        given, forced = self.param.data_param, self.param.transform_param
        self._check_definition()
        self._warn_about_neglected_fields()
        path = resolve(given.source, self.context.place.file)
        kind = DataParameter.DB.Name(given.backend)
        transform = read_transform(self)
        color = True if forced.force_color else False if forced.force_gray else None
        reader = partial(DatabaseRecords, path, kind, len(self.param.top) > 1, color)
        return self.batches(reader, Rounds(self._count_records(path, kind)), given.batch_size,
                            transform)

    def workers(self) -> int:
        """Return how many processes read; a LevelDB database is open in one process alone."""
        return 0 if self.param.data_param.backend == DataParameter.LEVELDB else super().workers()

    def forward(self, bottom: list[Blob], top: list[Blob]) -> None:
        """Copy the next batch to the tops."""
        epoch = self.state()["epoch"]
        super().forward(bottom, top)
        if self.state()["epoch"] > epoch:
            glog.info("Restarting data prefetching from start.")

    def _count_records(self, path: str, kind: str) -> int | None:
        database = open_database(path, kind)
        try:
            first = database.find(0)
            if first is None:
                raise DataError("the database has no records", where=path)
            if self.param.transform_param.force_color or self.param.transform_param.force_gray:
                self._warn_about_raw_pictures(first[1])
            return database.count
        finally:
            database.close()

    def _check_definition(self) -> None:
        forced = self.param.transform_param
        self.check_source("data_param", "the folder of a database", "picture")
        if forced.force_color and forced.force_gray:
            raise self.error(DataError, "force_color and force_gray are both given",
                             at=("transform_param", "force_gray"), remedy="Give one of them.")

    def _warn_about_neglected_fields(self) -> None:
        # CAFFE-QUIRK: these fields are read from no definition that is not upgraded.
        warn_about_neglected(self, "data_param", LEGACY, "write it in transform_param")
        warn_about_neglected(self, "data_param", ["force_encoded_color"],
                             "write force_color in transform_param")
        warn_about_neglected(self, "data_param", ["rand_skip"], "reading starts at the first "
                                                                "record")

    def _warn_about_raw_pictures(self, first: bytes) -> None:
        if not parse_datum(first).encoded:
            glog.error("%s: layer '%s': force_color and force_gray have no effect on raw pictures",
                       self.context.place.at("transform_param"), self.name)
