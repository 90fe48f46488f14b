"""Run the session service: `python -m lab.sessions --release 2.0 --port 8001 --metrics-port 8002 --data DIR`."""

from __future__ import annotations

import argparse
from pathlib import Path

import uvicorn

from lab.sessions.service import SessionService


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m lab.sessions", description="The session-management service.")
    parser.add_argument("--release", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--metrics-port", type=int, required=True)
    parser.add_argument("--data", type=Path, required=True, help="folder of the checkpoint")
    options = parser.parse_args()
    options.data.mkdir(parents=True, exist_ok=True)
    service = SessionService(options.release, options.data / "sessions.jsonl.gz")
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
