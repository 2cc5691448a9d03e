"""Means, intervals and agreement of ranks, against other ways to compute them."""
from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from scipy.stats import kendalltau

from caffe_lrcn.errors import DataError
from caffe_lrcn.tasks.ranking.agreement import agreement
from caffe_lrcn.tasks.ranking.report import counted, make_report
from caffe_lrcn.tasks.ranking.report_page import write_page
from caffe_lrcn.tasks.ranking.store import Judge, Rank
from caffe_lrcn.tasks.ranking.study import Item, Study


def study(items=40, systems=("bad", "good", "<i>middle</i>")):
    return Study(systems, tuple(Item(str(n), f"{n}.png", tuple(systems)) for n in range(items)))


def ranked(of, judge, item, ranks):
    """Return a judge's rows of an item: the same ranks by each criterion."""
    return [Rank(judge, item, criterion, system, rank, 1) for criterion in of.criteria
            for system, rank in zip(of.systems, ranks, strict=True)]


def test_means_are_those_of_items_and_systems_come_best_first():
    of = study(2)
    # Two judges of item 0, one of item 1: each item counts once.
    rows = [*ranked(of, 1, 0, [3, 1, 2]), *ranked(of, 2, 0, [1, 2, 3]),
            *ranked(of, 1, 1, [3, 1, 2])]
    report = make_report(of, [Judge(1, "Ann", 2), Judge(2, "Bob", 1), Judge(3, "Eve", 0)], rows)
    assert report.systems == ["good", "<i>middle</i>", "bad"]
    assert report.criteria[0].means == pytest.approx([(1.5 + 1) / 2, (2.5 + 2) / 2, (2 + 3) / 2])
    assert report.ranked == 2 and [judge.name for judge in report.judges] == ["Ann", "Bob"]


@pytest.mark.parametrize("ranks, places", [
    ([1, 1, 1], [2, 2, 2]), ([1, 1, 2], [1.5, 1.5, 3]), ([1, 2, 2], [1, 2.5, 2.5]),
    ([1, 3, 3], [1, 2.5, 2.5]), ([2, 3, 1], [2, 3, 1])])
def test_ties_share_the_mean_of_their_places(ranks, places):
    of = study(1, ("a", "b", "c"))
    report = make_report(of, [Judge(1, "Ann", 1)], ranked(of, 1, 0, ranks))
    means = dict(zip(report.systems, report.criteria[1].means, strict=True))
    assert [means[system] for system in "abc"] == places
    assert sum(means.values()) == 6
    assert report.criteria[1].low is None and report.criteria[1].cell(0).count("[") == 0


def rankings_of(draw, of, judges, noise):
    rows = []
    for item in range(len(of.items)):
        for judge in range(1, judges + 1):
            scores = np.arange(len(of.systems)) + noise * draw.normal(size=len(of.systems))
            rows += ranked(of, judge, item, (scores.argsort().argsort() + 1).tolist())
    return rows


def test_intervals_agree_with_theory_and_with_the_seed():
    of = study(400, ("a", "b", "c", "d"))
    rows = rankings_of(np.random.default_rng(1), of, 1, 2.0)
    judges = [Judge(1, "Ann", 400)]
    first, same, other = (make_report(of, judges, rows, 0.95, 2000, seed) for seed in (1, 1, 2))
    assert first == same and first.criteria[0].low != other.criteria[0].low
    criterion = first.criteria[0]
    for place, system in enumerate(first.systems):
        values = [row.rank for row in rows if row.system == system and row.criterion == "grammar"]
        half = 1.96 * np.std(values, ddof=1) / 20
        assert criterion.means[place] == pytest.approx(np.mean(values))
        assert criterion.low[place] == pytest.approx(np.mean(values) - half, abs=0.015)
        assert criterion.high[place] == pytest.approx(np.mean(values) + half, abs=0.015)
    narrow = make_report(of, judges, rows, 0.5, 1500).criteria[0]
    assert narrow.low[0] > criterion.low[0] and narrow.high[0] < criterion.high[0]


