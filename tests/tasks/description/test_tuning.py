"""The choice of weights."""
from __future__ import annotations

from caffe_lrcn.tasks.description.stack_search import Candidate
from caffe_lrcn.tasks.description.tuning import tune


def test_weights_that_rank_the_right_translation_first():
    right, wrong = "he cuts the red carrot", "she cuts a carrot with it"
    # The first feature leads astray, the second is right, the third tells nothing apart.
    pool = [Candidate((*wrong.split(),), (1.0, 0.0, 3.0), 0), Candidate((*right.split(),),
                                                                       (0.0, 0.7, 3.0), 0)]

    def decode(weights):
        def score(candidate):
            return -sum(w * f for w, f in zip(weights, candidate.features, strict=True))
        return [sorted(pool, key=score)] * 3

    lines: list[str] = []
    weights, reached = tune(decode, [[f"{right}."]] * 3, (1.0, 1.0, 0.3), 1, lines.append)
    assert reached > 0.999 and 0.7 * weights[1] > weights[0]
    assert weights[2] == 0.3
    assert "round 2: BLEU-4 100.0% on clips held out" in lines[1]


def test_weights_that_cannot_be_bettered_stay():
    right = Candidate(("a", "b", "c", "d"), (1.0, 2.0), 0)
    found = tune(lambda weights: [[right]], [["a b c d"]], (0.2, -0.3), 1, lambda line: None)
    assert found[0] == (0.2, -0.3) and found[1] > 0.999
