"""Drawings keep their boxes apart, and arrows off the boxes."""
from __future__ import annotations

import itertools

import pytest

from caffe_lrcn.drawing.canvas import Arrow, Box, Text, font
from caffe_lrcn.drawing.graph import build_graph
from caffe_lrcn.drawing.layers import Layers, minimise
from caffe_lrcn.drawing.layout import Spacing, lay_out
from caffe_lrcn.drawing.picture import FONT_SIZE, make_picture
from caffe_lrcn.drawing.png import sampled
from tests.drawing.nets import inception_like, recurrent, shapes

_NETS = {"inception": lambda: inception_like(3), "recurrent": recurrent}


@pytest.fixture(params=itertools.product(_NETS, ("TB", "LR", "BT", "RL"), (True, False)),
                ids=lambda param: "-".join(map(str, param)))
def picture(request):
    net, rankdir, compact = request.param
    graph = build_graph("n", _NETS[net](), compact=compact)
    return make_picture(graph, rankdir)


def _bounds(box):
    xs, ys = zip(*box.corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _overlaps(boxes, distance: float) -> bool:
    return any(a[0] < b[2] + distance and b[0] < a[2] + distance
               and a[1] < b[3] + distance and b[1] < a[3] + distance
               for a, b in itertools.combinations(boxes, 2))


def test_boxes_are_apart_and_inside(picture):
    bounds = [_bounds(box) for box in shapes(picture, Box)]
    # Cells of one box touch; shrunk by a little, they do not overlap either.
    assert not _overlaps(bounds, -0.01)
    assert all(left >= 0 and top >= 0 and right <= picture.width and bottom <= picture.height
               for left, top, right, bottom in bounds)


def test_texts_are_inside_their_boxes(picture):
    bounds = [_bounds(box) for box in shapes(picture, Box)]
    for text in shapes(picture, Text):
        half = font(FONT_SIZE).getlength(text.text) / 2
        if text.anchor == "middle":
            assert any(left <= text.at[0] - half and text.at[0] + half <= right
                       and top <= text.at[1] <= bottom for left, top, right, bottom in bounds)
        else:
            assert 0 <= text.at[0] and text.at[0] + half * 2 <= picture.width + 8, text


def test_arrows_run_through_no_box(picture):
    bounds = [_bounds(box) for box in shapes(picture, Box)]
    for arrow in shapes(picture, Arrow):
        for x, y in (point for curve in arrow.route for point in sampled(curve)):
            assert not any(left + 0.1 < x < right - 0.1 and top + 0.1 < y < bottom - 0.1
                           for left, top, right, bottom in bounds)


def test_the_check_of_overlaps_can_fail():
    layout = lay_out([(30, 10)] * 3, [(0, 1), (0, 2)], spacing=Spacing(beside=-20))
    boxes = [(x - 15, y - 5, x + 15, y + 5) for x, y in layout.centres]
    assert _overlaps(boxes, -0.01)


@pytest.mark.parametrize(("rankdir", "axis", "sign"), [
    ("TB", 1, 1), ("BT", 1, -1), ("LR", 0, 1), ("RL", 0, -1)])
def test_arrows_point_as_they_should(rankdir, axis, sign):
    layout = lay_out([(30, 10), (20, 40), (10, 10)], [(0, 1), (1, 2), (0, 2)], rankdir)
    for route, (source, target) in zip(layout.routes, [(0, 1), (1, 2), (0, 2)], strict=True):
        way = (layout.centres[target][axis] - layout.centres[source][axis]) * sign
        assert way > 0
        assert all(a[3] == b[0] for a, b in itertools.pairwise(route))
        assert (route[-1][3][axis] - route[0][0][axis]) * sign > 0


def test_a_chain_is_a_straight_line():
    layout = lay_out([(30, 10), (80, 20), (11, 10)], [(0, 1), (1, 2)])
    assert len({round(x, 6) for x, _ in layout.centres}) == 1


def test_sources_stand_near_what_they_feed():
    layers = Layers(5, [(0, 1), (1, 2), (2, 4), (3, 4)])
    assert layers.rank == [0, 1, 2, 2, 3]


def test_arrows_from_one_node_share_their_bends():
    layers = Layers(4, [(0, 1), (1, 2), (2, 3), (0, 2), (0, 3)])
    assert layers.paths[3][:2] == layers.paths[4][:2] and len(layers.rank) == 6


def test_order_undoes_crossings():
    layers = Layers(4, [(0, 3), (1, 2)])
    assert layers.crossings() == 0
    layers.rows = [[0, 1], [2, 3]]
    assert layers.crossings() == 1


def test_the_linear_problem():
    assert minimise([1, 1, -1], [(0, 1, 3), (1, 2, 2), (2, 0, -9)]) == [0, 3, 9]
    assert minimise([], []) == [] and minimise([1, 1], []) == [0, 0]


def test_the_same_net_gives_the_same_picture():
    graphs = [build_graph("n", inception_like(2)) for _ in range(2)]
    assert make_picture(graphs[0]) == make_picture(graphs[1])


def test_a_net_without_layers():
    picture = make_picture(build_graph("n", []))
    assert not picture.shapes and picture.width > 0 and picture.height > 0


def _blocks(count: int) -> tuple[int, list[tuple[int, int]]]:
    """Return the nodes and arrows of blocks of two branches, one of them twice as long."""
    return 4 * count + 1, [(4 * block + a, 4 * block + b) for block in range(count)
                           for a, b in ((0, 1), (0, 2), (2, 3), (1, 4), (3, 4))]


@pytest.mark.parametrize(("count", "edges"), [
    (6000, [(node, node + 1) for node in range(5999)]),
    (6000, [(0, node) for node in range(1, 6000)]),
    _blocks(1500)], ids=["chain", "wide", "blocks"])
def test_large_drawings_need_no_linear_program(monkeypatch, count, edges):
    monkeypatch.setattr("scipy.optimize.linprog", None)
    layout = lay_out([(30 + node % 7, 10) for node in range(count)], edges)
    rows: dict[float, list[tuple[float, int]]] = {}
    for node, (x, y) in enumerate(layout.centres):
        rows.setdefault(y, []).append((x, node))
    for row in map(sorted, rows.values()):
        for (x, a), (beside, b) in itertools.pairwise(row):
            assert beside - x >= (60 + a % 7 + b % 7) / 2 + 24 - 1e-6
    assert all(layout.centres[a][1] < layout.centres[b][1] for a, b in edges)
    assert layout.width < 200 or len(rows) == 2  # a long drawing does not drift aside


def test_sorting_ranks_looks_at_neighbours_alone(monkeypatch):
    looked = []
    places = Layers.places
    monkeypatch.setattr(Layers, "places", lambda layers: looked.append(1) or places(layers))
    count, edges = _blocks(100)
    Layers(count, [*edges, *((node, node + 9) for node in range(0, count - 9, 4))])
    assert len(looked) < 40  # twice a sweep, not once a rank
