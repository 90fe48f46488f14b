"""The shop's visitors, by Locust, in a process of their own (gevent must not touch the rest of the lab).

Open loop: visitors arrive by a Poisson process, whether or not the shop keeps up, as people do. One visit is one
Locust user: six pages, something into the cart, and half of them check out and pay. When a visit is over, one JSON
line tells all of it; the lab's shares of slow visitors and lost buyers are counted from these lines alone.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import time
from pathlib import Path
from typing import Any, ClassVar, TextIO

import gevent
from locust import FastHttpUser, constant, task
from locust.env import Environment
from locust.exception import StopUser

from lab.users_rates import PER_SECOND

VIEWS = 6
BUYERS = 0.5
LEAVERS = 0.5
REPEATS = 2
PRODUCTS = 1000


def think(dice: random.Random) -> float:
    """Seconds before the next click: 0.1 and an exponential of mean 0.5, at most 2.5."""
    return min(2.5, 0.1 + dice.expovariate(1 / 0.5))


class Shopper(FastHttpUser):
    """One visit to the shop."""

    wait_time = constant(0)
    network_timeout = 15.0
    connection_timeout = 15.0
    out: ClassVar[TextIO]
    open_visits: ClassVar[set[Shopper]] = set()
    dice: ClassVar[random.Random] = random.Random()

    def on_start(self) -> None:
        """The visit begins."""
        self.began = time.time()
        self.requests: list[dict[str, Any]] = []
        Shopper.open_visits.add(self)

    def on_stop(self) -> None:
        """The visit is over: tell it, and close the browser."""
        self.write(finished=True)
        self.client.client.close()

    @task
    def visit(self) -> None:
        """Browse, fill the cart, perhaps pay, perhaps say so when leaving. A page that cannot be had ends it."""
        if self._shop():
            gevent.sleep(think(self.dice))
            if self.dice.random() < LEAVERS:
                self._once("leave", "POST", "/leave")
        raise StopUser

    def write(self, finished: bool) -> None:
        """Tell the visit, once."""
        if self in Shopper.open_visits:
            Shopper.open_visits.remove(self)
            line = {"began": self.began, "ended": time.time(), "finished": finished, "requests": self.requests}
            Shopper.out.write(json.dumps(line) + "\n")
            Shopper.out.flush()

    def _shop(self) -> bool:
        for number in range(VIEWS):
            path = "/" if number == 0 else f"/products/{self.dice.randint(1, PRODUCTS - 1)}"
            if not self._click("browse", "GET", path):
                return False
        if not self._click("cart", "POST", "/cart", {"product": self.dice.randint(1, PRODUCTS - 60)}):
            return False
        if self.dice.random() < BUYERS:
            return self._click("checkout", "POST", "/checkout") and self._click("pay", "POST", "/pay")
        return True

    def _click(self, page: str, method: str, path: str, body: dict[str, int] | None = None) -> bool:
        """Think, click; a click that fails is repeated up to twice, 1 to 3 seconds later. True if it succeeded in the end."""
        gevent.sleep(think(self.dice))
        for repeat in range(REPEATS + 1):
            if self._once(page, method, path, body):
                return True
            if repeat < REPEATS:
                gevent.sleep(self.dice.uniform(1.0, 3.0))
        return False

    def _once(self, page: str, method: str, path: str, body: dict[str, int] | None = None) -> bool:
        began, clock = time.time(), time.monotonic()
        response = self.client.request(method, path, name=page, json=body)
        seconds = time.monotonic() - clock
        status = int(response.status_code or 0)
        self.requests.append({"at": began, "page": page, "status": status, "seconds": round(seconds, 4)})
        return 200 <= status < 300


def arrive(environment: Environment, per_second: float, dice: random.Random, growing: float = 0.0) -> None:
    """Let visitors arrive for ever, `per_second` on average; over the first `growing` seconds they become that many, evenly."""
    runner = environment.create_local_runner()
    began = due = time.monotonic()
    while True:
        due += dice.expovariate(per_second)
        gevent.sleep(max(0.0, due - time.monotonic()))
        if due - began >= growing * dice.random():
            runner.spawn_users({Shopper.__name__: 1})


def main() -> None:
    """Send visitors until told to stop; visits that are not over by then are told as unfinished."""
    parser = argparse.ArgumentParser(prog="python -m lab.users", description="The shop's visitors.")
    parser.add_argument("--host", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--per-second", type=float, default=PER_SECOND)
    parser.add_argument("--growing", type=float, default=0.0, help="seconds until so many come")
    options = parser.parse_args()
    Shopper.host = options.host
    environment = Environment(user_classes=[Shopper], host=options.host)
    with options.out.open("a") as Shopper.out:
        arrivals = gevent.spawn(arrive, environment, options.per_second, Shopper.dice, options.growing)
        gevent.signal_handler(signal.SIGTERM, arrivals.kill)
        gevent.signal_handler(signal.SIGINT, arrivals.kill)
        arrivals.join()
        for visit in list(Shopper.open_visits):
            visit.write(finished=False)


if __name__ == "__main__":
    main()
