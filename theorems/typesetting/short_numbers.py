"""Numbers in few digits, with typographic signs."""

from __future__ import annotations

import math

__all__ = ["number"]

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: object) -> str:
    """A number in four digits, with typographic signs; a dash for none.

    >>> number(8.1321e-5), number(-0.5), number(None)
    ('8.132·10⁻⁵', '−0.5', '–')
    """
    if value is None:
        return "–"
    if isinstance(value, float) and math.isfinite(value) and not value.is_integer():
        text = f"{value:.4g}"
    elif isinstance(value, float) and math.isfinite(value) and abs(value) < 1e15:
        text = str(int(value))
    else:
        text = {"inf": "∞", "-inf": "-∞", "nan": "not a number"}.get(str(value), str(value))
    mantissa, mark, exponent = text.partition("e")
    if mark and exponent.lstrip("+-").isdigit():
        power = "10" + str(int(exponent)).translate(_SUPERSCRIPTS)
        text = power if mantissa == "1" else f"{mantissa}·{power}"
    return text.replace("-", "−")
