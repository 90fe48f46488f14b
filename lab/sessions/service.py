"""The service's HTTP face, and its two steady jobs: expiry each second, a checkpoint 3 seconds after the last ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from lab.sessions import checkpoint
from lab.sessions.drain import Drain, Moved
from lab.sessions.metrics import ServiceMetrics
from lab.sessions.model import Session, Visit
from lab.sessions.releases import tracking
from lab.sessions.store import Busy, Limits, SessionStore, UnknownSession

CHECKPOINT_GAP = 3.0
EXPIRY_GAP = 1.0

Handler = Callable[[Request], Awaitable[Response]]


class SessionService:
    """One running service of one release."""

    def __init__(self, version: str, saved: Path, limits: Limits | None = None) -> None:
        self.version = version
        self.saved = saved
        self.store = SessionStore(tracking(version), limits)
        self.drain = Drain()
        self.metrics = ServiceMetrics(version, self.store)

    # -- what the shop calls ---------------------------------------------------------------------

    async def create(self, request: Request) -> Response:
        """POST /sessions {visitor, page, shown}: a new session."""
        body = await request.json()
        session = self.store.create(body.get("visitor", {}), body["page"], body.get("shown", []))
        return JSONResponse({"id": session.id}, 201)

    async def read(self, request: Request) -> Response:
        """GET /sessions/{id}."""
        return _answer(self.store.get(_id(request)))

    async def touch(self, request: Request) -> Response:
        """POST /sessions/{id}/touch {page, shown}: the visitor has seen a page."""
        return _answer(await self._touched(request))

    async def cart(self, request: Request) -> Response:
        """POST /sessions/{id}/cart {line, page, shown}: one more line in the cart."""
        session = await self._touched(request)
        line = (await request.json())["line"]
        return _answer(self.store.add_to_cart(session.id, line))

    async def begin(self, request: Request) -> Response:
        """POST /sessions/{id}/checkout {page, shown}: 409 while a checkout is in progress."""
        session = await self._touched(request)
        return _answer(self.store.begin(session.id))

    async def reserve(self, request: Request) -> Response:
        """POST /sessions/{id}/payment {page, shown}: 409 while a payment is in progress."""
        session = await self._touched(request)
        return _answer(self.store.reserve(session.id))

    async def commit(self, request: Request) -> Response:
        """POST /sessions/{id}/paid {order, page, shown}: the order is paid."""
        session = await self._touched(request)
        return _answer(self.store.commit(session.id, (await request.json())["order"]))

    async def end(self, request: Request) -> Response:
        """DELETE /sessions/{id}: the visitor has left."""
        self.store.end(_id(request))
        return Response(status_code=204)

    # -- what a deployment calls -----------------------------------------------------------------

    async def health(self, request: Request) -> Response:
        """GET /health: the release that answers."""
        return JSONResponse({"version": self.version, "sessions": len(self.store.sessions)})

    async def handover(self, request: Request) -> Response:
        """POST /handover: from now on calls wait; the answer is every live session with its visits."""
        self.drain.hold()
        tracked = self.store.tracking
        live = [
            {"session": session.as_json(), "visits": [visit.as_json() for visit in tracked.of(session)]}
            for session in self.store.live()
        ]
        return JSONResponse({"sessions": live})

    async def take(self, request: Request) -> Response:
        """POST /take {sessions}: adopt what another process has handed over."""
        handed = (await request.json())["sessions"]
        for one in handed:
            visits = [Visit.from_json(visit) for visit in one["visits"]]
            self.store.adopt(Session.from_json(one["session"]), visits)
        return JSONResponse({"taken": len(handed)})

    async def go(self, request: Request) -> Response:
        """POST /go: the successor serves; every waiting and later call is answered 421."""
        self.drain.go()
        return Response(status_code=204)

    async def resume(self, request: Request) -> Response:
        """POST /resume: the handover was called off, serve on."""
        self.drain.resume()
        return Response(status_code=204)

    # -- how it runs -----------------------------------------------------------------------------

    def app(self) -> Starlette:
        """The ASGI application."""
        one = "/sessions/{id}"
        routes = [
            self._route("POST", "/sessions", "create", self.create),
            self._route("GET", one, "read", self.read),
            self._route("POST", f"{one}/touch", "touch", self.touch),
            self._route("POST", f"{one}/cart", "cart", self.cart),
            self._route("POST", f"{one}/checkout", "begin", self.begin),
            self._route("POST", f"{one}/payment", "reserve", self.reserve),
            self._route("POST", f"{one}/paid", "commit", self.commit),
            self._route("DELETE", one, "end", self.end),
            Route("/health", self.health, methods=["GET"]),
            Route("/handover", self.handover, methods=["POST"]),
            Route("/take", self.take, methods=["POST"]),
            Route("/go", self.go, methods=["POST"]),
            Route("/resume", self.resume, methods=["POST"]),
        ]
        return Starlette(routes=routes, lifespan=self._lifespan)

    def _route(self, method: str, path: str, call: str, handler: Handler) -> Route:
        async def counted(request: Request) -> Response:
            response = await self._guarded(handler, request)
            self.metrics.calls.labels(call, str(response.status_code)).inc()
            return response

        return Route(path, counted, methods=[method])

    async def _guarded(self, handler: Handler, request: Request) -> Response:
        try:
            await self.drain.admit()
            return await handler(request)
        except Moved:
            return JSONResponse({"error": "the sessions have moved; read the address again"}, 421)
        except UnknownSession:
            return JSONResponse({"error": "no such session"}, 404)
        except Busy as busy:
            return JSONResponse({"error": str(busy)}, 409)

    async def _touched(self, request: Request) -> Session:
        body = await request.json()
        return self.store.touch(_id(request), body["page"], body.get("shown", []))

    @asynccontextmanager
    async def _lifespan(self, app: Starlette) -> AsyncIterator[None]:
        checkpoint.load(self.saved, self.store)
        jobs = [asyncio.create_task(self._keep_checkpoints()), asyncio.create_task(self._keep_expiring())]
        yield
        for job in jobs:
            job.cancel()
        await asyncio.gather(*jobs, return_exceptions=True)

    async def _keep_checkpoints(self) -> None:
        while True:
            await asyncio.sleep(CHECKPOINT_GAP)
            if not self.drain.holding and not self.drain.moved:
                self.save()

    def save(self) -> None:
        """Write one checkpoint now."""
        self.metrics.saved(checkpoint.write(self.saved, self.store))

    async def _keep_expiring(self) -> None:
        while True:
            await asyncio.sleep(EXPIRY_GAP)
            if not self.drain.holding and not self.drain.moved:
                self.metrics.expired.inc(self.store.expire())


def _id(request: Request) -> str:
    value: Any = request.path_params["id"]
    return str(value)


def _answer(session: Session) -> Response:
    return JSONResponse({"id": session.id, "cart": session.cart, "orders": session.orders})
