"""Run the session service: `python -m lab.sessions --release 2.0 --port 8001 --metrics-port 8002 --data DIR`.

Without `--release` it is the release that the file `RELEASE` names, as in a checkout of the service's repository; without
`--metrics-port` nothing is scraped; without `--data` the checkpoint is kept in a folder that goes when the service does.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import uvicorn

from lab.sessions.service import SessionService


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m lab.sessions", description="The session-management service.")
    parser.add_argument("--release", help="default: what the file RELEASE says")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--metrics-port", type=int)
    parser.add_argument("--data", type=Path, help="folder of the checkpoint")
    options = parser.parse_args()
    release = options.release or Path("RELEASE").read_text().strip()
    with tempfile.TemporaryDirectory(prefix="sessions-") as scratch:
        data = options.data or Path(scratch)
        data.mkdir(parents=True, exist_ok=True)
        service = SessionService(release, data / "sessions.jsonl.gz")
        if options.metrics_port:
            service.metrics.serve(options.metrics_port)
        uvicorn.run(
            service.app(),
            host="127.0.0.1",
            port=options.port,
            loop="asyncio",
            http="h11",
            log_level="warning",
            timeout_graceful_shutdown=2,
        )


if __name__ == "__main__":
    main()
