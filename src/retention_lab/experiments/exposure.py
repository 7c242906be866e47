"""What customers are never compared by: what happened to them after the assignment."""

from __future__ import annotations

from retention_lab.checks import BadParameter

EXPOSURES = {
    *("sent", "delivered", "opened", "clicked", "converted", "unsubscribed", "received", "read"),
    *("contacted", "messaged", "reached", "exposed", "answered"),
}


def refuse_exposure(name: str) -> None:
    """Refuse to compare customers by what happened to them after the assignment.

    Parameters
    ----------
    name
        The column to compare by, such as `arm` or `delivered_at`.

    Raises
    ------
    BadParameter
        If it is an exposure.

    References
    ----------
    Suissa (2008), American Journal of Epidemiology 167, 492-499: immortal time.
    """
    if name.lower().removesuffix("_at") in EXPOSURES:
        raise BadParameter(
            f"Customers are not compared by {name!r}: whoever left early never got so far, so a "
            "message without any effect would seem to keep customers (immortal time). Compare the "
            "arms as assigned; what a message does to those whom it reaches is told from that "
            "and from the share reached."
        )
