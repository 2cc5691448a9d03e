"""The page's addresses, without a browser: what they answer, save and refuse."""
from __future__ import annotations

import html
import re
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from PIL import Image

from caffe_lrcn.tasks.ranking.store import Judge, Store
from tests.tasks.activity.videos import levels, write_video
from tests.tasks.ranking.studies import make_store, make_study

pytest.importorskip("flask")
from caffe_lrcn.tasks.ranking.app import make_app  # noqa: E402


class Site:
    """The application of a store, asked without a network."""

    def __init__(self, store, folder, scratch):
        self.store = store
        self.client = make_app(store, folder, scratch).test_client()

    def get(self, path, **headers):
        with self.client.get(path, headers=headers) as answer:
            answer.get_data()
            return answer

    def post(self, path, data, token=None, **headers):
        token = self.store.token if token is None else token
        with self.client.post(path, data={**data, "token": token}, headers=headers) as answer:
            answer.get_data()
            return answer

    def enter(self, name):
        answer = self.post("/judges", {"name": name})
        assert answer.status_code == 303
        return answer.location

    def sentences(self, path):
        page = self.get(path).text
        return [html.unescape(text) for text in re.findall(r'class="sentence".*?>(.*?)</p>', page)]


@pytest.fixture
def site(tmp_path):
    (tmp_path / "scratch").mkdir()
    return Site(make_store(tmp_path), tmp_path / "pictures", tmp_path / "scratch")


def ranks(sentences, by=("correctness", "grammar", "relevance")):
    """Return a form in which the k-th sentence has rank k."""
    return {f"{criterion}-{k}": str(k) for criterion in by for k in range(1, sentences + 1)}


def test_a_judge_ranks_all_items_and_is_done(site):
    judge = site.enter("  Ann   Lee ")
    assert site.store.judges() == [Judge(1, "Ann Lee", 0)] and judge == "/judges/1"
    for number, sentences in ((1, 3), (2, 3), (3, 2)):
        here = f"{judge}/items/{number}"
        assert site.get(judge).location == here
        shown = site.sentences(here)
        assert len(shown) == sentences
        answer = site.post(here, ranks(sentences))
        saved = site.store.ranks(1, number - 1)
        assert len(saved) == 9  # three systems, three criteria
        for rank in saved:
            said = site.store.study.items[number - 1].sentences
            assert shown[rank.rank - 1] == said[site.store.study.systems.index(rank.system)]
            assert rank.shown == rank.rank
    assert answer.status_code == 303 and answer.location == judge
    assert "All done" in site.get(judge).text
    assert "3 of 3" in site.get("/").text


def test_saved_ranks_are_shown_changed_and_removed(site):
    here = site.enter("Ann") + "/items/2"
    form = ranks(3)
    assert site.post(here, form).location == "/judges/1/items/3"
    page = site.get(here).text
    assert [value for value in re.findall(r'value="(\d)" required checked', page)] == list(
        "111222333")
    assert "Remove" in page
    site.post(here, {**form, "grammar-1": "3"})
    assert {rank.rank for rank in site.store.ranks(1, 1)
            if rank.criterion == "grammar" and rank.shown == 1} == {3}
    assert site.post(here + "/removal", {}).location == here
    assert not site.store.ranks() and "checked" not in site.get(here).text


def test_the_next_item_is_the_first_without_ranks_also_before_this_one(site):
    judge = site.enter("Ann")
    assert site.post(judge + "/items/3", ranks(2)).location == judge + "/items/1"
    assert site.post(judge + "/items/1", ranks(3)).location == judge + "/items/2"


def test_judges_have_their_own_ranks_and_orders(site, tmp_path):
    ann, bob = site.enter("Ann"), site.enter("Bob")
    site.post(ann + "/items/1", ranks(3))
    assert "checked" not in site.get(bob + "/items/1").text
    assert site.get(bob).location == bob + "/items/1"
    again = Site(Store(site.store.path), tmp_path / "pictures", tmp_path / "scratch")
    assert again.enter("ANN") == ann
    assert again.sentences(ann + "/items/1") == site.sentences(ann + "/items/1")


@pytest.mark.parametrize("change", [{"grammar-2": ""}, {"grammar-2": "4"}, {"grammar-2": "0"},
                                    {"relevance-3": "1.0"}, {"relevance-3": "x" * 99}])
def test_incomplete_and_wrong_ranks_are_asked_for_again(site, change):
    here = site.enter("Ann") + "/items/1"
    answer = site.post(here, {**ranks(3), **change})
    assert answer.status_code == 400 and "choose a rank for each" in answer.text
    assert not site.store.ranks()
    assert answer.text.count(" checked") == 8  # what was chosen stays


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "Ann\x1b[31m", "\u202eAnn"])
def test_names_that_are_none(site, name):
    answer = site.post("/judges", {"name": name})
    assert answer.status_code == 400 and "Please give a name" in answer.text
    assert "\x1b" not in answer.text and "\u202e" not in answer.text
    assert not site.store.judges()


def test_texts_are_escaped_and_systems_are_not_named(site):
    judge = site.enter("<i>Ann</i> & {{ 7 * 7 }}")
    pages = [site.get(path).text for path in ("/", *(f"{judge}/items/{n}" for n in (1, 2, 3)))]
    assert "&lt;i&gt;Ann&lt;/i&gt; &amp; {{ 7 * 7 }}" in pages[0]
    assert "<script>document" not in pages[2] and "&lt;script&gt;document" in pages[2]
    assert "&lt;b&gt;square" in pages[2]
    for page in pages:
        assert not re.search(r"human|lrcn|\bnn\b", page)
        assert not re.search(r'(?:src|href|action)="(?!/)', page)  # nothing from elsewhere


