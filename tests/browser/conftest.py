"""The real server on a free port with a story in it, and a real chromium to look at it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.world import PASSWORD
from tests.support.served import Served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
ARGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
ARGS += ["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]


@dataclass(frozen=True)
class Site:
    """The served site: its address, and what is in its story."""

    base: str
    known: dict[str, Any]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`unrepeat serve` with the story of tests/browser/world.py."""
    home = tmp_path_factory.mktemp("served")
    served = Served(home, f"sqlite:///{home}/unrepeat.db", UNREPEAT_RESOLVE_AFTER_QUIET="0")
    served.env["UNREPEAT_BASE_URL"] = f"http://127.0.0.1:{served.port}"
    served.command("migrate")
    told = subprocess.run(
        [sys.executable, "-m", "tests.browser.world"],
        env=served.env,
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert not told.returncode, told.stderr
    known = json.loads(told.stdout.splitlines()[-1])
    served.start()
    try:
        base = f"http://127.0.0.1:{served.port}"
        _send_unreadable(base, known["intake"])
        yield Site(base, known)
    finally:
        served.stop()


def _send_unreadable(base: str, path: str) -> None:
    """A body that no Alertmanager sends, through the real intake; waits until the worker has looked at it."""
    body = b'{"version": "4", "alerts": "<script>alert(1)</script>"}'
    request = urllib.request.Request(f"{base}{path}", data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status < 300


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A headless chromium."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed")
    sync = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, headless=True, args=ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def signed_in(site: Site, browser: Browser) -> dict[str, Any]:
    """Cookies of Ada, Ben and Cleo, who have signed in through the page."""
    return {name: _sign_in(site, browser, name) for name in ("Ada", "Ben", "Cleo")}


def _sign_in(site: Site, browser: Browser, name: str) -> Any:
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{site.base}/sign-in")
    page.get_by_label("Name or e-mail").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"{site.base}/")
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def complaints() -> list[str]:
    """What pages have complained about in the console: broken policies, errors."""
    return []


@pytest.fixture
def open_as(site: Site, browser: Browser, signed_in: dict[str, Any], complaints: list[str]) -> Iterator[Any]:
    """`open_as("Ada", "/incidents", width=390, scheme="dark", script=False)` gives a page."""
    contexts: list[BrowserContext] = []

    def open_page(who: str, path: str, *, width: int = 1280, scheme: Any = "light", script: bool = True) -> Page:
        context = browser.new_context(
            storage_state=signed_in.get(who),
            viewport={"width": width, "height": 844 if width < 600 else 900},
            color_scheme=scheme,
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{site.base}{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def shots() -> Path:
    """Where screenshots go (git ignores it)."""
    folder = Path(__file__).parent / "screenshots"
    folder.mkdir(exist_ok=True)
    return folder
