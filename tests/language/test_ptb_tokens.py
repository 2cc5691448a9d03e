"""The tokeniser: golden captions, and oddities measured on the original."""
from __future__ import annotations

import json
from pathlib import Path

import pytest

from caffe_lrcn.language.ptb_tokens import PTBTokenizer

GOLDEN = Path(__file__).parents[1] / "golden" / "caption_metrics.json"


def test_golden_captions():
    tokenize = PTBTokenizer()
    images = json.loads(GOLDEN.read_text(encoding="utf-8"))["per_image"]
    assert len(images) == 150
    for image in images.values():
        assert " ".join(tokenize(image["candidate"])) == image["tokenized"]


@pytest.mark.parametrize(("text", "tokens"), [
    ("A dog, running.", "a dog running"),
    ("The man's dogs' toys aren't, CAN'T and cannot",
     "the man 's dogs toys are n't ca n't and can not"),
    ("O’Neil o’clock y’all ’90s ’tis", "o’neil o’clock y’ all ’90s tis"),
    ("on track B. There b. x laptop., 2nd.; no:", "on track b there b. x laptop. 2nd. no"),
    ("in 2010 2011 at 123 456 7890", "in 2010 2011 at 123\u00a0456\u00a07890"),
    ("gonna Gimme 'tis 'twas", "gon na gim me 't is 't was"),
    ("isn’t it’s “so” — she said…", "is n't it 's so she said"),
    ("rock'n'roll 'n' o'clock O'Neil y'all ma'am N'Sync",
     "rock 'n' roll 'n' o'clock o'neil y' all ma'am n'sync"),
    ("(red) [blue] {x}", "-lrb- red -rrb- -lsb- blue -rsb- -lcb- x -rcb-"),
    (":) ;-) :D <3", ":-rrb- ;--rrb- :d < 3"),
    ("$5.00 at 5:30 p.m. in the U.S. for 50%", "$ 5.00 at 5:30 p.m. in the u.s. for 50 %"),
    ("Mr. Smith of St. Louis, No. 5", "mr. smith of st. louis no. 5"),
    ("say no. He did; in. tall", "say no he did in tall"),
    ("#1 #tag @user 1,000 3-5 '90s 90's 5'11", "# 1 #tag @user 1,000 3-5 '90s 90 's 5 '11"),
    ("and/or black/white 1/2 t-shirt twenty-year-old",
     "and/or black/white 1/2 t-shirt twenty-year-old"),
    ("1 1/2 cups ½ cup €5 £5 5¢", "1\u00a01/2 cups 1/2 cup $ 5 # 5 5 cents"),
    ("dog,cat dog.cat a!b end...more x--y", "dog cat dog.cat a!b end more x y"),
    ("what?! no!! why? R&B rock&roll", "what ?! no !! why r&b rock & roll"),
    ("CAFÉ naïve 日本語 hi😀 a²", "café naïve 日本語 hi a ²"),
    ("c++ c# http://a.com/x?y=1, me@x.com www.foo.com.",
     "c++ c# http://a.com/x?y=1 me@x.com www.foo.com"),
    ("two\nlines\tand a\u00a0blank", "two lines and a blank"),
    ("...", ""), ("", ""), ("  ", ""),
])
def test_oddities(text, tokens):
    assert " ".join(PTBTokenizer()(text)) == tokens


def test_remembered_words_do_not_change():
    tokenize = PTBTokenizer()
    first = tokenize("no. 5 dogs' no.")
    assert tokenize("no. 5 dogs' no.") == first
    first.append("x")
    assert tokenize("no. 5 dogs' no.") != first
