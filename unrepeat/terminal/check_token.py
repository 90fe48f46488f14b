"""`unrepeat check-token`: tokens of runners, each for one service's guards and nothing else."""

from __future__ import annotations

import json
from typing import Annotated

from cyclopts import App, Parameter
from rich.table import Table

from unrepeat.terminal._console import console

app = App(name="check-token", help="Make tokens for runners: each reads one service's guards and reports for them.")

AsJson = Annotated[bool, Parameter(name="--json", negative="", help="Print JSON, for programs.")]


@app.command
def add(
    *,
    service: Annotated[str, Parameter(help="The one service that it is good for.")],
    called: Annotated[str, Parameter(name="--for", help="What the token is for.")] = "",
    declares: Annotated[
        bool,
        Parameter(
            negative="", help="It also declares the repository's guards; only for the branch of reviewed changes."
        ),
    ] = False,
    days: Annotated[int | None, Parameter(help="How long it is good; default: until it is revoked.")] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token for the checks of SERVICE; printed once."""
    from unrepeat.prevention import check_tokens
    from unrepeat.terminal._desk import who

    row, secret = check_tokens.add(service, by=who(), name=called, declares=declares, days=days)
    if as_json:
        print(json.dumps({"number": row.pk, "service": row.service, "declares": row.declares, "token": secret}))
        return
    print(f"Check token {row.pk} for {row.service} (shown only now): {secret}")
    print("Give it to the runner as UNREPEAT_TOKEN, beside UNREPEAT_URL.")


@app.command(name="list")
def list_tokens(*, as_json: AsJson = False) -> None:
    """List the tokens of runners; their secrets are not kept."""
    from unrepeat.prevention import store
    from unrepeat.web.api.body import plain
    from unrepeat.web.api.checks import token_plain

    rows = list(store.check_tokens())
    if as_json:
        print(json.dumps([token_plain(row) for row in rows], default=plain, ensure_ascii=False))
        return
    table = Table("number", "service", "for", "declares", "made by", "made (UTC)", "ends (UTC)", "revoked (UTC)")
    for row in rows:
        moments = [f"{at:%Y-%m-%d %H:%M}" if at else "–" for at in (row.made_at, row.expires_at, row.revoked_at)]
        table.add_row(str(row.pk), row.service, row.name, "yes" if row.declares else "no", row.made_by, *moments)
    console().print(table)


@app.command
def revoke(number: int) -> None:
    """End the token NUMBER at once."""
    from unrepeat.prevention import check_tokens

    row = check_tokens.revoke(number)
    print(f"Check token {row.pk} for {row.service} works no more.")
