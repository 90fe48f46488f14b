"""The threads in which the server runs guards: some that hang hold up no other, and what was begun is never begun twice."""

from __future__ import annotations

import threading
import time

import pytest

from unrepeat.prevention.running.crew import Crew, Job


@pytest.fixture
def gate():
    opened = threading.Event()
    yield opened
    opened.set()


def made_within(crew: Crew[int], count: int, seconds: float = 10.0) -> set[int]:
    until, made = time.monotonic() + seconds, set[int]()
    while len(made) < count and time.monotonic() < until:
        made.update(crew.made(count, 0.1))
    return made


def test_runs_that_hang_hold_up_no_other(gate):
    crew = Crew[int](together=2, most=8, left=lambda _: None)
    crew.ask(Job(-n, lambda n=n: gate.wait(30) and -n) for n in range(1, 5))
    crew.ask(Job(n, lambda n=n: n) for n in range(1, 21))
    assert made_within(crew, 20) == set(range(1, 21))
    assert crew.guards() >= {-1, -2, -3, -4}


def test_no_more_hang_at_once_than_the_most(gate):
    begun: list[int] = []
    crew = Crew[int](together=1, most=3, left=lambda _: None)
    crew.ask(Job(n, lambda n=n: begun.append(n) or (gate.wait(30) and n)) for n in range(6))
    crew.made(1, 4.0)
    assert len(begun) == 3
    gate.set()
    assert made_within(crew, 6) == set(range(6))


def test_heavy_runs_get_half_of_the_threads_and_light_ones_pass_them(gate):
    begun: list[int] = []
    crew = Crew[int](together=4, most=50, left=lambda _: None)
    crew.ask(Job(-n, lambda n=n: begun.append(n) or (gate.wait(30) and -n), heavy=True) for n in range(1, 11))
    crew.ask(Job(n, lambda n=n: n) for n in range(1, 21))
    assert made_within(crew, 20) == set(range(1, 21))
    crew.made(1, 1.5)  # longer than a run is young
    assert len(begun) == 2
    assert (crew.waiting(heavy=True), crew.waiting(heavy=False)) == (8, 0)
    gate.set()
    assert made_within(crew, 10) == set(range(-10, 0))


def test_work_that_ends_quickly_is_done_by_few_threads():
    at_once, most, lock = 0, 0, threading.Lock()

    def work() -> int:
        nonlocal at_once, most
        with lock:
            at_once += 1
            most = max(most, at_once)
        time.sleep(0.005)
        with lock:
            at_once -= 1
        return 1

    crew = Crew[int](together=3, most=50, left=lambda _: None)
    crew.ask(Job(n, work) for n in range(60))
    assert sum(len(crew.made(60, 0.2)) for _ in range(20)) == 60
    assert most == 3


def test_what_still_runs_at_the_end_is_told_of_and_handed_over_when_it_ends(gate):
    left, told = list[int](), list[set[int]]()
    crew = Crew[int](together=1, most=1, left=left.append)
    crew.ask([Job(1, lambda: 1), Job(2, lambda: gate.wait(30) and 2), Job(3, lambda: 3)])
    assert made_within(crew, 1) == {1}
    crew.leave(told.append)
    gate.set()
    until = time.monotonic() + 10
    while not left and time.monotonic() < until:
        time.sleep(0.005)
    assert (told, left, crew.rest()) == ([{2}], [2], [])  # the third never began


def test_nothing_under_way_is_said_at_once():
    began = time.monotonic()
    assert Crew[int](together=1, most=1, left=lambda _: None).made(64, 5.0) == []
    assert time.monotonic() - began < 1.0
