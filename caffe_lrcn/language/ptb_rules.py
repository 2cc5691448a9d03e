"""What counts as a token in Penn Treebank style, as the COCO caption evaluation splits text.

One entry of ``RULES`` is one kind of token. At each position the rule that reaches farthest wins,
the earlier one among equals; ``(?=...)`` that belongs to the reach is written as a second group.

Source: behaviour of Stanford's PTBTokenizer 3.4.1, measured on captions and on made-up text.
"""
from __future__ import annotations

import re

# Python counts raised and circled digits and fractions among the word characters.
_ODD_DIGITS = "\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u218f\u2460-\u2793"
_LETTER = rf"[^\W\d_{_ODD_DIGITS}]"
_ALNUM = rf"[^\W_{_ODD_DIGITS}]"
_MARK = "\u0300-\u036f\u00ad"
_WORD_CHARACTER = rf"(?:{_ALNUM}|[{_MARK}])"
_WORD = rf"{_LETTER}{_WORD_CHARACTER}*(?:[.!?]{_LETTER}{_WORD_CHARACTER}*)*"
_APOSTROPHE = "['\u2019\u0092]"
_QUOTE = "['\u2019\u0092`]"
_HYPHEN = "[-\u2010\u2011\u058a]"
_PART = rf"(?:[dDoOlL]{_APOSTROPHE}{_ALNUM})?{_ALNUM}+"
_ENDING = rf"{_APOSTROPHE}(?i:[msd]|re|ve|ll)"
_ACRONYM = r"[A-Za-z](?:\.[A-Za-z])+"
_SMALL_WORD = r"[A-Za-z0-9]+(?:-[A-Za-z]+){0,2}"
_NUMBER = r"(?:\d*(?:[.:,]\d+)+|\d+)"
_DOMAIN = r"(?:[a-z0-9-]+\.)+(?:com|net|org|edu|gov|mil|int|info|biz)"

# Words that keep their full stop, whatever their case ...
_ABBREVIATIONS = """
adj adm adv al ala alex apr ariz ark assn assoc assocs asst atty attys aug ave bhd bldg blvd brig
bros calif capt cf cie cmdr co col colo comdr conn corp cos cpl ct dak dec del dept det dr drs elec
ens esq est etc ext feb fla fri ft ga gen gov govs hon inc ind insp intl invt jan jos jr jul jun kan
kans ky lieut lt ltd maj mar mass md messrs mfg mich minn mlle mme mo mon mont mr mrs ms msgr mt mtg
natl neb nev nov oct okla penn pfc ph plc ppte ppty pres prof profs pte ptes pty ptys pvt rd rep
reps rev rt sen sens sep sept seq sfc sgt spc sq sr st ste supt supts sys tel tenn thu thurs tue
tues univ va vs vt wed wis wisc wm wyo ph\\.d
"""
# ... only when capitalised, because the small word is a word (ill, miss, la) ...
_CAPITALISED = "Az|Ill|La|Mass|Miss|Ore|Pa|Tex|Wash"
# ... and only in front of a number.
_BEFORE_NUMBER = "art|ca|figs?|nos?|op|pp?|prop"

# Words that start a sentence, so that a single letter in front of them ended one.
_STARTERS = """
A About According Additionally After An As At But Earlier He Her Here However If In It Last Many
More Mr\\. Ms\\. Now Once One Other Our She Since So Some Such That The Their Then There These They
This We What When While Yet You
"""


def _words(text: str) -> str:
    return "|".join(sorted(text.split(), key=len, reverse=True))


