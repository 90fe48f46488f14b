"""`unrepeat migrate`: brings the database's tables up to date."""

from __future__ import annotations

from cyclopts import App

app = App(
    name="migrate", help="Bring the database's tables up to date. Safe to run at any time, also by several at once."
)


@app.default
def migrate() -> None:
    """Bring the database's tables up to date. Safe to run at any time, also by several at once."""
    from unrepeat.terminal._tables import bring_up_to_date

    done = bring_up_to_date()
    print(f"{done} migrations done." if done else "The tables are up to date.")
