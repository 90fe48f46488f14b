"""A locustfile for the session service alone: visitors come, see eight pages, and leave. What is kept for them must go with them."""

from __future__ import annotations

import random

from locust import FastHttpUser, constant, task

from lab.shop import catalogue

PAGES = 8
SHOWN = 24  # products a page


class Visitor(FastHttpUser):
    """One visitor after another, without a pause: the service's memory may follow those who are there, not those who have left."""

    wait_time = constant(0.05)
    network_timeout = 5.0

    @task
    def visit(self) -> None:
        """One whole visit."""
        made = self.client.post("/sessions", json={"visitor": {}, **_page()}, name="create")
        if made.status_code != 201:
            return
        session = made.json()["id"]
        for _ in range(PAGES):
            self.client.post(f"/sessions/{session}/touch", json=_page(), name="touch")
        self.client.delete(f"/sessions/{session}", name="end")


def _page() -> dict[str, object]:
    first = random.randrange(1, catalogue.PRODUCTS - SHOWN)
    products = [catalogue.product(number) for number in range(first, first + SHOWN)]
    return {"page": f"/products/{first}", "shown": catalogue.shown(products, random.Random(first))}
