"""How a question becomes ideas, and how a report answers them: stems, aliases, views, scores, certainty. No database."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from unrepeat.support import search_aliases, search_rank, search_views
from unrepeat.support.problems import Problem
from unrepeat.support.search_rank import Counter, Library, Scorer, bag_of, confidence, ideas, read_bag, weighed
from unrepeat.support.search_shown import marked, spots
from unrepeat.support.search_text import stem, stems, words

OURS = search_aliases.aliases()


def others(text: str) -> set[str]:
    """What the aliases add to a text, as stems."""
    return {" ".join(other) for found in OURS.of(stems(text)) for other in found.others}


def test_endings_go():
    assert len({stem(word) for word in ("throttle", "throttles", "throttled", "throttling")}) == 1
    assert len({stem(word) for word in ("deploy", "deploys", "deployed", "deploying", "deployment")}) == 1
    assert stem("status") == "status" and stem("5xx") == "5xx"


def test_an_alerts_name_is_split_into_its_words_and_kept_whole():
    assert words("KubePodCrashLooping") == ["kubepodcrashlooping", "kube", "pod", "crash", "looping"]
    assert words("APIs of max_connections, café") == ["apis", "of", "max", "connections", "cafe"]


@given(st.text(max_size=300))
def test_any_text_has_stems_that_stay_one_word_each(text):
    assert all(found and " " not in found and "'" not in found and "\\" not in found for found in stems(text))


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("ENOSPC", "no space left on device"),
        ("disk full", "ENOSPC"),
        ("x509", "certificate"),
        ("the certificate has expired", "CERT_HAS_EXPIRED"),
        ("OOMKilled", "out of memory"),
        ("out of memory", "oom"),
        ("coordination service", "zookeeper"),
        ("kafka", "message broker"),
        ("429", "throttled"),
    ],
)
def test_codes_and_words_stand_for_each_other(asked, found):
    assert " ".join(stems(found)) in others(asked)


def test_a_thing_does_not_stand_for_its_rivals():
    assert "rabbitmq" not in others("kafka")
    assert stem("rabbitmq") in others("message broker")


def test_a_phrase_of_which_one_word_is_left_stands_for_nothing():
    own = search_aliases.Aliases({"missing": ["404", "not found", "no such file or directory"]}, {})
    assert {found.others for found in own.of(["404"])} == {(("file", "directori"),)}


def test_a_line_of_ones_own_is_added_and_one_with_a_known_name_takes_its_place(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text('[same]\nbasket = ["basket", "trolley"]\ninodes = ["inode", "knot"]\n')
    own = search_aliases.aliases(file)
    assert {found.others for found in own.of(["basket"])} == {((stem("trolley"),),)}
    assert {found.others for found in own.of(stems("inode"))} == {((stem("knot"),),)}


@pytest.mark.parametrize(
    "text",
    ["[same", "[same]\nx = 1\n", "[other]\nx = ['a']\n", "[kinds]\nx = ['a']\n", "[kinds]\nx = { called = ['a'] }\n"],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path, text):
    file = tmp_path / "own.toml"
    file.write_text(text)
    with pytest.raises(Problem) as raised:
        search_aliases.aliases(file)
    assert "own.toml" in raised.value.why


def test_the_summary_leaves_headings_and_timeline_out_and_the_cause_is_what_says_why():
    text = (
        "# Overview\n\nThe shop could not be paid in for an hour on Monday.\n\n"
        "- 10:00 the first alert arrives and is read by Ben\n\n"
        "The outage was caused by a certificate that had expired."
    )
    assert "shop" in search_views.summary(text) and "Overview" not in search_views.summary(text)
    assert "10:00" not in search_views.summary(text)
    assert search_views.cause(text) == "The outage was caused by a certificate that had expired."


def scores(question: str, *reports: str) -> list[float]:
    """The score of each report, each a text, in a library of just these and ninety others."""
    pages = [[" ".join(stems(text))] * 4 for text in reports]
    asked = ideas(question, OURS)
    forms = {form for idea in asked for form in idea.forms}
    counts = {form: sum(f" {' '.join(form)} " in f" {page[-1]} " for page in pages) for form in forms}
    question = weighed(asked, counts, len(pages) + 90)
    counter, scorer = Counter(question), Scorer(question, Library(len(pages) + 90, (10.0,) * 4))
    return [scorer.score(counter.count(page, read_bag(bag_of(page)))) for page in pages]


def test_the_word_itself_counts_for_more_than_another_word_for_it():
    itself, alias, nothing = scores("ENOSPC on the queue", "ENOSPC seen", "disk full", "certificate expired")
    assert itself > alias > nothing == 0


def test_a_shorter_report_that_says_the_same_is_nearer():
    short, long = scores("replica lag", "replica lag", "replica lag " + "and other words of little matter here " * 20)
    assert short > long


def test_words_that_are_neighbours_in_both_count():
    near, apart = scores("fiber cut", "the fiber cut came", "they cut the long cable fiber")
    assert near > apart


def test_certainty_grows_with_the_lead_and_with_the_share_and_is_none_for_nothing():
    asked = weighed(ideas("fiber cut", OURS), {("fiber",): 3, ("cut",): 9}, 100)
    flat, leading = confidence([8.0, *[7.5] * 9], asked), confidence([8.0, *[3.0] * 9], asked)
    assert 0 < flat < leading < 1
    assert confidence([4.0, *[3.75] * 9], asked) < flat
    assert confidence([], asked) == confidence([0.0], asked) == 0


def test_why_is_marked_also_where_other_words_say_it():
    text = "The disk was full: no space left on device."
    pieces = marked(text, spots(text, [(("enospc",), tuple(stems("no space left on device")))]))
    assert [text for text, hit in pieces if hit] == ["space left on device"]
    assert "".join(text for text, _ in pieces) == "The disk was full: no space left on device."


def test_a_long_question_is_cut_and_an_empty_one_has_no_ideas():
    assert ideas("", OURS) == ideas("the of and", OURS) == []
    many = ideas(" ".join(f"word{n}" for n in range(500)), OURS)
    assert sum(not idea.pair for idea in many) == search_rank.LONGEST_QUESTION


def test_every_line_of_ours_has_two_ways_to_say_it():
    read = search_aliases._read(search_aliases.FILE)
    for name, said in read["same"].items():
        assert len(search_aliases._phrases(said)) > 1, name
    for name, kind in read["kinds"].items():
        assert search_aliases._phrases(kind["called"]) and search_aliases._phrases(kind["such_as"]), name
