"""What a load test measured, from the files it left."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from types import ModuleType

from cascade_plan import registry
from cascade_plan.errors import UsageError
from cascade_plan.evidence.texts import Beside, Text
from cascade_plan.model.measurement import Measurement


def measured(
    results: str, load: str | None, text: Beside, listed: Callable[[str], Sequence[str] | None]
) -> Mapping[str, Measurement]:
    """Return the measurements in a file, in files with this prefix, or in a directory, by the load they are of.

    A load's name is "" where the results do not tell it. `text` returns a file's text, `listed` the names in a
    directory; None where there is none. In a directory of several runs the one named as the load is meant.
    Raises UsageError when there are no results, those of several runs, or none that a reader claims.
    """
    readers = [registry.load("evidence/readers", name) for name in registry.names("evidence/readers")]
    file = _file(results, load, readers, text, listed)
    for reader in readers:
        if reader.claims(file):
            found: Mapping[str, Measurement] = reader.read(file, text)
            return found
    raise UsageError(f"{file.name}: no results that are read: give {_read(readers)}")


def _read(readers: Sequence[ModuleType]) -> str:
    return f"{', '.join(reader.READS for reader in readers)}, or a directory of one of them"


def _file(
    results: str,
    load: str | None,
    readers: Sequence[ModuleType],
    text: Beside,
    listed: Callable[[str], Sequence[str] | None],
) -> Text:
    patterns = [reader.FILES for reader in readers]
    names = listed(results)
    if names is None:
        given = (results, *(pattern.replace("*", results) for pattern in patterns))
        file = next((file for file in map(text, given) if file is not None), None)
        if file is None:
            raise UsageError(f"no results at {results!r}: give {_read(readers)}")
        return file
    found = [name for name in names if any(fnmatchcase(name, pattern) for pattern in patterns)]
    named = [name for name in found if load is not None and name in (each.replace("*", load) for each in patterns)]
    if len(named or found) == 1 and (file := text(f"{results.rstrip('/')}/{(named or found)[0]}")) is not None:
        return file
    held = ", ".join(found) or f"no {' and no '.join(patterns)}"
    raise UsageError(f"{results} holds {held}: name one")
