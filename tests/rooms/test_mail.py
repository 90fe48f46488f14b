"""Mail goes out through a real SMTP server: once under a key, in TLS where there is any, again until it is taken."""

from __future__ import annotations

import socket
from datetime import timedelta

import pytest
from django.db import transaction

from tests.support.mailing import certificate, configured, mail_server
from unrepeat.duty import commands as duty
from unrepeat.duty import queries
from unrepeat.inform import commands, mail
from unrepeat.inform.channels import email
from unrepeat.inform.models import Message
from unrepeat.support import away, clock
from unrepeat.support.models import Wakeup
from unrepeat.support.problems import Invalid
from unrepeat.web.models import User
from unrepeat.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def time():
    """A clock that can be moved."""
    simulated = clock.SimulatedClock(clock.now())
    with clock.using(simulated):
        yield simulated


@pytest.fixture
def server():
    with mail_server() as running, configured(mail_url=f"smtp://127.0.0.1:{running.port}", mail_from="u@example.com"):
        yield running


def write(key="k", to="ada@example.com"):
    with transaction.atomic():
        return commands.write(to, "Due in 3 days", "Add a limit.", key=key)


def test_a_mail_arrives_and_is_known_as_sent(server):
    assert write()
    assert Message.objects.get().sent_at is None
    Worker().run_until_idle()
    [arrived] = server.mails
    assert (arrived["To"], arrived["Subject"]) == ("ada@example.com", "Due in 3 days")
    assert server.envelopes[0].mail_from == "u@example.com"
    assert Message.objects.get().sent_at


def test_under_one_key_one_mail_goes_out(server):
    assert write()
    assert write() is None
    Worker().run_until_idle()
    assert write() is None
    Worker().run_until_idle()
    assert len(server.mails) == 1


def test_what_is_rolled_back_says_nothing(server):
    with transaction.atomic():
        write()
        transaction.set_rollback(True)
    Worker().run_until_idle()
    assert server.mails == []


def test_a_mail_server_that_is_away_gets_it_later_with_the_same_id(server, time):
    write()
    with configured(mail_url="smtp://127.0.0.1:1"):
        Worker().run_until_idle()
    assert "127.0.0.1" in Message.objects.get().trouble
    assert server.mails == []
    time.advance(seconds=2)
    Worker().run_until_idle()
    assert [m["Message-ID"] for m in server.mails] == [mail.message_id("k", "127.0.0.1")]
    assert Message.objects.get().trouble == ""


def test_a_mailbox_that_is_full_is_tried_again_and_one_that_is_none_is_not(server, time):
    server.refuse = "452 the mailbox is full"
    write("full")
    Worker().run_until_idle()
    assert Wakeup.objects.filter(done_at=None).count() == 1
    server.refuse = ""
    time.advance(seconds=2)
    Worker().run_until_idle()
    assert len(server.mails) == 1
    server.refuse = "550 no such mailbox"
    write("none")
    Worker().run_until_idle()
    assert not Wakeup.objects.filter(done_at=None).exists()
    assert "550 no such mailbox" in Message.objects.get(key="none").trouble


def test_the_password_goes_over_tls_only_and_the_certificate_is_checked(tmp_path, time):
    chain, key = certificate(tmp_path)
    with mail_server(certificate=(chain, key), password="secret") as running:
        with configured(mail_url=f"smtp://unrepeat:secret@127.0.0.1:{running.port}?ca={chain}"):
            write()
            Worker().run_until_idle()
        assert running.in_tls == [True]
        with configured(mail_url=f"smtp://unrepeat:secret@127.0.0.1:{running.port}"):
            write("unknown authority")
            Worker().run_until_idle()
        assert "certificate" in Message.objects.get(key="unknown authority").trouble.lower()
        assert len(running.mails) == 1


def test_a_wrong_password_is_said_without_saying_the_password(tmp_path):
    chain, key = certificate(tmp_path)
    with (
        mail_server(certificate=(chain, key), password="secret") as running,
        configured(mail_url=f"smtp://unrepeat:wr0ng-one@127.0.0.1:{running.port}?ca={chain}"),
    ):
        write()
        Worker().run_until_idle()
    trouble = Message.objects.get().trouble
    assert "does not let us in" in trouble
    assert "wr0ng-one" not in trouble + Wakeup.objects.get().outcome


def test_a_password_is_not_sent_to_another_machine_in_plain_text(monkeypatch):
    with mail_server() as running, configured(mail_url=f"smtp://u:p@127.0.0.1:{running.port}"):
        monkeypatch.setattr(email, "HERE", frozenset())  # as if it were another machine
        with pytest.raises(email.Undelivered, match="no TLS"):
            email.send(mail.Mail("ada@example.com", "s", "t", "k"))


def test_without_a_mail_server_nothing_is_kept():
    with configured(mail_url=""):
        assert write() is None
    assert not Message.objects.exists()


def test_what_is_no_address_is_refused_before_anything_is_kept(server):
    with pytest.raises(Invalid):
        write(to="ada@example.com\r\nRCPT TO:<all@example.com>")
    assert not Message.objects.exists()


def test_a_mail_server_that_hangs_costs_its_time_and_no_more(monkeypatch, time):
    monkeypatch.setattr(email, "SECONDS", 0.2)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        configured(mail_url=f"smtp://127.0.0.1:{silent.getsockname()[1]}"),
    ):
        write()
        Worker().run_until_idle()
    assert "timed out" in Message.objects.get().trouble
    time.advance(seconds=2)
    assert clock.now() - Message.objects.get().planned_at < timedelta(seconds=5)


def accepted(server: socket.socket) -> int:
    """How many have called a server that never answered."""
    calls = 0
    while True:
        try:
            server.accept()
        except TimeoutError:
            return calls
        calls += 1


def test_a_mail_server_that_hangs_holds_up_one_mail_and_not_all(monkeypatch, time):
    monkeypatch.setattr(email, "SECONDS", 0.3)
    monkeypatch.setattr(away, "COSTLY", 0.2)
    monkeypatch.setattr(away, "_until", {})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(0.1)
        with configured(mail_url=f"smtp://127.0.0.1:{silent.getsockname()[1]}"):
            for n in range(20):
                write(f"k{n}")
            Worker().run_until_idle()
        calls = accepted(silent)
    assert calls == 1
    assert Wakeup.objects.filter(what="mail", done_at=None).count() == 20


def test_owners_are_reached_as_people_as_teams_or_as_written():
    duty.load_catalogue('[teams.sessions-team]\ntitle = "Sessions team"\nemail = "sessions@example.com"\n')
    ada = User.objects.create_user("Ada", email="ada@example.com")
    assert queries.address_of("Ada") == queries.address_of(" ada ") == "ada@example.com"
    assert queries.address_of("sessions-team") == queries.address_of("Sessions Team") == "sessions@example.com"
    assert queries.address_of("platform@example.com") == "platform@example.com"
    assert queries.address_of("Nobody") == queries.address_of("") == ""
    ada.email = "ada.l@example.com"
    ada.save()
    assert queries.address_of("Ada") == "ada.l@example.com"
    ada.is_active = False
    ada.save(update_fields=["role", "is_active"])
    assert queries.address_of("Ada") == ""
