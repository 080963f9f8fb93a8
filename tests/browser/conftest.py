"""A real browser for the tests: headless Chromium that may reach 127.0.0.1 only and keeps its console clean."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, sync_playwright

DESK = {"width": 1366, "height": 768}
PHONE = {"width": 360, "height": 640}
FLAGS = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
"""Software WebGL: machines that test have no graphics card. Without a sandbox, since tests may run as root."""

AXE = Path(__file__).parent.parent.parent / "node_modules" / "axe-core" / "axe.min.js"
LOCAL_SCHEMES = ("data", "blob")


def chromium() -> str:
    """The browser's path; fails with what to do when there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("No Chromium here. `make test` installs it; by hand: apt-get install chromium")
    return found


@dataclass
class Watched:
    """A page and what it did that it should not have done."""

    page: Page
    wrongs: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Parts of console messages that a test provokes on purpose."""

    def on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not any(part in message.text for part in self.expected):
            self.wrongs.append(f"console: {message.text} ({message.location.get('url', '')})")

    def on_request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in LOCAL_SCHEMES and parts.hostname != "127.0.0.1":
            self.wrongs.append(f"request to {request.url}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield started
        started.close()


@contextmanager
def watched_page(browser: Browser, expected: tuple[str, ...] = (), **options: Any) -> Iterator[Page]:
    """A page in a fresh context; fails when it asked another host, wrote an error or threw one."""
    context: BrowserContext = browser.new_context(**{"viewport": DESK, **options})
    page = context.new_page()
    watched = Watched(page, expected=expected)
    page.on("console", watched.on_console)
    page.on("pageerror", lambda error: watched.wrongs.append(f"thrown: {error}"))
    page.on("request", watched.on_request)
    page.set_default_timeout(30_000)
    yield page
    context.close()
    assert not watched.wrongs, "\n".join(watched.wrongs)


@pytest.fixture
def browser_page(browser: Browser) -> Iterator[Page]:
    """A page the size of an office screen."""
    with watched_page(browser) as page:
        yield page


@pytest.fixture
def phone_page(browser: Browser) -> Iterator[Page]:
    """A page the size of a small phone, touched with fingers."""
    with watched_page(browser, viewport=PHONE, device_scale_factor=2, has_touch=True, is_mobile=True) as page:
        yield page


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A page without JavaScript."""
    with watched_page(browser, java_script_enabled=False) as page:
        yield page


def check_width(page: Page) -> None:
    """Nothing reaches past the screen, so that no page is pushed sideways. Works without script in the page."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, (page.url, wide)


def check_page(page: Page) -> None:
    """Nothing reaches past the screen, and axe finds nothing in what can be seen with all that folds unfolded."""
    page.evaluate("document.querySelectorAll('details').forEach((folded) => (folded.open = true))")
    check_width(page)
    # By the protocol, since the pages allow no script of others.
    session = page.context.new_cdp_session(page)
    session.send("Runtime.evaluate", {"expression": AXE.read_text(encoding="utf-8")})
    asked = "axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations.map((each) => "
    asked += "[each.id, each.help, each.nodes[0].html.slice(0, 160)]))"
    found = session.send("Runtime.evaluate", {"expression": asked, "awaitPromise": True, "returnByValue": True})
    session.detach()
    assert "value" in found["result"], found
    assert not found["result"]["value"], (page.url, found["result"]["value"])
