"""What Nuri tells the artist: one line, the remedy, and where possible buttons that do it."""

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
    """What a button of a notice does."""

    new_hint_layer = "New hint layer"
    let_nuri_choose = "Let Nuri choose colours"
    install = "How to install…"
    open_log = "Open log"
    add_kept = "Add them now"


class OfferError(NuriError):
    """A `NuriError` whose remedies are buttons."""

    def __init__(self, code: ErrorCode, message: str, action: str, *offers: Offer) -> None:
        super().__init__(code, message, action)
        self.offers = offers


@dataclass(frozen=True)
class Notice:
    """One message for the docker; ``offers``: its buttons; ``detail`` is for its tooltip."""

    kind: Kind
    message: str
    remedy: str = ""
    offers: tuple[Offer, ...] = ()
    detail: str = ""

    @classmethod
    def of(cls, error: NuriError) -> Notice:
        info = error.info
        if error.code in (ErrorCode.cancelled, ErrorCode.superseded):
            return cls(Kind.advice, info.message)
        log = (Offer.open_log,) if error.code in _LOGGED else ()
        offers: tuple[Offer, ...] = getattr(error, "offers", log)
        kind = Kind.advice if Offer.new_hint_layer in offers else Kind.error
        return cls(kind, info.message, info.action, offers, info.detail)


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
