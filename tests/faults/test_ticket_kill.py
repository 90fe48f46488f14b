"""A worker that is killed with -9 between the making of a ticket and the keeping of it: the next one makes no second ticket.

The tracker is a stand-in that speaks GitHub's documented wire format (tests/support/tracker_servers.py); no real one can be had.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta

import pytest
from django.db import connection

from tests.support.mailing import configured
from tests.support.tracker_servers import PROJECT, TOKEN, GitHub, running
from unrepeat.incidents import acts, commands, queries
from unrepeat.prevention.tickets import tracker_commands
from unrepeat.prevention.told_models import Ticket
from unrepeat.support import clock
from unrepeat.worker import Worker


def environment() -> dict[str, str]:
    """That of a process on the same database."""
    name = connection.settings_dict["NAME"]
    host, port = connection.settings_dict["HOST"], connection.settings_dict["PORT"]
    url = f"sqlite:///{name}" if connection.vendor == "sqlite" else f"postgresql://app@{host}:{port}/{name}"
    return os.environ | {"DATABASE_URL": url}


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_making_and_keeping_a_ticket_leads_to_no_second_one():
    with running(GitHub()) as server, configured(private_addresses=["127.0.0.0/8"]):
        tracker_commands.add("issues", "github", url=server.url, project=PROJECT, token=TOKEN, by="Ada")
        number = commands.open_incident("The shop is slow", service="sessions", severity="critical", by="Ben")
        commands.perform(number, acts.ProposeMeasure("task", "Limit the memory of a session", "Ada"), by="Ben")
        commands.perform(number, acts.Resolve("rolled back"), by="Ben")
        tracker_commands.make_ticket(number, 1, "issues", by="Ada")
        command = [sys.executable, "-m", "tests.support.ticket_worker"]
        worker = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, text=True)
        try:
            assert worker.stdout is not None
            said = next(line for line in worker.stdout if line.startswith(("made", "idle")))
        finally:
            os.kill(worker.pid, signal.SIGKILL)
            worker.wait(30)
        assert said.split() == ["made", "1"]
        assert len(server.issues) == 1
        assert Ticket.objects.get().number == ""  # nobody kept it

        later = clock.SimulatedClock(clock.now() + timedelta(minutes=2))  # the dead one's lease has run out
        with clock.using(later):
            Worker().run_until_idle()
        assert len(server.issues) == 1
        assert Ticket.objects.get().number == "1"
        assert queries.state_of(number).measures[1].ticket == f"{PROJECT}#1"
        assert server.calls("POST") == 1
