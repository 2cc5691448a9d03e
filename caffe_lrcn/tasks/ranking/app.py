"""The page on which people rank: a web application for this machine only.

It answers requests that name this machine (so that no other name can be made to lead here),
refuses those that pages of other origins make, and takes changes only with the study's token,
which no other page can read. The systems' names are never sent.
"""
from __future__ import annotations

import secrets
import socket
import sys
import tempfile
import unicodedata
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, redirect, render_template, request, send_file
from werkzeug.exceptions import HTTPException
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from ...errors import DataError
from ...printable import printable
from .media import Converter, is_clip
from .store import Judge, Rank, Store
from .study import CRITERIA, Study

#: Names under which this machine is asked.
HOSTS = ("127.0.0.1", "localhost")
_LONGEST_NAME = 60
_POLICY = ("default-src 'none'; img-src 'self'; media-src 'self'; style-src 'self'; "
           "script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
_HEADERS = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY", "Referrer-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin"}
_FOREIGN = ("cross-site", "same-site")


def make_app(store: Store, folder: Path, scratch: Path) -> Flask:
    """Return the application.

    Args:
        store: the study's database.
        folder: of the pictures and clips.
        scratch: an empty folder for those that have to be converted.
    """
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = app.config["MAX_FORM_MEMORY_SIZE"] = 1 << 16
    app.jinja_env.filters["printable"] = printable
    app.jinja_env.globals.update(token=store.token, study=store.study)
    app.before_request(_refuse_strangers)
    app.before_request(lambda: _check_token(store.token))
    app.after_request(_add_headers)
    app.register_error_handler(HTTPException, _error_page)
    app.register_error_handler(DataError, lambda error: _error_page(error, 503))
    pages = Pages(store, folder, Converter(scratch))
    for rule, method, view in (
            ("/", "GET", pages.start), ("/judges", "POST", pages.enter),
            ("/judges/<int:judge>", "GET", pages.go_on),
            ("/judges/<int:judge>/items/<int:number>", "GET", pages.item),
            ("/judges/<int:judge>/items/<int:number>", "POST", pages.save),
            ("/judges/<int:judge>/items/<int:number>/removal", "POST", pages.remove),
            (f"/media/{store.study.id}/<int:number>", "GET", pages.media)):
        app.add_url_rule(rule, view.__name__, view, methods=[method])
    return app


class Pages:
    """What the addresses answer; items are numbered from 1 there."""

    def __init__(self, store: Store, folder: Path, converter: Converter) -> None:
        self.store, self.study = store, store.study
        self.folder, self.converter = folder, converter

    def start(self, problem: str = "", name: str = "") -> str:
        """Ask for the judge's name."""
        return render_template("start.html", judges=self.store.judges(), problem=problem,
                               name=name, longest=_LONGEST_NAME)

    def enter(self) -> Any:
        """Take a name, and go on where that judge was."""
        name = " ".join(unicodedata.normalize("NFC", request.form.get("name", "")).split())
        if not name or len(name) > _LONGEST_NAME or printable(name) != name:
            problem = ("Please give a name." if not name else
                       f"Please give a name of at most {_LONGEST_NAME} ordinary characters.")
            return self.start(problem, printable(name)[:_LONGEST_NAME]), 400
        return redirect(f"/judges/{self.store.enter(name)}", 303)

    def go_on(self, judge: int) -> Any:
        """Show the judge's next item, or say that all is done."""
        who = self._judge(judge)
        return self._next(who, 1) or render_template("done.html", judge=who)

    def item(self, judge: int, number: int) -> str:
        """Show an item, with the ranks that the judge has given it."""
        who = self._judge(judge)
        saved = {f"{rank.criterion}-{rank.shown}": str(rank.rank)
                 for rank in self.store.ranks(who.number, self._index(number))}
        return self._item(who, number, saved, bool(saved))

    def save(self, judge: int, number: int) -> Any:
        """Write an item's ranks, and go to the next item without ranks."""
        who, index = self._judge(judge), self._index(number)
        order = self.study.order(who.name, index)
        chosen = {field: request.form.get(field, "") for field in _fields(self.study, len(order))}
        if any(value not in map(str, range(1, len(order) + 1)) for value in chosen.values()):
            return self._item(who, number, chosen, False,
                              "Please choose a rank for each sentence and each question."), 400
        ranks = [Rank(judge, index, criterion, self.study.systems[system],
                      int(chosen[f"{criterion}-{place}"]), place)
                 for criterion in self.study.criteria
                 for place, group in enumerate(order, 1) for system in group]
        try:
            self.store.save(judge, index, ranks)
        except DataError as error:
            return self._item(who, number, chosen, False, f"Your ranks were not saved: {error}. "
                                                          "Please save them again."), 503
        return self._next(who, number + 1) or redirect(f"/judges/{judge}", 303)

    def remove(self, judge: int, number: int) -> Any:
        """Remove an item's ranks, and show the item again."""
        self._judge(judge)
        self.store.save(judge, self._index(number), [])
        return redirect(f"/judges/{judge}/items/{number}", 303)

    def media(self, number: int) -> Response:
        """Send the picture or clip of an item."""
        path = self.folder / self.study.items[self._index(number)].file
        try:
            file, kind = self.converter.for_browsers(path)
            return send_file(file.absolute(), kind, max_age=0)
        except (DataError, OSError) as error:
            print(printable(f"error: {error}"), file=sys.stderr)
            abort(404)

    def _judge(self, number: int) -> Judge:
        found = [judge for judge in self.store.judges() if judge.number == number]
        return found[0] if found else abort(404)

    def _index(self, number: int) -> int:
        return number - 1 if 1 <= number <= len(self.study.items) else abort(404)

    def _next(self, judge: Judge, number: int) -> Any:
        """Lead to the first item without ranks, counted from an item on; None if all have some."""
        items = len(self.study.items)
        ranked = self.store.ranked(judge.number)
        for index in [*range(number - 1, items), *range(number - 1)]:
            if index not in ranked:
                return redirect(f"/judges/{judge.number}/items/{index + 1}", 303)
        return None

    def _item(self, judge: Judge, number: int, chosen: dict[str, str], saved: bool,
              problem: str = "") -> str:
        item = self.study.items[self._index(number)]
        sentences = [item.sentences[group[0]]
                     for group in self.study.order(judge.name, number - 1)]
        for following in self.study.items[number:number + 1]:
            self.converter.prepare(self.folder / following.file)
        return render_template(
            "item.html", judge=judge, number=number, sentences=sentences, chosen=chosen,
            saved=saved, problem=problem, questions=CRITERIA,
            clip=is_clip(self.folder / item.file))


def open_server(store: Store, folder: Path, port: int) -> tuple[BaseWSGIServer, Any]:
    """Return a server of this machine that listens, and the temporary folder to close after it.

    Args:
        port: 0 takes a free one.

    Raises:
        DataError: the port is in use.
    """
    try:
        listening = socket.create_server((HOSTS[0], port))
    except OSError as error:
        raise DataError(f"port {port} of this machine cannot be used", got=error.strerror,
                        remedy="Choose another with --port") from None
    with listening:  # the server has a copy
        scratch = tempfile.TemporaryDirectory(prefix="caffe-lrcn-rank-",
                                              ignore_cleanup_errors=True)
        app = make_app(store, folder, Path(scratch.name))
        return make_server(HOSTS[0], listening.getsockname()[1], app, threaded=True,
                           request_handler=_Quiet, fd=listening.fileno()), scratch


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_: Any) -> None:
        """Say nothing about requests."""


