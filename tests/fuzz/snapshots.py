"""Snapshots with a right checksum and wrong content: refused without a change, or legal games that play on."""

from __future__ import annotations

import struct
from random import Random

from fuzz.games import BATCHES, subject

__all__ = ["call", "sealed"]

_HEADER = 56  # bytes; the last eight are the checksum


def call(draw: Random) -> None:
    """Changes a few bytes of a snapshot behind its header, seals it and restores it."""
    batch = subject(draw.choice(list(BATCHES)))
    batch.again()
    before = batch.env.snapshot()
    forged = bytearray(before)
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        place = draw.randrange(_HEADER, len(forged))
        forged[place] = draw.choice(
            (0, 1, 2, 127, 128, 255, forged[place] ^ 1 << draw.randrange(8), draw.randrange(256))
        )
    try:
        batch.env.restore(sealed(bytes(forged)))
    except ValueError as error:
        assert "snapshot" in str(error) and ": expected" in str(error), str(error)
        assert batch.env.snapshot() == before, f"a refusal changed the games: {error}"
        return
    batch.check()


def sealed(snapshot: bytes) -> bytes:
    """The same bytes with the checksum (FNV-1a) that they should have."""
    value = 0xCBF29CE484222325
    for byte in snapshot[: _HEADER - 8] + bytes(8) + snapshot[_HEADER:]:
        value = (value ^ byte) * 0x100000001B3 & 2**64 - 1
    return snapshot[: _HEADER - 8] + struct.pack("<Q", value) + snapshot[_HEADER:]
