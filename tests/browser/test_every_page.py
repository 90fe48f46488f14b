"""Every page, in a wide and a narrow window, light and dark: a screenshot, axe finds nothing, nothing sticks out, no policy is broken."""

from __future__ import annotations

import re
from typing import Any

import pytest

PAGES = {
    "now": ("Ada", "/"),
    "now-reader": ("Cleo", "/"),
    "incidents": ("Ben", "/incidents"),
    "incidents-none": ("Ben", "/incidents?service=nothing"),
    "incident-going-on": ("Ben", "/incidents/{going_on}"),
    "incident-untaken": ("Ben", "/incidents/{untaken}"),
    "incident-past": ("Ada", "/incidents/{past}"),
    "incident-reader": ("Cleo", "/incidents/{going_on}"),
    "compare": ("Ben", "/incidents/{going_on}/repeats/{published}"),
    "compare-reader": ("Cleo", "/incidents/{untaken}/repeats/{published}"),
    "library": ("Cleo", "/postmortems"),
    "library-nearest": ("Cleo", "/postmortems?text=memory+of+the+summer+choir+in+tune"),
    "library-writer": ("Ben", "/postmortems"),
    "library-found": ("Cleo", "/postmortems?text=memory"),
    "library-none": ("Cleo", "/postmortems?text=zeppelin"),
    "postmortem": ("Cleo", "/postmortems/{published}"),
    "postmortem-writer": ("Ada", "/postmortems/{published}"),
    "postmortem-draft": ("Ben", "/postmortems/{draft}"),
    "postmortem-revision": ("Cleo", "/postmortems/{published}/revisions/1"),
    "edit": ("Ben", "/postmortems/{published}/edit/summary"),
    "edit-headline": ("Ben", "/postmortems/{published}/edit/headline"),
    "history": ("Ben", "/postmortems/{published}/history/summary"),
    "history-none": ("Ben", "/postmortems/{published}/history/cause"),
    "measures": ("Ada", "/measures"),
    "measures-list": ("Cleo", "/measures?view=list"),
    "measures-none": ("Cleo", "/measures?owner=Nobody"),
    "measure": ("Ben", "/incidents/{measured}/measures/1"),
    "measure-failed": ("Ben", "/incidents/{measured}/measures/2"),
    "measure-reader": ("Cleo", "/incidents/{measured}/measures/3"),
    "guards": ("Ada", "/guards"),
    "guards-none": ("Cleo", "/guards?kind=junit"),
    "guard": ("Ada", "/guards/{guard}"),
    "guard-red": ("Ben", "/guards/{red_guard}"),
    "guard-broken": ("Cleo", "/guards/pay-certificate"),
    "guard-run": ("Cleo", "/guards/{guard}/runs/3"),
    "declare-guard": ("Ben", "/declare-guard"),
    "declare-guard-safe": ("Ben", "/declare-guard/promql?measure=INC-{measured}/1"),
    "declare-guard-unsafe": ("Ben", "/declare-guard/command?service=shop"),
    "coverage": ("Cleo", "/coverage"),
    "insights": ("Cleo", "/insights"),
    "services": ("Cleo", "/services"),
    "service": ("Cleo", "/services/sessions"),
    "deliveries": ("Ada", "/deliveries"),
    "delivery": ("Ben", "/deliveries/1"),
    "settings-sources": ("Ada", "/settings"),
    "settings-people": ("Ada", "/settings/people"),
    "settings-trackers": ("Ada", "/settings/trackers"),
    "settings-configuration": ("Ada", "/settings/configuration"),
    "tokens": ("Ada", "/tokens"),
    "password": ("Cleo", "/password"),
    "sign-in": ("", "/sign-in"),
    "sign-out": ("Cleo", "/sign-out"),
    "sign-up": ("", "/sign-up"),
    "not-found": ("Cleo", "/nowhere"),
    "not-allowed": ("Cleo", "/settings"),
    "link-used-up": ("", "/first-admin/no-such-link"),
}
WINDOWS = [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")]
EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of 40[34]")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_can_be_read_by_everybody(name, site, open_as, shots, complaints):
    who, path = PAGES[name]
    page = open_as(who, path.format(**site.known))
    assert [said for said in complaints if not EXPECTED.match(said)] == []
    for width, scheme in WINDOWS:
        page.set_viewport_size({"width": width, "height": 844 if width < 600 else 900})
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=str(shots / f"{name}-{width}-{scheme}.png"), full_page=True)

        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"something sticks out at {width} px"
        assert violations(page) == [], (width, scheme)


def violations(page: Any) -> list[str]:
    """What axe finds wrong on a page, in short."""
    from axe_playwright_python.sync_playwright import Axe

    if page.evaluate("typeof axe") == "undefined":  # reading the script takes as long as looking at a small page
        page.evaluate(Axe().axe_script)
    found = page.evaluate("axe.run({resultTypes: ['violations'], selectors: false}).then(found => found.violations)")
    return [
        f"{one['id']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for one in found
        for node in one["nodes"][:3]
    ]
