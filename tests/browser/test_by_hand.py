"""What people do with the pages in a real browser: with the keyboard, without JavaScript, in two windows at once, on paper."""

from __future__ import annotations

import re

import pytest

from tests.browser.test_every_page import violations

SECONDS = 1000  # playwright counts milliseconds


def test_an_incident_is_taken_and_noted_on_without_javascript(site, open_as):
    page = open_as("Ben", f"/incidents/{site.known['untaken']}", width=390, script=False)
    page.get_by_role("button", name="Acknowledge").click()
    page.wait_for_url(re.compile(r"#e\d+$"))
    assert page.get_by_text("Being worked on").is_visible()

    page.get_by_label("Note", exact=True).fill("The mailer answers again.")
    page.get_by_role("button", name="Add note").click()
    assert page.locator("ol.log li:target").inner_text().endswith("The mailer answers again.")


def test_every_act_can_be_opened_and_sent_without_javascript(site, open_as):
    page = open_as("Ben", f"/incidents/{site.known['untaken']}", script=False)
    page.locator("summary", has_text="More").click()
    page.locator("summary", has_text="Hand over a role").click()
    form = page.locator("form[action$='/act/hand_role']")
    form.get_by_label("Role").select_option("scribe")
    form.get_by_label("To whom").fill("Cleo")
    form.get_by_role("button", name="Hand over a role").click()
    assert page.locator("ol.log li:target").inner_text().startswith(tuple("0123456789"))
    assert "is the scribe" in page.locator("ol.log li:target").inner_text()


def test_a_page_shows_what_another_window_wrote_by_itself(site, open_as):
    reading = open_as("Cleo", f"/incidents/{site.known['going_on']}")
    reading.locator(".live-state.live").wait_for(timeout=20 * SECONDS)
    writing = open_as("Ada", f"/incidents/{site.known['going_on']}")
    writing.get_by_label("Note", exact=True).fill("Written in the other window.")
    writing.get_by_role("button", name="Add note").click()
    reading.get_by_text("Written in the other window.").first.wait_for(timeout=15 * SECONDS)


def test_a_report_is_completed_and_published_without_javascript(site, open_as):
    number = site.known["draft"]
    page = open_as("Ben", f"/postmortems/{number}", script=False)
    page.get_by_role("link", name="Edit Issue Summary").click()
    page.get_by_label("Markdown").fill("Customers got the **same order mail twice**.")
    page.get_by_role("button", name="Preview").click()
    assert page.locator(".preview strong").inner_text() == "same order mail twice"
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Publish").click()
    assert page.get_by_text("Revision 1 is published").is_visible()

    reader = open_as("Cleo", f"/postmortems/{number}")
    assert reader.locator(".report strong", has_text="same order mail twice").is_visible()


def test_a_measure_is_proposed_and_dropped_on_the_report(site, open_as):
    number = site.known["draft"]
    page = open_as("Ben", f"/postmortems/{number}", script=False)
    if not page.get_by_role("button", name="Propose").is_visible():
        page.locator("summary", has_text="Propose a measure").click()
    form = page.locator("form[action$='/act/propose_measure']")
    form.get_by_label("What will be done").fill("Keep a list of mails that went out")
    form.get_by_label("Owner").fill("Ben")
    form.get_by_role("button", name="Propose").click()
    page.locator("details.measure summary", has_text="Keep a list of mails").click()
    form = page.locator("details.measure[open] form[action$='/act/drop_measure']")
    form.get_by_label("Drop it, because").fill("the mailer keeps one already")
    form.get_by_role("button", name="Drop").click()
    assert page.locator("details.measure summary", has_text="dropped").is_visible()


def test_the_keyboard_alone_is_enough(site, open_as):
    page = open_as("Ada", f"/incidents/{site.known['going_on']}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

    walked = []
    for _ in range(80):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        seen = page.evaluate(
            """() => { const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
                return [one.textContent.trim().slice(0, 40), box.width > 0 && box.height > 0,
                        style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2]; }"""
        )
        walked.append(seen)
    words = [word for word, _, _ in walked]
    assert all(visible for _, visible, _ in walked), "focus went to something that cannot be seen"
    assert all(ring for _, _, ring in walked), [word for word, _, ring in walked if not ring]
    assert words.index("Harm has stopped") < words.index("Escalate") < words.index("More") < words.index("Add note")


def test_a_menu_opens_and_an_act_is_done_by_keys(site, open_as):
    page = open_as("Ben", f"/incidents/{site.known['going_on']}")
    page.locator("summary", has_text="Name a suspect").focus()
    page.keyboard.press("Enter")
    form = page.locator("form[action$='/act/raise_suspect']")
    form.get_by_label("Which one").focus()
    page.keyboard.type("cart service")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("it grows too")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"#e\d+$"))
    assert page.locator(".card h3", has_text="cart service").is_visible()


