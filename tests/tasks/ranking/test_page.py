"""The page in a real browser: mouse, keys, sizes, an attack, and a server that is killed."""
from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from caffe_lrcn.tasks.ranking.store import Store
from tests.harness.browser import CHROMIUM, WITHOUT_ONE, Browser
from tests.tasks.activity.videos import levels, write_video
from tests.tasks.ranking.serving import Served
from tests.tasks.ranking.studies import make_store, make_study

pytest.importorskip("flask")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=WITHOUT_ONE)
ITEM = "location.pathname === '/judges/{}/items/{}' && document.readyState === 'complete'"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(tmp_path_factory.mktemp("browser")) as browser:
        yield browser


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    make_store(folder)
    with Served(folder, "study.db") as served:
        yield served, Store(folder / "study.db")


def enter(browser, address, name):
    browser.open(address)
    browser.call("Input.insertText", text=name)  # the field has the focus
    browser.press("Enter")
    browser.wait("location.pathname.startsWith('/judges/')")


def rank(browser, criterion, place, value):
    browser.click(f'input[name="{criterion}-{place}"][value="{value}"]')


def chosen(browser):
    return browser.run("[...document.querySelectorAll('input:checked')].map(r => r.value).join('')")


def left(browser):
    return browser.run("document.getElementById('left').textContent")


def test_ranking_with_the_mouse(browser, served):
    server, store = served
    enter(browser, server.address, "Ann")
    browser.wait(ITEM.format(1, 1))
    browser.wait("document.querySelector('img').naturalWidth === 64")
    for criterion in ("correctness", "grammar", "relevance"):
        for place in (1, 2, 3):
            rank(browser, criterion, place, 4 - place)
    assert left(browser) == "Not saved yet."
    browser.click("button.main")
    browser.wait(ITEM.format(1, 2))
    assert {(row.shown, row.rank) for row in store.ranks(1, 0)} == {(1, 3), (2, 2), (3, 1)}
    browser.click("#back")
    browser.wait(ITEM.format(1, 1))
    assert chosen(browser) == "333222111" and left(browser) == "Saved."
    browser.click("#remove")
    browser.wait(ITEM.format(1, 1) + " && !document.getElementById('remove')")
    assert chosen(browser) == "" and not store.ranks(1)


def test_ranking_with_keys(browser, served):
    server, store = served
    enter(browser, server.address, "Bob")
    browser.wait(ITEM.format(2, 1))
    browser.press("1", "1", "2")                  # correctness of the three sentences
    assert left(browser) == "6 left"
    browser.press("3", "Backspace", "1", "2", "7", "3")  # one rank is taken back; 7 is none
    browser.press("N")                            # without saving
    browser.wait(ITEM.format(2, 2))
    browser.press("b")
    browser.wait(ITEM.format(2, 1))
    assert left(browser) == "3 left"              # what was chosen is still there
    browser.press("3", "2", "1")
    assert left(browser) == "Not saved yet." and not store.ranks(2)
    browser.press("1", "Enter")                   # all are chosen: a rank more does nothing
    browser.wait(ITEM.format(2, 2))
    by = {criterion: [row.rank for row in store.ranks(2, 0) if row.criterion == criterion]
          for criterion in store.study.criteria}
    assert by == {"correctness": [1, 1, 2], "grammar": [1, 2, 3], "relevance": [3, 2, 1]}


def test_all_done_and_incomplete_forms_stay(browser, served):
    server, store = served
    enter(browser, server.address, "Cyd")
    for number, keys in ((1, "123123123"), (2, "123123123"), (3, "121212")):
        browser.wait(ITEM.format(3, number))
        browser.press("1", "Enter")  # incomplete: the browser itself refuses to send it
        assert browser.run(ITEM.format(3, number)) and len(store.ranks(3)) == 9 * (number - 1)
        browser.press(*keys[1:], "Enter")
    browser.wait("document.body.innerText.includes('All done')")
    assert len(store.ranks(3)) == 27


