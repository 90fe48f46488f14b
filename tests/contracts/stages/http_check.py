"""A real web server a side, which gives out the files of red/ and of green/; the door is opened for this machine meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest import mock

from unrepeat.prevention.kind import Target, Tools
from unrepeat.support import http
from unrepeat.support.config import Config


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def staged(sample: Path, tools: Tools) -> Iterator[tuple[dict[str, Target], Tools]]:
    """Both sides are served at once; `{version}` in the sample's address is where."""
    with ExitStack() as stack:
        stack.enter_context(mock.patch.object(http, "config", return_value=Config(private_addresses=["127.0.0.0/8"])))
        targets = {side: _served(stack, sample / side) for side in ("red", "green")}
        yield targets, tools


def _served(stack: ExitStack, folder: Path) -> Target:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    stack.callback(server.server_close)
    stack.callback(server.shutdown)
    where = f"127.0.0.1:{server.server_port}"
    return Target("version", where, ref=where, variables={"version": where})