def test_nothing_ranked_yet():
    with pytest.raises(DataError, match="nothing has been ranked"):
        make_report(study(), [Judge(1, "Ann", 0)], [])


def plain_alpha(items):
    """Krippendorff's alpha from its coincidences, pair by pair."""
    units = [[ranks[judge][system] for judge in range(len(ranks))]
             for ranks in items for system in range(ranks.shape[1])]
    values = [value for unit in units for value in unit]
    observed = sum(sum((a - b) ** 2 for a, b in itertools.permutations(unit, 2)) / (len(unit) - 1)
                   for unit in units) / len(values)
    expected = sum((a - b) ** 2 for a, b in itertools.permutations(values, 2)) / (
        len(values) * (len(values) - 1))
    return 1 - observed / expected


def test_agreement_against_other_computations():
    draw = np.random.default_rng(3)
    items = []
    for judges in (2, 3, 1, 4, 2):
        raw = draw.integers(1, 4, (judges, 5))
        items.append(np.array([[np.mean([p for p, v in enumerate(sorted(row), 1) if v == value])
                                for value in row] for row in raw]))
    found = agreement(items)
    common = [ranks for ranks in items if len(ranks) > 1]
    assert found.items == 4
    assert found.krippendorff_alpha == pytest.approx(plain_alpha(common))
    taus = [kendalltau(a, b).statistic for ranks in common
            for a, b in itertools.combinations(ranks, 2)]
    assert found.kendall_tau == pytest.approx(np.mean(taus))


def test_concordance_is_linked_to_the_mean_rank_correlation():
    ranks = np.array([[1, 2, 3, 4, 5], [2, 1, 3, 5, 4], [5, 1, 2, 3, 4.0]])
    rho = np.corrcoef(ranks)[np.triu_indices(3, 1)].mean()
    assert agreement([ranks]).kendall_w == pytest.approx((rho * 2 + 1) / 3)
    tied = np.array([[1.5, 1.5, 3], [1.5, 1.5, 3]])
    assert agreement([tied]).kendall_w == pytest.approx(1)


def test_full_agreement_chance_and_none():
    same = agreement([np.array([[1.0, 2, 3]] * 3)] * 4)
    assert (same.kendall_w, same.kendall_tau, same.krippendorff_alpha) == pytest.approx((1, 1, 1))
    draw = np.random.default_rng(5)
    chance = agreement([np.array([draw.permutation(6) + 1.0 for _ in range(2)])
                        for _ in range(800)])
    assert abs(chance.kendall_tau) < 0.05 and abs(chance.krippendorff_alpha) < 0.05
    assert chance.kendall_w == pytest.approx(0.5, abs=0.03)
    for items in ([], [np.array([[1.0, 2, 3]])]):
        alone = agreement(items)
        assert (alone.items, alone.kendall_w, alone.kendall_tau, alone.krippendorff_alpha) == (
            0, None, None, None)
    tied = agreement([np.full((2, 3), 2.0)])
    assert tied.items == 1 and (tied.kendall_w, tied.kendall_tau, tied.krippendorff_alpha) == (
        None, None, None)


def test_the_page_is_escaped_and_has_a_bar_for_each_mean(tmp_path):
    of = study(5)
    rows = rankings_of(np.random.default_rng(1), of, 2, 1.0)
    report = make_report(of, [Judge(1, "<b>Ann</b>", 5), Judge(2, "Bob", 5)], rows)
    write_page(tmp_path / "x.html", report)
    text = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "&lt;i&gt;middle&lt;/i&gt;" in text and "<i>middle" not in text and "<b>Ann" not in text
    assert text.count('class="bar"') == text.count('class="interval"') == 9
    assert report.criteria[2].cell(1) in text
    assert not re.search(r"https?://|<script|<link", text)
    widths = [float(width) for width in re.findall(r'"bar" style="width: ([\d.]+)%', text)]
    assert widths == pytest.approx([100 * mean / 3 for criterion in report.criteria
                                    for mean in criterion.means], abs=0.01)
    assert "5 of 5 items ranked" in counted(report)[0]
