"""JSON, parsed once for every dialect that looks at it."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable
from functools import lru_cache
from math import isfinite, nan
from typing import Any

from cascade_plan.traces.numbers import number
from cascade_plan.traces.series import Series, Unit, quoted
from cascade_plan.traces.times import NUMBER, Form, Instants, date_form, number_form


@lru_cache(maxsize=1)
def document(text: str) -> Any:
    """Return what JSON holds, the list of its lines' values where each line is JSON of its own; None for no JSON.

    Raises ValueError with the line where it ceases to be JSON.
    """
    if text.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(text, parse_int=float)
    except RecursionError:
        raise ValueError("it is JSON nested too deeply") from None
    except json.JSONDecodeError as error:
        if error.msg != "Extra data":
            raise ValueError(f"line {error.lineno} is no JSON: {error.msg}") from None
    found = []
    for line, each in enumerate(text.split("\n"), start=1):
        try:
            if each.strip():
                found.append(json.loads(each, parse_int=float))
        except (ValueError, RecursionError):
            raise ValueError(f"line {line} is no JSON") from None
    return found


def series(label: str, pairs: Iterable[tuple[Any, Any]], unit: Unit, place: str, instants: Instants) -> Series:
    """Return a series of (time, amount) pairs as JSON writes them; null is no data.

    `place` is the words for where a pair stands, with {} for its index. Raises ValueError naming it.
    """
    times_s, amounts, places = array("d"), array("d"), array("q")
    for index, (time, amount) in enumerate(pairs):
        try:
            times_s.append(instants.read(text_of(time)))
            amounts.append(_amount(amount))
        except ValueError as error:
            raise ValueError(f"{place.format(index)}: {error}") from None
        places.append(index)
    return Series(label, times_s, amounts, places, unit, place)


def text_of(value: object) -> str:
    """Return a value of JSON as a cell of a table writes it: "" for null, and for what is no text or number."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e20:
        return str(int(value))
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | float) else ""


def _amount(amount: object) -> float:
    if amount is None:
        return nan
    if isinstance(amount, bool | dict | list):
        raise ValueError(f"{quoted(amount)} is no count")
    if isinstance(amount, float) and not isfinite(amount):
        amount = "nan" if amount != amount else "inf"
    return number(str(amount), "")


def instants_of(times: Iterable[Any], name: str) -> Instants:
    """Return a reader of times as these are written: numbers of seconds and their parts, or texts.

    Raises ValueError, in words, where they are neither.
    """
    texts = [text_of(time) for time in times]
    numbers = [text for text in texts if NUMBER.fullmatch(text)]
    form: Form = number_form(numbers, name) if numbers else date_form(texts)
    return Instants(form)
