"""Phone numbers, e-mail addresses and WhatsApp's message ids, as they stand in text."""

from __future__ import annotations

import base64
import re
from binascii import Error as NotBase64
from collections.abc import Iterator

WESTERN = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")
EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
USER_ID = re.compile(r"\b[A-Z]{2}\.[A-Za-z0-9]{6,}")
WAMID = re.compile(r"wamid\.[A-Za-z0-9+/=_-]+")
GROUP = re.compile(r"\d+")
LONG_ENOUGH = re.compile(r"\d(?:[\s().+\-\u2010-\u2015\u200e\u200f\u202a-\u202c\u2066-\u2069/]{0,3}\d){6}")
BETWEEN = re.compile(r"[\s().+\-\u2010-\u2015\u200e\u200f\u202a-\u202c\u2066-\u2069/]{1,3}")
MOST_GROUPS = 8
SHORTEST, LONGEST = 7, 17  # digits: a national number, or 00 and fifteen


def digits_of(text: str) -> str:
    """Only the digits, western; an international prefix of two zeros is left out.

    >>> digits_of("+966 50 000-0101"), digits_of("00966500000101")
    ('966500000101', '966500000101')
    """
    found = re.sub(r"\D", "", text.translate(WESTERN))
    return found[2:] if found.startswith("00") else found


def phones_in(text: str) -> Iterator[tuple[int, int, str]]:
    """Whatever may be a phone number: (start, end, its digits as written, western), longer ones first.

    Numbers may be cut by spaces, dashes, dots, slashes and brackets; so one run of digits stands in several of them.
    """
    if len(text) < SHORTEST or not LONG_ENOUGH.search(text):  # most texts; any script's digits are digits
        return
    western = text.translate(WESTERN)
    groups = list(GROUP.finditer(western))
    for first, begin in enumerate(groups):
        found, last_end, options = "", begin.start(), []
        for group in groups[first : first + MOST_GROUPS]:
            if found and not BETWEEN.fullmatch(western, last_end, group.start()):
                break
            found, last_end = found + group.group(), group.end()
            if len(found) > LONGEST:
                break
            if len(found) >= SHORTEST:
                options.append((begin.start(), last_end, found))
        yield from reversed(options)


def inside_wamid(wamid: str) -> list[str]:
    """The runs of digits that a WhatsApp message id holds in base64: the number it was sent to or by is one of them."""
    told = wamid.removeprefix("wamid.").translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        raw = base64.b64decode(told + "=" * (-len(told) % 4))
    except (NotBase64, ValueError):
        return []
    return [run.decode() for run in re.findall(rb"\d{7,15}", raw)]


def filler(text: str) -> str:
    """As long as the text, and empty of meaning: lengths of messages are figures."""
    return "x" * len(text)