@pytest.mark.parametrize("summary", ["Harm has stopped", "Escalate", "Name a suspect", "More"])
def test_the_forms_of_acts_are_sound_when_they_are_open(site, open_as, shots, summary):
    page = open_as("Ada", f"/incidents/{site.known['going_on']}", width=390)
    page.locator(".acts summary", has_text=summary).first.click()
    page.screenshot(path=str(shots / f"act-{summary.lower().replace(' ', '-')}-390.png"))
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_wrong_password_is_explained(site, open_as):
    page = open_as("", "/sign-in", script=False)
    page.get_by_label("Name or e-mail").fill("Mallory")
    page.get_by_label("Password").fill("wrong wrong wrong")
    page.get_by_role("button", name="Sign in").click()
    assert "do not go together" in page.get_by_role("alert").inner_text()


def test_a_source_is_added_and_its_address_shown_once(open_as, complaints):
    page = open_as("Ada", "/settings", script=False)
    page.get_by_label("Name, as it shall stand in its address").fill("pipeline")
    page.get_by_role("radio", name=re.compile("Any change")).check()
    page.get_by_role("button", name="Add and show its address").click()
    assert "/in/pipeline/" in page.locator(".card.seen pre").inner_text()
    page.goto(page.url.replace("/sources/add", ""))
    assert "/in/pipeline/" not in page.content()
    assert complaints == []


def test_a_body_from_outside_is_shown_and_not_run(open_as):
    page = open_as("Ben", "/deliveries/1")
    assert '"alerts": "<script>alert(1)</script>"' in page.locator("pre.raw").first.inner_text()


def test_on_paper_there_is_only_the_report(site, open_as):
    page = open_as("Ada", f"/postmortems/{site.known['published']}")
    page.emulate_media(media="print")
    assert not page.locator(".top").is_visible()
    assert not page.locator("#desk").is_visible()
    assert page.locator(".report h1").is_visible()


def test_the_downloaded_report_opens_by_itself_and_asks_nobody(site, open_as, browser, tmp_path):
    page = open_as("Cleo", f"/postmortems/{site.known['published']}")
    with page.expect_download() as download:
        page.get_by_role("link", name="HTML file").click()
    kept = tmp_path / "report.html"
    download.value.save_as(kept)
    asked: list[str] = []
    alone = browser.new_page()
    alone.on("request", lambda request: asked.append(request.url))
    alone.goto(kept.as_uri())
    assert alone.get_by_role("heading", level=1).inner_text() == "The day the session service kept everything"
    assert asked == [kept.as_uri()]
    alone.close()


def test_a_measure_is_worked_on_without_javascript(site, open_as):
    page = open_as("Ben", "/measures", width=390, script=False)
    page.get_by_role("link", name="Mail each order once").click()
    page.locator("summary", has_text="Measure is done").click()
    form = page.locator("form[action$='/act/finish_measure']")
    form.get_by_label("What was done").fill("Orders carry a number that the mailer remembers.")
    form.get_by_role("button", name="Measure is done").click()
    assert page.locator(".eyebrow", has_text="Done, not verified").is_visible()
    page.get_by_label("Tie a guard to it").fill("checkout-smoke")
    page.get_by_role("button", name="Tie").click()
    assert page.locator(".side .card", has_text="checkout-smoke").is_visible()


@pytest.mark.parametrize("summary", ["Prove", "Change it", "Retire"])
def test_the_forms_of_a_guard_are_sound_when_they_are_open(site, open_as, shots, summary):
    page = open_as("Ada", f"/guards/{site.known['guard']}", width=390)
    page.locator(".acts summary", has_text=summary).first.click()
    page.screenshot(path=str(shots / f"guard-{summary.lower().replace(' ', '-')}-390.png"))
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
