"""What JMeter measured, from its JTL in XML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from xml.parsers import expat

from cascade_plan.errors import UsageError
from cascade_plan.evidence.readers._jmeter import TRUTHS, Results, measured
from cascade_plan.evidence.texts import Beside, Text, number, quoted, whole
from cascade_plan.model.measurement import Measurement

READS: str = "JMeter's JTL in XML"
FILES: tuple[str, ...] = ("*.xml",)
COMPANIONS: tuple[str, ...] = ()
ROOT: Final = "testResults"
SAMPLES: Final = ("httpSample", "sample")


def claims(file: Text) -> bool:
    """Return whether a file begins as a JTL in XML does."""
    return file.opening.lstrip().startswith("<") and f"<{ROOT}" in file.opening


def read(file: Text, beside: Beside) -> Mapping[str, Measurement]:
    """Return what JMeter measured, under "". Raises UsageError for what is no XML, and for a run without requests.

    A sample's own samples (a page's files, a redirect's steps) are in its time and no requests of their own, as in CSV.
    The file is read piece by piece; a document type is refused, so that nothing in it can grow.
    """
    found, parser = Results(), expat.ParserCreate("UTF-8")
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth == 2 and name in SAMPLES:
            _add(f"{file.name}:{parser.CurrentLineNumber}", attributes, found)

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def refuse(*_: Any) -> None:
        raise UsageError(f"{file.name}:{parser.CurrentLineNumber}: a document type: JMeter writes none")

    parser.StartElementHandler, parser.EndElementHandler, parser.StartDoctypeDeclHandler = start, end, refuse
    try:
        for _, line in file.lines():
            parser.Parse(line)
        parser.Parse("", True)
    except expat.ExpatError as error:
        raise UsageError(f"{file.name}:{error.lineno}: no XML: {expat.errors.messages[error.code]}") from None
    return {"": measured(file, "XML", found)}


def _add(where: str, attributes: Mapping[str, str], found: Results) -> None:
    for name in ("t", "ts", "s"):
        if name not in attributes:
            raise UsageError(f"{where}: a sample without {name}: have JMeter save time, time stamp and success")
    if (is_success := TRUTHS.get(attributes["s"].lower())) is None:
        raise UsageError(f"{where}: s must be true or false, not {quoted(attributes['s'])}")
    found.add(
        attributes.get("lb", ""),
        attributes.get("rm", ""),
        number(where, "ts", attributes["ts"]),
        number(where, "t", attributes["t"]),
        is_success,
        whole(where, "na", attributes["na"]) if "na" in attributes else -1,
    )
