"""How long the server works on the pages of prevention with 10,000 guards of 1,000 runs each, and whether the patrol keeps up.

Server time: middleware, view, queries and template, in process, as an administrator who is signed in, on SQLite and PostgreSQL;
the FIGURE lines tell the slower one's median; beside it stands what this process worked for (cpu), which other work on the machine
does not lengthen. The patrol is the real worker on the same database, with all guards on a real kind (http_check of a service on this
machine). With `--home DIR` the databases are kept there (10 GB each) and not filled again.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from bench._prevention_databases import Database, databases

LIMIT = 100  # milliseconds
OPTIONS = {"guards": 10_000, "runs": 1_000, "incidents": 10_000, "reports": 1_000, "seconds": 60, "times": 15}
FIGURES = (("guards_board_ms", "measures board"), ("guards_list_ms", "guards"), ("guard_page_ms", "guard"),
           ("guards_matrix_ms", "coverage"), ("insights_ms", "insights"))  # fmt: skip
Results = dict[str, dict[str, Any]]


def main(argv: list[str]) -> int:
    """`python -m bench prevention [--guards N] [--runs N] [--incidents N] [--reports N] [--seconds N] [--times N]
    [--sqlite | --postgresql] [--home DIR] [--fill]`; `--fill` only fills.
    """  # fmt: skip
    options = {name: _option(argv, name, value) for name, value in OPTIONS.items()}
    home = Path(argv[argv.index("--home") + 1]).resolve() if "--home" in argv else None
    chosen = [name for name in ("sqlite", "postgresql") if f"--{name}" in argv] or ["sqlite", "postgresql"]
    results: Results = {}
    for database in databases(home, chosen):
        filled = _filled(database, options)
        if "--fill" not in argv:
            results[database.name] = filled | _measured(database, options, filled["port"])
    if results:
        _tell(results, options)
    return 0


def _option(argv: list[str], name: str, default: int) -> int:
    return int(argv[argv.index(f"--{name}") + 1]) if f"--{name}" in argv else default


def _filled(database: Database, options: dict[str, int]) -> dict[str, Any]:
    """What filling came to, now or before."""
    from tests.support.postgres import free_port

    kept = database.home / "filled.json"
    if not kept.exists():
        print(f"{database.name}: filling ...", flush=True)
        sizes = [str(options[name]) for name in ("guards", "runs", "incidents", "reports")]
        kept.write_text(database.run("bench._prevention_fill", [*sizes, str(free_port())]))
    found: dict[str, Any] = json.loads(kept.read_text())
    print(
        f"{database.name}: {found['runs']:,} runs, {found['bytes'] / 1e9:.1f} GB, filled in {found['seconds']:.0f} s",
        flush=True,
    )
    return found


def _measured(database: Database, options: dict[str, int], port: int) -> dict[str, Any]:
    print(f"{database.name}: measuring ...", flush=True)
    said = database.run("bench._prevention_pages", [str(options["times"]), str(options["seconds"]), str(port)])
    answer: dict[str, Any] = json.loads(said.splitlines()[-1])
    return answer


def _tell(results: Results, options: dict[str, int]) -> None:
    first = next(iter(results.values()))
    print(f"\n{options['guards']:,} guards with {options['runs']:,} runs each\n")
    print(f"{'page':24}" + "".join(f"{name:>36}" for name in results))
    for page in first["pages"]:
        print(f"{page:24}" + "".join(_cell(result["pages"][page]) for result in results.values()))
    print()
    for name, result in results.items():
        for part, one in result.get("patrol", {}).items():
            print(f"patrol on {name}, {part}: {_patrolled(one)}")
    print()
    for figure, page in FIGURES:
        print(
            f"FIGURE {figure}={max(r['pages'][page]['median'] for r in results.values()):.1f} unit=ms against={LIMIT}"
        )
    if "patrol" not in first:
        return
    own, minute, most = ([r["patrol"][part] for r in results.values()] for part in first["patrol"])
    print(f"FIGURE prevention_lateness_p50_s={max(one['p50'] for one in own):.2f} unit=s")
    print(f"FIGURE prevention_lateness_p99_s={max(one['p99'] for one in own):.2f} unit=s")
    print(f"FIGURE prevention_lateness_each_minute_p99_s={max(one['p99'] for one in minute):.2f} unit=s")
    print(
        f"FIGURE prevention_runs_per_s={min(one['rate'] for one in minute):.1f} unit=1/s against={minute[0]['needed']:.1f}"
    )
    print(f"FIGURE prevention_most_runs_per_s={min(one['rate'] for one in most):.1f} unit=1/s")


def _cell(timed: dict[str, float]) -> str:
    return f"{timed['median']:8.1f} ms, p95 {timed['p95']:6.1f} (cpu {timed['cpu']:5.1f})"


def _patrolled(one: dict[str, Any]) -> str:
    needed = f" (needed {one['needed']:.1f}/s)" if one["needed"] else ""
    return (
        f"{one['runs']:,} runs in {one['seconds']:.0f} s = {one['rate']:.1f}/s{needed}, they began {one['p50']:.2f} s (median) and "
        f"{one['p99']:.2f} s (p99) after they were due; {one['waiting']:,} were due at the end; {one['cpu']:.0%} of a core; {one['colours']}"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
