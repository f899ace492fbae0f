"""Bends sound bytes: the steps a search for undeclared errors takes, from any source of chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Draw = Callable[[int], int]
"""Gives a number from 0 up to, and without, its argument."""

TOKENS = (
    *(
        b"\x00",
        b"\xff",
        b"\x80",
        b"\xc3\xa9",
        b"\xed\xa0\x80",
        b'"',
        b"{",
        b"[",
        b"]",
        b"}",
        b",",
        b":",
        b"\\u0000",
    ),
    *(
        b"-1",
        b"0",
        b"1e999",
        b"NaN",
        b"null",
        b"true",
        b"9" * 30,
        b"9" * 5_000,
        b"1e" + b"9" * 25,
        b"-0",
        b"1_0",
        b"0.5",
        b'""',
    ),
    *(b"\\ud800", b"\r\n", b"\x1b[2J", b"\xe2\x80\xae", b"[red]", b"=", b"\n"),
    *(b"\xff\xff\xff\xff", b"\x7f\xf8" + bytes(6), b"\xdd\xff\xff\xff\xff", b"\xc1", b"\x80\x80\x80\x80\x10"),
)


def bend(sound: bytes, others: Sequence[bytes], draw: Draw) -> bytes:
    """Change a few places of `sound`: bits, tokens, lengths, pieces of itself and of `others`."""
    data = bytearray(sound)
    for _ in range(1 + draw(4)):
        at = draw(len(data) + 1)
        match draw(7):
            case 0 if data:
                data[at % len(data)] ^= 1 << draw(8)
            case 1 if data:
                data[at % len(data)] = draw(256)
            case 2:
                data[at:at] = TOKENS[draw(len(TOKENS))]
            case 3:
                data[at : at + 1 + draw(8)] = TOKENS[draw(len(TOKENS))]
            case 4:
                del data[at : at + 1 + draw(1 + len(data) // 4)]
            case 5:
                other = others[draw(len(others))]
                start = draw(len(other) + 1)
                data[at:at] = other[start : start + 1 + draw(40)]
            case _:
                del data[at:]
    return bytes(data)