_SOURCES = (
    # Markup, addresses.
    r"</?[A-Za-z][^<>]*>|<[!?][A-Za-z-][^<>]*>",
    r"https?://[^\s<>\"(){}|]*[^\s<>\"(){}|.,!?;:'-]",
    rf"{_DOMAIN}(?:/[^\s<>\"(){{}}|]*[^\s<>\"(){{}}|.,!?;:'-])?",
    r"[a-zA-Z0-9][\w.+-]*@(?:[\w-]+\.)+[\w-]+",
    r"[@#][A-Za-z_]\w*",
    # Contractions: the word, and what hangs on it.
    rf"({_WORD}|{_PART}(?:{_HYPHEN}{_PART})*)({_ENDING})(?!{_LETTER})",
    rf"({_LETTER}*?{_LETTER})([nN]{_QUOTE}[tT])",
    rf"[nN]{_QUOTE}[tT](?!{_LETTER})",
    rf"{_ENDING}(?!{_LETTER})",
    r"(?i:(can)(not)|(gon|wan)(na)|(got)(ta)|(lem|gim)(me))(?!\w)",
    rf"('t)(?i:is|was)(?!{_ALNUM})",
    # Words.
    _WORD,
    rf"{_PART}(?:{_HYPHEN}{_PART})*",
    rf"[A-Za-z0-9][A-Za-z0-9.,\u00ad]*(?:-(?:{_ACRONYM}\.|[A-Za-z0-9\u00ad]+))+",
    rf"{_SMALL_WORD}(?:\\?/{_SMALL_WORD}){{1,2}}",
    r"[A-Z]+(?:(?:[+&]|&amp;)[A-Z]+)+",
    rf"{_ALNUM}+(?:_+{_ALNUM}+)+|_+",
    r"[cC]\+\+|[cCfF]#",
    rf"{_LETTER}+[aeiouyAEIOUY]{_APOSTROPHE}[aeiouA-Z]{_LETTER}*",
    rf"(?i:{_APOSTROPHE}(?:n{_APOSTROPHE}|n(?!\w)|em|till?|cause))",
    rf"(?i:[ldj]{_APOSTROPHE}|ol{_APOSTROPHE}|somethin{_APOSTROPHE}|dunkin{_APOSTROPHE})",
    rf"([yY]{_APOSTROPHE})(?={_LETTER})",
    rf"[A-HJ-XZn]{_APOSTROPHE}{_LETTER}{{2}}{_ALNUM}*",
    rf"{_APOSTROPHE}[2-9]0s|{_APOSTROPHE}\d\d(?!\d|{_APOSTROPHE})",
    # Abbreviations.
    rf"{_ACRONYM}\.",
    r"[A-Za-z]\.",
    rf"([A-Za-z])(\. (?:{_words(_STARTERS)}) )",
    rf"({_WORD}\.|{_PART}(?:{_HYPHEN}{_PART})*\.)([,;:])",
    rf"(?:(?i:{_words(_ABBREVIATIONS)})|{_CAPITALISED})\.",
    rf"((?i:{_BEFORE_NUMBER})\.)( ?\d)",
    # Numbers.
    rf"[-+]?{_NUMBER}",
    r"\d{1,2}[-/]\d{1,2}[-/]\d{2,4}",
    r"(?:\d{1,4}[- \u00a0])?\d{1,4}(?:\\?/|\u2044)\d{1,4}",
    r"(?:\(\d{2,3}\)[ \u00a0]?|(?:\d{2,4}[- \u00a0])?\d{2,4}[- \u00a0])\d{3,4}[- \u00a0]?\d{3,5}",
    r"[A-Z]*\$",
    # Punctuation.
    r"[<>]?[:;=][-o*']?[()DPdpO\\{@|\[\]](?!\w)",
    r"\.\.\.+|(?:\. ){2,}\.",
    r"[!?]+",
    r"--+",
    r"&(?:amp|quot|apos|lt|gt|nbsp|mdash|ndash);",
    r"``|''|\*+|~+",
    r"\S",
)
# What is split off a word; here alone other apostrophes are rewritten.
CONTRACTION = re.compile(rf"{_ENDING}|[nN]{_QUOTE}[tT]")
RULES = tuple(re.compile(source) for source in _SOURCES)
