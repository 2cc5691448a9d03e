"""A headless Chromium, driven through its pipe: no driver and no other package is needed."""
from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, _NAMES)), None)
WITHOUT_ONE = f"needs one of the browsers {', '.join(_NAMES)}"
# The browser reads its commands from descriptor 3 and answers on 4.
_LAUNCH = ("import os, sys; os.dup2(int(sys.argv[1]), 13); os.dup2(int(sys.argv[2]), 4); "
           "os.dup2(13, 3); os.execv(sys.argv[3], sys.argv[3:])")
_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
          "--no-first-run", "--disable-extensions", "--disable-background-networking",
          "--disable-dev-shm-usage", "--mute-audio")
_KEYS = {"Enter": (13, "\r"), "Backspace": (8, ""), "Tab": (9, "")}


class Browser:
    """One window of a browser; a context manager.

    Args:
        profile: an empty folder for what it keeps.
        patience: seconds after which waiting for it fails.
    """

    def __init__(self, profile: Path, patience: float = 20) -> None:
        self.patience = patience
        (to_read, self._to), (self._from, to_write) = os.pipe(), os.pipe()
        os.set_blocking(self._from, False)
        with open(profile / "log", "wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-c", _LAUNCH, str(to_read), str(to_write), str(CHROMIUM),
                 *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
                pass_fds=(to_read, to_write), stdout=log, stderr=log, start_new_session=True)
        os.close(to_read)
        os.close(to_write)
        self._count, self._rest = 0, b""
        self._session: str | None = None
        pages = self.call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in pages if target["type"] == "page")
        self._session = self.call("Target.attachToTarget", targetId=page,
                                  flatten=True)["sessionId"]
        self.call("Page.enable")

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(AssertionError, OSError):
            self._session = None
            self.call("Browser.close")
        self._process.kill()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def call(self, method: str, **params: Any) -> Any:
        """Send a command of the DevTools protocol; return its result."""
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        end = time.monotonic() + self.patience
        while True:
            answer = self._read(end, method)
            if answer.get("id") == self._count:
                assert "error" not in answer, (method, answer["error"])
                return answer["result"]

    def _read(self, end: float, method: str) -> dict[str, Any]:
        while b"\0" not in self._rest:
            assert time.monotonic() < end and self._process.poll() is None, (
                f"the browser does not answer {method}")
            try:
                self._rest += os.read(self._from, 1 << 20)
            except BlockingIOError:
                time.sleep(0.005)
        text, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(text)
        return answer

    def run(self, script: str) -> Any:
        """Return the value of an expression in the page."""
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True,
                           awaitPromise=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def wait(self, script: str) -> Any:
        """Wait until an expression in the page is true; return its value."""
        end = time.monotonic() + self.patience
        while True:
            with suppress(AssertionError):  # a page that is just being left has no values
                value = self.run(script)
                if value:
                    return value
            assert time.monotonic() < end, f"never true: {script}; the page says: " + str(
                self.run("location.href + ' ' + document.body.innerText"))
            time.sleep(0.02)

    def open(self, address: str) -> None:
        """Load a page, and wait until its scripts have run."""
        self.call("Page.navigate", url=address)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); "
            "e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect(); "
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                      clickCount=1)

    def press(self, *keys: str) -> None:
        """Press keys: characters, or Enter, Backspace and Tab."""
        for key in keys:
            code, text = _KEYS.get(key, (ord(key.upper()[0]), key))
            self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text,
                      windowsVirtualKeyCode=code)
            self.call("Input.dispatchKeyEvent", type="keyUp", key=key,
                      windowsVirtualKeyCode=code)

    def resize(self, width: int, height: int, dark: bool = False) -> None:
        """Give the page a size in pixels, and a light or a dark scheme."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=False)
        self.call("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def picture(self, path: Path) -> None:
        """Write what is seen as PNG, for people who write tests."""
        data = self.call("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(data))
