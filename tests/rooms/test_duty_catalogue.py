"""The catalogue: who runs what, and what needs what."""

import pytest

from unrepeat.duty import commands, queries
from unrepeat.support.problems import Invalid, NotFound

CATALOGUE = """
[teams.sessions-team]
title = "Sessions team"
email = "sessions-team@shop.example"

[services.shop]
title = "The shop"
depends_on = ["sessions", "database"]
repository = "shop/web"

[services.sessions]
team = "sessions-team"
labels = { job = "sessions" }

[services.database]

[services.load-balancer]
depends_on = ["shop"]
"""


@pytest.fixture
def loaded(db):
    return commands.load_catalogue(CATALOGUE)


def test_a_load_says_what_it_did_and_a_second_one_changes_nothing(loaded):
    assert (loaded.teams_new, loaded.services_new, loaded.dependencies) == (1, 4, 3)
    known_since = queries.service("sessions").known_since
    again = commands.load_catalogue(CATALOGUE)
    assert (again.teams_new, again.services_new, again.teams_known, again.services_known) == (0, 0, 1, 4)
    assert queries.service("sessions").known_since == known_since


def test_neighbours_are_one_step_away_in_both_directions(loaded):
    assert queries.neighbours("shop") == {"sessions", "database", "load-balancer"}
    assert queries.neighbours("sessions") == {"shop"}
    assert queries.neighbours("nobody-knows") == set()


def test_a_service_knows_its_team_its_labels_and_its_repository(loaded):
    assert queries.team_of("sessions").title == "Sessions team"
    assert queries.team_of("shop") is None
    assert queries.team_of("nobody-knows") is None
    assert queries.service("sessions").labels == {"job": "sessions"}
    assert queries.service("shop").repository == "shop/web"
    assert [service.name for service in queries.services()] == ["database", "load-balancer", "sessions", "shop"]
    assert [team.name for team in queries.teams()] == ["sessions-team"]


def test_a_dependency_that_is_gone_from_the_file_is_gone(loaded):
    commands.load_catalogue('[services.shop]\ndepends_on = ["sessions"]')
    assert queries.neighbours("database") == set()
    assert queries.neighbours("shop") == {"sessions", "load-balancer"}


def test_what_a_file_does_not_mention_stays(loaded):
    told = commands.load_catalogue("[services.billing]")
    assert told.elsewhere == ("database", "load-balancer", "sessions", "shop")
    assert queries.service("shop").title == "The shop"


def test_a_service_that_is_not_there_is_not_found(loaded):
    with pytest.raises(NotFound):
        queries.service("billing")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[services", "not TOML"),
        ("[servers.shop]", "does not fit"),
        ("[services.shop]\ncolour = 'red'", "does not fit"),
        ("[services.shop]\ndepends_on = 'sessions'", "does not fit"),
        ("[services.shop]\nlabels = { job = 7 }", "does not fit"),
        ("[services.shop]\ndepends_on = ['shop']", "depends on itself"),
        ("[services.shop]\ndepends_on = ['ghost']", "which is not there"),
        ("[services.shop]\nteam = 'ghosts'", "which is not there"),
        ('[services." "]', "cannot be a name"),
        (f"[services.{'x' * 121}]", "cannot be a name"),
        ("[teams.'a b']", "cannot be a team's name"),
        ("[teams.a]\nemail = 'nobody'", "is no e-mail address"),
        ("[services.shop]\ntitle = '''" + "x" * 201 + "'''", "too long"),
        ('[services.shop]\nlabels = { job = "\\u0000" }', "too long or holds"),
    ],
)
def test_a_file_that_does_not_fit_says_where_and_changes_nothing(loaded, text, said):
    with pytest.raises(Invalid) as refused:
        commands.load_catalogue(text)
    assert said in f"{refused.value.what} {refused.value.why}"
    assert refused.value.remedy
    assert len(queries.services()) == 4