def test_control_characters_in_sentences_are_spelled_out(site, tmp_path):
    study = site.store.study
    item = replace(study.items[0], sentences=("a \x1b[31m dog", "a \u202e cat", "a cow"))
    store = Store.create(tmp_path / "new.db", replace(study, items=(item,)), tmp_path / "pictures")
    page = Site(store, tmp_path / "pictures", tmp_path / "scratch")
    assert set(page.sentences(page.enter("Ann") + "/items/1")) == {
        r"a \x1b[31m dog", r"a \u202e cat", "a cow"}


@pytest.mark.parametrize("headers", [
    {"Host": "evil.example"}, {"Host": "evil.example:8765"}, {"Host": "localhost.evil.example"},
    {"Host": "127.0.0.1.evil.example"}, {"Host": ""}, {"Origin": "http://evil.example"},
    {"Origin": "null"}, {"Origin": "https://localhost"}, {"Origin": "http://localhost:1"},
    {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}])
def test_other_origins_are_refused(site, headers):
    judge = site.enter("Ann")
    for path in ("/", judge, judge + "/items/1", f"/media/{site.store.study.id}/1",
                 "/static/rank.js"):
        answer = site.get(path, **headers)
        assert answer.status_code == 403 and "A red thing" not in answer.text, path
    assert site.post(judge + "/items/1", ranks(3), **headers).status_code == 403
    assert site.post("/judges", {"name": "Eve"}, **headers).status_code == 403
    assert not site.store.ranks() and len(site.store.judges()) == 1


@pytest.mark.parametrize("headers", [
    {"Host": "127.0.0.1:8765", "Origin": "http://127.0.0.1:8765"}, {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}])
def test_its_own_pages_are_not_refused(site, headers):
    assert site.post("/judges", {"name": "Ann"}, **headers).status_code == 303


def test_a_link_elsewhere_leads_here_and_changes_nothing(site):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate",
               "Sec-Fetch-Dest": "document"}
    assert site.get("/", **headers).status_code == 200
    assert site.post("/judges", {"name": "Eve"}, **headers).status_code == 403


@pytest.mark.parametrize("token", ["", "wrong", "\u00e9"])
def test_changes_need_the_token(site, token):
    judge = site.enter("Ann")
    for path, form in (("/judges", {"name": "Eve"}), (judge + "/items/1", ranks(3)),
                       (judge + "/items/1/removal", {})):
        answer = site.post(path, form, token)
        assert answer.status_code == 403 and "not one of this study" in answer.text
    assert not site.store.ranks() and len(site.store.judges()) == 1


def test_pages_may_not_be_framed_nor_load_from_elsewhere(site):
    headers = site.get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy and "http" not in policy
    assert headers["X-Frame-Options"] == "DENY" and headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("path", [
    "/judges/9", "/judges/1/items/0", "/judges/1/items/4", "/judges/9/items/1", "/media/x/1",
    "/judges/99999999999999999999/items/1", "/judges/1/items/99999999999999999999",
    "/static/../app.py", "/static/%2e%2e/app.py", "/nothing"])
def test_addresses_of_nothing(site, path):
    site.enter("Ann")
    answer = site.get(path)
    assert answer.status_code == 404 and "To the start" in answer.text


def test_a_large_request_is_refused(site):
    assert site.post("/judges", {"name": "x" * 100_000}).status_code == 413


def test_a_locked_study_says_so_and_keeps_the_choices(site):
    here = site.enter("Ann") + "/items/1"
    with closing(sqlite3.connect(site.store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")  # others may read
        answer = site.post(here, ranks(3))
        assert answer.status_code == 503 and "Your ranks were not saved" in answer.text
        assert "another program has locked the study" in html.unescape(answer.text)
        assert answer.text.count(" checked") == 9
        other.execute("COMMIT")
        other.execute("BEGIN EXCLUSIVE")  # others may not
        answer = site.get(here)
        assert answer.status_code == 503 and "has locked the study" in answer.text
    assert site.post(here, ranks(3)).status_code == 303 and len(site.store.ranks()) == 9


def test_pictures_are_sent(site, capsys):
    address = f"/media/{site.store.study.id}/"
    answer = site.get(address + "2")
    assert answer.status_code == 200 and answer.mimetype == "image/png"
    assert answer.data.startswith(b"\x89PNG")
    (site.store.path.parent / "pictures" / "red.png").unlink()
    assert site.get(address + "1").status_code == 404
    assert "red.png" in capsys.readouterr().err


def test_clips_are_converted_once_and_sent_in_parts(tmp_path):
    study = make_study(tmp_path)
    write_video(tmp_path / "clips/a.avi", levels(6))
    (tmp_path / "clips/b.avi").write_bytes(b"not a video")
    Image.new("RGB", (8, 8)).save(tmp_path / "clips/c.tif")
    items = tuple(replace(item, file=name) for item, name in
                  zip(study.items, ("a.avi", "b.avi", "c.tif"), strict=True))
    store = Store.create(tmp_path / "clips.db", replace(study, items=items), tmp_path / "clips")
    (tmp_path / "scratch").mkdir()
    site = Site(store, tmp_path / "clips", tmp_path / "scratch")
    address = f"/media/{store.study.id}/"
    whole = site.get(address + "1")
    assert whole.mimetype == "video/webm" and whole.data.startswith(b"\x1a\x45\xdf\xa3")
    part = site.get(address + "1", Range="bytes=10-19")
    assert part.status_code == 206 and part.data == whole.data[10:20]
    assert len([*(tmp_path / "scratch").iterdir()]) == 1
    assert site.get(address + "2").status_code == 404
    assert site.get(address + "3").mimetype == "image/png"
    page = site.get(site.enter("Ann") + "/items/1").text
    assert "<video" in page and "controls" in page and "Clip 1 of 3" in page
