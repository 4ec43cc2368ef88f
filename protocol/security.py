"""Makes the keys of encrypted endpoints; apart from connection.py because this needs ZeroMQ."""

from __future__ import annotations

from .connection import KEY_LENGTH, CurveKeys
from .errors import ErrorCode, NuriError

__all__ = ["KEY_LENGTH", "CurveKeys", "generate_keys"]


def generate_keys() -> CurveKeys:
    """A fresh key pair. Raises `NuriError` unsupported where ZeroMQ was built without CURVE."""
    import zmq

    if not zmq.has("curve"):
        raise NuriError(
            ErrorCode.unsupported,
            "This build of ZeroMQ has no CURVE encryption, which every TCP endpoint needs",
            "Install pyzmq from PyPI: pip install --force-reinstall pyzmq",
        )
    public, secret = zmq.curve_keypair()
    return CurveKeys(public.decode("ascii"), secret.decode("ascii"))
