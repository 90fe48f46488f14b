"""The shop's pages. What a visitor holds is in the session service, what the shop sells and has sold in PostgreSQL."""

from __future__ import annotations

import html
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from lab.shop import catalogue
from lab.shop.database import Database
from lab.shop.metrics import ShopMetrics
from lab.shop.session_client import Refused, SessionClient, SessionsDown

COOKIE = "session"
Page = Callable[[Request], Awaitable[Response]]


class Shop:
    """One worker of the shop. A page shows `page_size` products."""

    def __init__(self, database: Database, sessions: SessionClient, metrics: ShopMetrics, page_size: int) -> None:
        self.database = database
        self.sessions = sessions
        self.metrics = metrics
        self.page_size = page_size
        self._dice = random.Random()

    async def browse(self, request: Request) -> Response:
        """GET / and GET /products/{number}: products, beginning at one; the first view makes the session."""
        number = request.path_params.get("number") or self._dice.randrange(1, catalogue.PRODUCTS)
        products = await self.database.shelf(min(number, catalogue.PRODUCTS - self.page_size), self.page_size)
        session = await self._visit(request, products)
        response = HTMLResponse(_shelf(products))
        response.set_cookie(COOKIE, session, httponly=True, samesite="lax")
        return response

    async def add_to_cart(self, request: Request) -> Response:
        """POST /cart {product, quantity}."""
        wanted = await request.json()
        products = await self.database.shelf(wanted["product"] - 1, self.page_size)
        line = {"product": products[0]["id"], "price": products[0]["price"], "quantity": wanted.get("quantity", 1)}
        cart = await self._step(request, "cart", "cart", products, line=line)
        return HTMLResponse(f"<p>{len(cart['cart'])} in your cart</p>")

    async def checkout(self, request: Request) -> Response:
        """POST /checkout: start to check out what is in the cart."""
        session = await self._step(request, "begin", "checkout", await self._recommended())
        return HTMLResponse(f"<p>{len(session['cart'])} to pay</p>")

    async def pay(self, request: Request) -> Response:
        """POST /pay: reserve, write the order, commit."""
        recommended = await self._recommended()
        session = await self._step(request, "reserve", "payment", recommended)
        order = await self.database.place(session["id"], session["cart"])
        self.metrics.orders.labels("placed").inc()
        await self._step(request, "commit", "paid", recommended, order=order)
        await self.database.paid(order)
        self.metrics.orders.labels("paid").inc()
        return HTMLResponse(f"<p>Thank you. Order {order}</p>")

    async def leave(self, request: Request) -> Response:
        """POST /leave: the visitor is done."""
        await self.sessions.call("end", "DELETE", f"/sessions/{_session(request)}")
        return Response(status_code=204)

    async def health(self, request: Request) -> Response:
        """GET /health."""
        return Response("ok")

    async def _visit(self, request: Request, products: list[dict[str, Any]]) -> str:
        """Touch the session of the request, or make one; its id."""
        known = request.cookies.get(COOKIE)
        body = {"page": request.url.path, "shown": catalogue.shown(products, self._dice)}
        if known:
            try:
                await self.sessions.call("touch", "POST", f"/sessions/{known}/touch", body)
                return known
            except Refused as refused:
                if refused.status != 404:
                    raise
        visitor = {"agent": request.headers.get("user-agent", ""), "language": "en"}
        created = await self.sessions.call("create", "POST", "/sessions", {**body, "visitor": visitor})
        return str(created["id"])

    async def _step(
        self, request: Request, call: str, path: str, products: list[dict[str, Any]], **more: Any
    ) -> dict[str, Any]:
        body = {"page": request.url.path, "shown": catalogue.shown(products, self._dice), **more}
        return await self.sessions.call(call, "POST", f"/sessions/{_session(request)}/{path}", body)

    async def _recommended(self) -> list[dict[str, Any]]:
        start = self._dice.randrange(0, catalogue.PRODUCTS - self.page_size)
        return await self.database.shelf(start, self.page_size)

    def app(self) -> Starlette:
        """The ASGI application."""
        routes = [
            Route("/health", self.health, methods=["GET"]),
            self._route("GET", "/", "browse", self.browse),
            self._route("GET", "/products/{number:int}", "browse", self.browse),
            self._route("POST", "/cart", "cart", self.add_to_cart),
            self._route("POST", "/checkout", "checkout", self.checkout),
            self._route("POST", "/pay", "pay", self.pay),
            self._route("POST", "/leave", "leave", self.leave),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan)

    def _route(self, method: str, path: str, name: str, page: Page) -> Route:
        async def measured(request: Request) -> Response:
            began = time.monotonic()
            response = await _answered(page, request)
            self.metrics.durations.labels(name).observe(time.monotonic() - began)
            self.metrics.requests.labels(name, str(response.status_code)).inc()
            return response

        return Route(path, measured, methods=[method])

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        await self.database.open()
        yield
        await self.sessions.close()
        await self.database.close()


async def _answered(page: Page, request: Request) -> Response:
    """The page, or what a visitor is told when it cannot be had."""
    try:
        return await page(request)
    except Refused as refused:
        said = {404: "Your session has ended.", 409: "This is already in progress, please wait."}
        return HTMLResponse(said.get(refused.status, "That did not work."), refused.status)
    except SessionsDown:
        return HTMLResponse("The shop is busy, please try again.", 503, {"Retry-After": "2"})
    except (psycopg.Error, PoolTimeout):
        return HTMLResponse("The shop cannot reach its database.", 503, {"Retry-After": "5"})


def _session(request: Request) -> str:
    known = request.cookies.get(COOKIE)
    if not known:
        raise Refused(404)
    return known


def _shelf(products: list[dict[str, Any]]) -> str:
    items = "".join(
        f'<li><a href="/products/{one["id"]}">{html.escape(one["name"])}</a> {one["price"] / 100:.2f}</li>'
        for one in products
    )
    return f"<!doctype html><title>Shop</title><ul>{items}</ul>"
