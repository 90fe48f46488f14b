"""Run one shop worker: `python -m lab.shop --port 8011 --metrics-port 8012 --sessions FILE --page-size 45`.

The database is named by DATABASE_URL.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

import uvicorn

from lab.shop.app import Shop
from lab.shop.database import Database
from lab.shop.metrics import ShopMetrics
from lab.shop.session_client import SessionClient


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m lab.shop", description="One worker of the shop.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--metrics-port", type=int, required=True)
    parser.add_argument("--sessions", type=Path, required=True, help="file that holds the session service's address")
    parser.add_argument("--page-size", type=int, required=True, help="products on a page")
    options = parser.parse_args()
    metrics = ShopMetrics()
    metrics.serve(options.metrics_port)
    shop = Shop(
        Database(os.environ["DATABASE_URL"]), SessionClient(options.sessions, metrics), metrics, options.page_size
    )
    uvicorn.run(
        shop.app(),
        host="127.0.0.1",
        port=options.port,
        loop="asyncio",
        http="h11",
        log_level="warning",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
