"""What a load test measured, from the files it left."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from types import ModuleType

from cascade_plan import registry
from cascade_plan.errors import UsageError
from cascade_plan.evidence.texts import Beside, Text
from cascade_plan.evidence.unread import recognised
from cascade_plan.model.measurement import Measurement

Listed = Callable[[str], Sequence[str] | None]


def measured(results: str, load: str | None, text: Beside, listed: Listed) -> Mapping[str, Measurement]:
    """Return the measurements in a file, in files with this prefix, or in a directory, by the load they are of.

    What kind of results a file holds is told by what stands in it; by its name only where nothing does. A load's name
    is "" where the results do not tell it. `text` returns a file, `listed` the names in a directory; None where there
    is none. In a directory of several runs the one named as the load is meant.
    Raises UsageError when there are no results, those of several runs, or none that a reader takes: it then says what
    the file is, if that is known, and what is read.
    """
    readers = [registry.load("evidence/readers", name) for name in registry.names("evidence/readers")]
    file = _file(results, load, readers, text, listed)
    reader = _reader(file, readers)
    if reader is None:
        raise UsageError(_refusal(file, readers))
    found: Mapping[str, Measurement] = reader.read(file, text)
    return found


def _reader(file: Text, readers: Sequence[ModuleType]) -> ModuleType | None:
    """Return the reader that takes a file: by its content, or by its name where it is empty."""
    claiming = next((reader for reader in readers if reader.claims(file)), None)
    if claiming is not None or file.header:
        return claiming
    return next((reader for reader in readers if reader.COMPANIONS and _is_named(file.name, reader)), None)


def _is_named(name: str, reader: ModuleType) -> bool:
    return name.endswith(reader.COMPANIONS) or any(fnmatchcase(name, pattern) for pattern in reader.FILES)


def _refusal(file: Text, readers: Sequence[ModuleType]) -> str:
    """Return what a file that no reader takes is, so far as that is known, and what is read."""
    reads = f"verify reads {_read(readers)}"
    if (known := recognised(file)) is not None:
        instead = f": {known.instead}" if known.instead else ""
        return f"{file.name}: this is {known.what}{instead}; {reads}"
    if file.opening.lstrip().startswith(("{", "[")) and file.document is None:
        try:
            json.loads(file.text)
        except json.JSONDecodeError as error:
            return f"{file.name}:{error.lineno}:{error.colno}: no JSON: {error.msg}: is the file cut short? {reads}"
        except (ValueError, RecursionError):
            return f"{file.name}: no JSON that is read: nested too deep, or a number too long; {reads}"
    what = "the file is empty" if not file.opening.strip() else "not the results of a load test that are read"
    return f"{file.name}: {what}; {reads}"


def _read(readers: Sequence[ModuleType]) -> str:
    return f"{', '.join(reader.READS for reader in readers)}, or a directory of one of them"


def _file(results: str, load: str | None, readers: Sequence[ModuleType], text: Beside, listed: Listed) -> Text:
    patterns = list(dict.fromkeys(pattern for reader in readers for pattern in reader.FILES))
    names = listed(results)
    if names is None:
        given = (results, *(pattern.replace("*", results) for pattern in patterns))
        file = next((file for file in map(text, given) if file is not None), None)
        if file is None:
            raise UsageError(f"no results at {results!r}: give {_read(readers)}")
        return file
    companions = tuple(ending for reader in readers for ending in reader.COMPANIONS)
    found = [
        name
        for name in names
        if not name.endswith(companions) and any(fnmatchcase(name, pattern) for pattern in patterns)
    ]
    if len(found) > 1:  # the metrics of the run may stand beside its results
        found = [name for name in found if not _is_metrics(text(f"{results.rstrip('/')}/{name}"), readers)]
    named = [name for name in found if load is not None and name in (each.replace("*", load) for each in patterns)]
    if len(named or found) == 1 and (file := text(f"{results.rstrip('/')}/{(named or found)[0]}")) is not None:
        return file
    held = ", ".join(found) or f"no {' and no '.join(patterns)}"
    raise UsageError(f"{results} holds {held}: name one")


def _is_metrics(file: Text | None, readers: Sequence[ModuleType]) -> bool:
    """Return whether a file is what monitoring left, and no results."""
    if file is None or _reader(file, readers) is not None:
        return False
    return any(registry.load("evidence/metrics", name).claims(file) for name in registry.names("evidence/metrics"))
