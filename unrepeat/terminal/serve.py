"""`unrepeat serve`: the whole of Unrepeat in one process: intake, worker, pages, API."""

from __future__ import annotations

import os
from typing import Annotated

from cyclopts import App, Parameter, validators

app = App(name="serve", help="Run the server: intake, worker, pages and API in one process.")

Port = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=65535))]


@app.default
def serve(*, host: str = "127.0.0.1", port: Port = 8000, worker: bool = True, migrate: bool = True) -> None:
    """Run the server: intake, worker, pages and API in one process. Ends cleanly at SIGTERM and Ctrl-C.

    Parameters
    ----------
    host
        Address to listen on; 0.0.0.0 for all.
    port
        TCP port to listen on.
    worker
        Whether this process also reads deliveries and does what is due. Without it, run `unrepeat work` beside it.
    migrate
        Whether to bring the tables up to date first.
    """
    from granian.constants import Interfaces, Loops
    from granian.log import LogLevels
    from granian.server import Server

    from unrepeat.support.config import config
    from unrepeat.terminal._tables import bring_up_to_date
    from unrepeat.web import first_admin

    if (
        "base_url" not in config().model_fields_set
    ):  # links lead to where we listen, unless it is said how people reach us
        os.environ["UNREPEAT_BASE_URL"] = _address(host, port)
        config.cache_clear()
    if migrate:
        bring_up_to_date()
    os.environ["UNREPEAT_WORKER"] = "1" if worker else "0"
    os.environ["UNREPEAT_SERVED"] = "1"
    link = first_admin.link_if_needed()
    if link:
        print(
            f"Nobody administers this server yet. Make the first administrator here, within a day: {link}", flush=True
        )
    print(f"Unrepeat listens on {_address(host, port)}", flush=True)
    connections = config().intake_waiting + 1024  # more than the intake lets wait: it answers 503, not a silent queue
    Server(
        "unrepeat.web.asgi:application",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        loop=Loops.auto,
        websockets=False,
        workers=1,
        backlog=connections,
        backpressure=connections,
        workers_kill_timeout=10,
        log_level=LogLevels.warning,
    ).serve()


def _address(host: str, port: int) -> str:
    """Where a browser on this machine finds the server."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - it only reads what was asked for
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
