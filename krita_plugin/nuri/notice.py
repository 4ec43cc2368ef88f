"""What Nuri tells the artist: one line, the remedy, and where possible a button that does it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from protocol.errors import ErrorCode, NuriError


class Kind(Enum):
    """How a notice is shown."""

    done = "done"
    advice = "advice"
    error = "error"


class Offer(Enum):
    """What the button of a notice does."""

    none = ""
    new_hint_layer = "New hint layer"
    install = "How to install…"
    open_log = "Open log"
    add_kept = "Add them now"
    next_doubtful = "Show the next one"


class OfferError(NuriError):
    """A `NuriError` whose remedy is a button."""

    def __init__(self, code: ErrorCode, message: str, action: str, offer: Offer) -> None:
        super().__init__(code, message, action)
        self.offer = offer


@dataclass(frozen=True)
class Notice:
    """One message for the docker; ``detail`` is for its tooltip.

    ``times``: of the frames that it is about, for `Offer.next_doubtful`.
    """

    kind: Kind
    message: str
    remedy: str = ""
    offer: Offer = Offer.none
    detail: str = ""
    times: tuple[int, ...] = ()

    @classmethod
    def of(cls, error: NuriError) -> Notice:
        info = error.info
        if error.code in (ErrorCode.cancelled, ErrorCode.superseded):
            return cls(Kind.advice, info.message)
        offer = getattr(error, "offer", Offer.none)
        if offer is Offer.none and error.code in _LOGGED:
            offer = Offer.open_log
        kind = Kind.advice if offer is Offer.new_hint_layer else Kind.error
        return cls(kind, info.message, info.action, offer, info.detail)


# Failures of the backend itself: its log says more than the one line.
_LOGGED = (
    ErrorCode.internal,
    ErrorCode.malformed,
    ErrorCode.unreachable,
    ErrorCode.worker_died,
    ErrorCode.no_memory,
    ErrorCode.disk_full,
    ErrorCode.deadline,
)