def test_a_killed_server_loses_no_rank_and_goes_on(browser, tmp_path):
    study = make_study(tmp_path)
    clip = write_video(tmp_path / "pictures/clip.avi", levels(12))
    items = (study.items[0], replace(study.items[1], file=clip.name), study.items[2])
    store = Store.create(tmp_path / "study.db", replace(study, items=items), clip.parent)
    with ExitStack() as stack:
        first = stack.enter_context(Served(tmp_path, "study.db"))
        enter(browser, first.address, "Ann")
        browser.wait(ITEM.format(1, 1))
        browser.press(*"123123123", "Enter")
        browser.wait(ITEM.format(1, 2))
        first.process.kill()
        first.process.wait()
        assert len(store.ranks(1)) == 9
        second = stack.enter_context(Served(tmp_path, "study.db"))
        browser.open(second.address)
        browser.click(".judges a")
        browser.wait(ITEM.format(1, 2))
        browser.wait("document.querySelector('video').currentTime > 0.2")  # the clip plays
        (clip.parent / "blue.png").unlink()
        browser.open(f"{second.address}/judges/1/items/3")
        browser.wait("!document.getElementById('broken').hidden")


def test_texts_are_shown_and_not_run(browser, served):
    server, _ = served
    enter(browser, server.address, "Dan")
    browser.open(f"{server.address}/judges/4/items/2")
    text = browser.run("document.querySelector('.sentences').innerText")
    assert "<script>document.title = 'broken'</script>" in text and "<b>square</b> & more" in text
    assert "broken" not in browser.run("document.title")


def test_nothing_is_loaded_from_elsewhere(browser, served):
    server, _ = served
    browser.open(f"{server.address}/judges/1/items/1")
    loaded = browser.run("performance.getEntriesByType('resource').map(entry => entry.name)")
    assert len(loaded) >= 3 and all(name.startswith(server.address) for name in loaded)


@pytest.fixture
def elsewhere():
    """The address of a page of another origin."""
    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!DOCTYPE html><title>elsewhere</title><p>elsewhere")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://localhost:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_page_of_another_origin_can_do_nothing(browser, served, elsewhere):
    server, store = served
    before = (store.judges(), store.ranks())
    browser.open(elsewhere)
    seen = browser.run(f"""(async () => {{
      const address = {json.dumps(server.address)};
      const picture = new Image();
      picture.src = address + "/media/{store.study.id}/1";
      await picture.decode().catch(() => 0);
      const body = new URLSearchParams({{ name: "Eve", token: {json.dumps(store.token)} }});
      const post = {{ method: "POST", body, mode: "no-cors" }};
      await fetch(address + "/judges", post).catch(() => 0);
      const read = await fetch(address).then(() => "read", () => "refused");
      return [picture.naturalWidth, read];
    }})()""")
    assert seen == [0, "refused"]
    assert (store.judges(), store.ranks()) == before
    browser.run(f"""(() => {{
      document.body.innerHTML = '<form method="post" action="{server.address}/judges">' +
        '<input name="name" value="Eve"><input name="token" value="{store.token}"></form>';
      document.forms[0].submit(); }})()""")
    browser.wait("document.body.innerText.includes('another origin')")
    assert store.judges() == before[0]


@pytest.mark.parametrize("width", [400, 1200])
@pytest.mark.parametrize("dark", [False, True])
def test_it_fits_light_and_dark(browser, served, width, dark):
    server, _ = served
    browser.resize(width, 800, dark)
    for path in ("/", "/judges/1/items/1"):
        browser.open(server.address + path)
        assert browser.run("document.documentElement.scrollWidth") <= width
    small = browser.run("[...document.querySelectorAll('button, .ranks span')].filter(e => "
                        "e.getBoundingClientRect().height < 24 || "
                        "e.getBoundingClientRect().width < 24).length")
    assert small == 0
    colour = browser.run("getComputedStyle(document.documentElement).colorScheme && "
                         "getComputedStyle(document.querySelector('.actions')).backgroundColor")
    assert (colour == "rgb(255, 255, 255)") is not dark


def test_every_control_has_a_name(browser, served):
    server, _ = served
    browser.open(f"{server.address}/judges/1/items/1")
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    names = [(node["role"]["value"], node["name"]["value"]) for node in nodes
             if not node["ignored"] and "name" in node]
    assert [name for role, name in names if role == "radio"] == ["1", "2", "3"] * 9
    assert [name for role, name in names if role == "group" and name][:4] == [
        "Sentence 1, Correctness", "Sentence 1, Grammar", "Sentence 1, Relevance",
        "Sentence 2, Correctness"]
    assert all(name for role, name in names if role in ("button", "link", "image", "textbox"))
    assert ("progressbar", "Ranked by you") in names or ("progressIndicator", "Ranked by you") in (
        names)
