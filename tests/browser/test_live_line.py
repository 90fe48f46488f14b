"""A page that keeps itself current disturbs nobody who reads or writes on it, and says when the line is lost."""

from __future__ import annotations

SECONDS = 1000  # playwright counts milliseconds
TOP = "one => one.getBoundingClientRect().top"


def note(open_as, site, text):
    page = open_as("Ada", f"/incidents/{site.known['going_on']}")
    page.get_by_label("Note", exact=True).fill(text)
    page.get_by_role("button", name="Add note").click()
    page.locator("ol.log").get_by_text(text).first.wait_for(timeout=15 * SECONDS)


def live(open_as, site, who="Ben", **look):
    page = open_as(who, f"/incidents/{site.known['going_on']}", **look)
    page.locator(".live-state.live").wait_for(timeout=20 * SECONDS)
    return page


def test_what_is_open_typed_and_focused_stays_as_it_is(site, open_as, complaints):
    page = live(open_as, site)
    page.locator("summary", has_text="More").click()
    page.locator("summary", has_text="Hand over a role").click()
    field = page.locator("form[action$='/act/hand_role']").get_by_label("To whom")
    field.fill("Cle")
    note(open_as, site, "Meanwhile elsewhere.")
    page.locator("ol.log").get_by_text("Meanwhile elsewhere.").first.wait_for(timeout=15 * SECONDS)
    assert field.is_visible() and field.input_value() == "Cle"
    assert field.evaluate("one => one === document.activeElement")
    field.press_sequentially("o")
    assert field.input_value() == "Cleo"
    assert complaints == []


def test_a_note_that_is_being_written_is_not_lost(site, open_as):
    page = live(open_as, site, width=390)
    writing = page.get_by_label("Note", exact=True)
    writing.fill("Half a sen")
    note(open_as, site, "Somebody was quicker.")
    page.locator("ol.log").get_by_text("Somebody was quicker.").first.wait_for(timeout=15 * SECONDS)
    assert writing.input_value() == "Half a sen"
    assert writing.evaluate("one => one === document.activeElement")


def test_what_one_reads_stays_where_it_is(site, open_as):
    page = live(open_as, site, width=390)
    read = page.locator("#changes")
    read.evaluate("one => one.scrollIntoView({block: 'start'})")
    before = read.evaluate(TOP)
    note(open_as, site, "This makes the timeline above longer.")
    page.locator("ol.log").get_by_text("This makes the timeline above longer.").first.wait_for(
        state="attached", timeout=15 * SECONDS
    )
    assert abs(page.locator("#changes").evaluate(TOP) - before) <= 2


def test_a_lost_line_is_told_and_what_was_missed_comes_after(site, open_as):
    page = live(open_as, site, who="Cleo")
    page.context.set_offline(True)
    page.locator(".live-state.reconnecting").wait_for(timeout=20 * SECONDS)
    assert "reconnecting" in page.locator(".live-state").inner_text()
    assert page.locator(".live-state svg").count() == 1
    note(open_as, site, "While the line was lost.")
    page.context.set_offline(False)
    page.locator("ol.log").get_by_text("While the line was lost.").first.wait_for(timeout=40 * SECONDS)
    page.locator(".live-state.live").wait_for(timeout=20 * SECONDS)


def test_who_has_signed_out_is_told_that_the_page_stands_still(site, open_as):
    page = live(open_as, site, who="Cleo")
    page.context.clear_cookies()
    page.context.set_offline(True)
    page.locator(".live-state.reconnecting").wait_for(timeout=20 * SECONDS)
    page.context.set_offline(False)
    page.locator(".live-state.ended").wait_for(timeout=60 * SECONDS)
    assert "not live" in page.locator(".live-state").inner_text()
