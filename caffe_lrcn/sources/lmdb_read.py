"""Records of an LMDB database by number, read without locks and without trust.

The file is a B+tree of pages. It is read here page by page with plain reads, so that a damaged or
truncated file is an error: the C library maps the file and follows its pointers as they are,
which ends the process. Nothing is locked or written, hence read-only media are fine; a database
that somebody else is writing to is not.
"""
from __future__ import annotations

import os
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from struct import Struct
from typing import NoReturn

from ..errors import DataError

_MAGIC, _VERSION = 0xBEEFC0DE, 1
_PAGE_HEADER = Struct("<QHHHH")  # number, -, flags, end of the pointers, start of the nodes
_META = Struct("<IIQQ")  # magic, version, -, map size
_TREE = Struct("<IHHQQQQQ")  # page size or 0, flags, depth, three page counts, entries, root
_META_END = Struct("<QQ")  # last page, transaction
_NODE = Struct("<HHHH")  # two halves of a size or page number, flags, key size
_POINTER = Struct("<H")
_PAGE_NUMBER = Struct("<Q")
_BRANCH, _LEAF, _OVERFLOW = 1, 2, 4
_BIG_DATA, _NESTED = 1, 2 | 4
_DUPLICATES = 4
_PAGE_SIZES = {2**bits for bits in range(9, 17)}
_NO_PAGE = 2**64 - 1
_MOST_DEPTH = 32


@dataclass(frozen=True)
class _Meta:
    page_size: int
    flags: int
    depth: int
    entries: int
    root: int
    last_page: int
    transaction: int


