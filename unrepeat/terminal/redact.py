"""`unrepeat redact`: the one audited way to take a secret or personal data out of a log."""

from __future__ import annotations

from typing import Annotated

from cyclopts import App, Parameter

app = App(name="redact", help="Blank the words of a log's entry for ever; who did it, when and why is kept.")


@app.default
def redact(
    incident: int,
    seq: int,
    *,
    reason: Annotated[str, Parameter(help="Why; it is kept and shown, so do not repeat the secret here.")],
    by: Annotated[str, Parameter(help="Who does it; default: the person signed in to this machine.")] = "",
) -> None:
    """Blank the words of entry SEQ of INCIDENT for ever; who did it, when and why is kept.

    The entry stays in its place with its time, its author, its numbers, and the kind it had. The body that an alert came
    in stands in the deliveries, and in the alert itself: this command says which.
    """
    import getpass

    from unrepeat.incidents import commands, queries

    delivered = queries.delivery_behind(incident, seq)
    commands.redact(incident, seq, by=by or getpass.getuser(), reason=reason)
    print(f"Entry {seq} of incident {incident} is blanked.")
    if delivered is not None:
        print(f"Its words also stand in delivery {delivered}, in which they came: blank that too if they must go.")