def _fields(study: Study, sentences: int) -> list[str]:
    return [f"{criterion}-{place}" for criterion in study.criteria
            for place in range(1, sentences + 1)]


def _refuse_strangers() -> None:
    """Refuse requests for another machine's name, and those that pages of others make."""
    host = request.headers.get("Host", "")
    if host.rsplit(":", 1)[0] not in HOSTS:
        abort(403, "This address is not one of this program.")
    origin = request.headers.get("Origin")
    if origin is not None and origin != f"http://{host}":
        abort(403, "A page of another origin made this request.")
    # A link on another page may lead here, but nothing of ours is shown or changed there.
    followed = (request.method == "GET" and request.headers.get("Sec-Fetch-Mode") == "navigate"
                and request.headers.get("Sec-Fetch-Dest") == "document")
    if request.headers.get("Sec-Fetch-Site") in _FOREIGN and not followed:
        abort(403, "A page of another origin made this request.")


def _check_token(token: str) -> None:
    if request.method == "POST" and not secrets.compare_digest(
            request.form.get("token", "").encode(), token.encode()):
        abort(403, "This form is not one of this study. Go back, load the page again, and send "
                   "it again.")


def _add_headers(response: Response) -> Response:
    response.headers.update(_HEADERS)
    if response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"  # a page that is gone back to is up to date
    return response


def _error_page(error: Exception, code: int = 500) -> tuple[str, int]:
    if isinstance(error, HTTPException):
        return render_template("error.html", title=error.name, text=error.description), (
            error.code or code)
    return render_template("error.html", title="That did not work", text=str(error)), code
