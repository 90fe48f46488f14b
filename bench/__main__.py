"""`python -m bench NAME [options]`: runs one benchmark. Each prints a table and ends with lines `FIGURE name=value ...`."""

from __future__ import annotations

import importlib
import pkgutil
import sys

import bench


def main(argv: list[str]) -> int:
    """Run the benchmark that is named first; the rest are its own options."""
    names = sorted(m.name for m in pkgutil.iter_modules(bench.__path__) if not m.name.startswith("_"))
    if not argv or argv[0] not in names:
        print("usage: python -m bench NAME\n\nBenchmarks:")
        for name in names:
            said = importlib.import_module(f"bench.{name}").__doc__ or ""
            print(f"  {name:16} {said.strip().splitlines()[0] if said.strip() else ''}")
        return 2
    return int(importlib.import_module(f"bench.{argv[0]}").main(argv[1:]) or 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
