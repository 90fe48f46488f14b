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
    with_delivery: Annotated[
        bool,
        Parameter(
            negative="", help="Also blank the delivery that the alert or change came in, and the alert or change."
        ),
    ] = False,
) -> None:
    """Blank the words of entry SEQ of INCIDENT for ever; who did it, when and why is kept.

    The entry stays in its place with its time, its author, its numbers, and the kind it had. What an alert or a change said
    stands in the delivery that brought it too; this command says in which, or blanks it along.
    """
    import getpass

    from django.db import transaction

    from unrepeat.arrivals import commands as arrivals
    from unrepeat.incidents import commands, queries

    by = by or getpass.getuser()
    delivery, alike = queries.delivery_behind(incident, seq), queries.saying_the_same(incident, seq)
    with transaction.atomic():
        commands.redact(incident, seq, by=by, reason=reason)
        if with_delivery and delivery is not None:
            arrivals.blank(delivery, by=by, reason=reason)
    print(f"Entry {seq} of incident {incident} is blanked.")
    if alike:
        print(f"The same words stand in its entries {', '.join(map(str, alike))}: look at those too.")
    if delivery is None:
        return
    if with_delivery:
        print(
            f"So is delivery {delivery}, which brought it. Senders repeat themselves: look for others with `unrepeat delivery list`."
        )
    else:
        print(f"Its words still stand in delivery {delivery}, which brought it; --with-delivery blanks that as well.")