class LmdbFile:
    """The main table of an LMDB environment.

    Args:
        path: the environment's folder, or its data file.

    Raises:
        DataError: the file is missing, damaged, or no LMDB environment of the usual kind.

    Source: the file format of LMDB 0.9 (64-bit); Caffe util/db_lmdb.cpp.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.join(path, "data.mdb") if os.path.isdir(path) else path
        if not os.path.isfile(self.path):
            raise DataError("there is no LMDB database", where=self.path,
                            remedy="Name the folder that holds data.mdb; backend: LEVELDB is for "
                                   "folders with a file CURRENT")
        try:
            self._fd = os.open(self.path, os.O_RDONLY | getattr(os, "O_BINARY", 0))  # Windows'
        except OSError as error:
            raise DataError("the LMDB database cannot be opened", where=self.path,
                            got=error.strerror) from None
        try:
            self._size = os.fstat(self._fd).st_size
            self._meta = self._newest_meta()
        except BaseException:
            self.close()
            raise
        # Leaves met so far: page numbers, and how many records there are up to each one's end.
        self._leaves, self._ends = array("Q"), array("Q")
        self._walk = self._leaf_pages()
        self._current: tuple[int, bytes] = (-1, b"")

    @property
    def count(self) -> int:
        """How many records there are."""
        return self._meta.entries

    def find(self, index: int) -> tuple[bytes, bytes] | None:
        """Return key and value of a record, counted in the order of keys; None past the end.

        Raises:
            DataError: the file is damaged or truncated there.
        """
        if index >= self.count:
            return None
        while not self._ends or self._ends[-1] <= index:
            self._find_next_leaf(index)
        leaf = bisect_right(self._ends, index)
        first = self._ends[leaf - 1] if leaf else 0
        if self._current[0] != self._leaves[leaf]:
            self._current = self._leaves[leaf], self._page(self._leaves[leaf], _LEAF)
        return self._node(self._current[1], index - first)

    def close(self) -> None:
        """Close the file."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _find_next_leaf(self, index: int) -> None:
        page = next(self._walk, None)
        known = self._ends[-1] if self._ends else 0
        if page is None:
            self._fail(f"record {index} of {self.count} is wanted, and the tree holds {known}")
        number, count = page
        self._leaves.append(number)
        self._ends.append(known + count)

    def _leaf_pages(self) -> Iterator[tuple[int, int]]:
        """Yield number and count of records of each leaf page, in the order of keys."""
        stack = [] if self._meta.root == _NO_PAGE else [(self._meta.root, 1)]
        budget = self._size // self._meta.page_size  # a damaged tree may contain itself
        while stack:
            number, depth = stack.pop()
            budget -= 1
            if budget < 0:
                self._fail("the tree has more pages than the file")
            if depth == self._meta.depth:
                page = self._read(number, _PAGE_HEADER.size)
                yield number, self._count(page, number, _LEAF)
                continue
            page = self._page(number, _BRANCH)
            count = self._count(page, number, _BRANCH)
            stack += [(self._child(page, place), depth + 1) for place in reversed(range(count))]

    def _page(self, number: int, kind: int) -> bytes:
        page = self._read(number, self._meta.page_size)
        self._count(page, number, kind)
        return page

    def _read(self, number: int, size: int, skip: int = 0) -> bytes:
        """Return some bytes of a page."""
        offset = number * self._meta.page_size + skip
        if number > self._meta.last_page or offset + size > self._size:
            self._fail(f"page {number} lies past the end of the file ({self._size} bytes)")
        content = self._bytes(size, offset)
        if len(content) != size:
            self._fail(f"page {number} cannot be read")
        return content

    def _bytes(self, size: int, offset: int) -> bytes:
        try:
            os.lseek(self._fd, offset, os.SEEK_SET)  # Windows has no pread
            return os.read(self._fd, size)
        except OSError as error:
            raise DataError(f"byte {offset} of the LMDB database cannot be read",
                            where=self.path, got=error.strerror) from None

    def _count(self, page: bytes, number: int, kind: int) -> int:
        """Return how many nodes a page has, once it is known to be of this kind."""
        its_number, _, flags, lower, upper = _PAGE_HEADER.unpack_from(page)
        if its_number != number or flags & (_BRANCH | _LEAF | _OVERFLOW) != kind:
            self._fail(f"page {number} is not what the tree says")
        if not _PAGE_HEADER.size < lower <= upper <= self._meta.page_size or lower % 2:
            self._fail(f"page {number} has an impossible header")
        return (lower - _PAGE_HEADER.size) // 2

    def _node_at(self, page: bytes, place: int) -> tuple[int, tuple[int, int, int, int]]:
        """Return where the body of a node starts, and the four numbers in front of it."""
        start = _POINTER.unpack_from(page, _PAGE_HEADER.size + _POINTER.size * place)[0]
        if start + _NODE.size > len(page):
            self._fail("a record starts outside of its page")
        return start + _NODE.size, _NODE.unpack_from(page, start)

    def _child(self, page: bytes, place: int) -> int:
        _, (low, middle, high, _) = self._node_at(page, place)
        return low | middle << 16 | high << 32

    def _node(self, page: bytes, place: int) -> tuple[bytes, bytes]:
        start, (low, high, flags, key_size) = self._node_at(page, place)
        size, value = low | high << 16, start + key_size
        if flags & _NESTED:
            raise DataError("the database holds tables or duplicates", where=self.path,
                            wanted="records of key and Datum")
        end = value + (_PAGE_NUMBER.size if flags & _BIG_DATA else size)
        if end > len(page):
            self._fail("a record reaches out of its page")
        key = page[start:value]
        if not flags & _BIG_DATA:
            return key, page[value:end]
        number = _PAGE_NUMBER.unpack_from(page, value)[0]
        its_number, _, flags, _, _ = _PAGE_HEADER.unpack(self._read(number, _PAGE_HEADER.size))
        if its_number != number or flags & (_BRANCH | _LEAF | _OVERFLOW) != _OVERFLOW:
            self._fail(f"page {number} is not what the tree says")
        return key, self._read(number, size, _PAGE_HEADER.size)

    def _newest_meta(self) -> _Meta:
        first = self._read_meta(0)
        if not first:
            raise DataError("this is not an LMDB database", where=self.path,
                            got=f"{self._size} bytes")
        second = self._read_meta(first.page_size)
        if not second or second.page_size != first.page_size:
            self._fail("the second head page is damaged")
        newest = max(first, second, key=lambda meta: meta.transaction)
        if newest.flags & _DUPLICATES:
            raise DataError("the database holds duplicate keys", where=self.path,
                            wanted="records of key and Datum")
        if newest.root != _NO_PAGE and not 0 < newest.depth <= _MOST_DEPTH:
            self._fail(f"the tree has the impossible depth {newest.depth}")
        return newest

    def _read_meta(self, offset: int) -> _Meta | None:
        trees = _PAGE_HEADER.size + _META.size
        end = trees + 2 * _TREE.size
        head = self._bytes(end + _META_END.size, offset)
        if len(head) < end + _META_END.size:
            return None
        magic, version, _, _ = _META.unpack_from(head, _PAGE_HEADER.size)
        page_size = _TREE.unpack_from(head, trees)[0]
        if magic != _MAGIC or version != _VERSION or page_size not in _PAGE_SIZES:
            return None
        _, flags, depth, _, _, _, entries, root = _TREE.unpack_from(head, trees + _TREE.size)
        last_page, transaction = _META_END.unpack_from(head, end)
        return _Meta(page_size, flags, depth, entries, root, last_page, transaction)

    def _fail(self, problem: str) -> NoReturn:
        raise DataError(f"the LMDB database is damaged or truncated: {problem}", where=self.path,
                        remedy="Copy it again; it must not be written to meanwhile")
