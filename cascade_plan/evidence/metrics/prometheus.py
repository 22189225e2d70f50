"""Prometheus's saved answers to range queries; also Thanos's, Mimir's and VictoriaMetrics's, and promtool's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from cascade_plan.errors import UsageError
from cascade_plan.evidence.matrix import ASKED, matrix
from cascade_plan.evidence.texts import Text
from cascade_plan.evidence.windows import joined
from cascade_plan.model.observation import Measure, Metrics

READS: str = "Prometheus's answers to query_range (JSON)"
OPENING: Final = re.compile(
    r'[\[\s]*\{\s*"(?:resultType"\s*:|status"\s*:\s*"(?:success|error)"|metric"\s*:\s*\{|(?:data|warnings|infos)")'
)
"""How such an answer begins."""
SPACE: Final = re.compile(r"[\s,]*")


def claims(file: Text) -> bool:
    """Return whether a file begins as an answer of Prometheus does, or is one by the keys it has."""
    found = file.document
    keys = {*found} if isinstance(found, dict) else set()
    return OPENING.match(file.opening) is not None or {"resultType", "result"} <= keys


def read(file: Text, said: Measure) -> Metrics:
    """Return the series of all answers in a file: one, a list of them, or one after the other.

    Raises UsageError for what is no JSON or no such answer, with the place in it.
    """
    answers = [*_answers(file)]
    found = joined([matrix(answer, file.name, said) for answer in answers])
    missing = [str(answer[ASKED]) for answer in answers if ASKED in answer and not _results(answer)]
    if not missing:
        return found
    return replace(found, remarks=(*found.remarks, f"{file.name}: Prometheus found no series of {', '.join(missing)}"))


def _results(answer: Any) -> Any:
    return answer.get("data", answer).get("result")


def _answers(file: Text) -> Iterator[Any]:
    """Yield what a file holds, answer by answer."""
    decoder, text = json.JSONDecoder(), file.text.lstrip("\ufeff")
    at = SPACE.match(text).end()  # type: ignore[union-attr]
    while at < len(text):
        try:
            found, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            where = f"{file.name}:{error.lineno}:{error.colno}"
            raise UsageError(f"{where}: no JSON: {error.msg}: is the file cut short?") from None
        except (ValueError, RecursionError):
            raise UsageError(f"{file.name}: no JSON that is read: nested too deep, or a number too long") from None
        if isinstance(found, list) and found and all(isinstance(each, dict) and "metric" in each for each in found):
            yield {"resultType": "matrix", "result": found}
        elif isinstance(found, list):
            yield from found
        else:
            yield found
        at = SPACE.match(text, at).end()  # type: ignore[union-attr]
