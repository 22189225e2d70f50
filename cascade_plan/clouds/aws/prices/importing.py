"""Rebuild the bundled price books and the catalogue from a directory of collected CSV files.

The CSV files say where each figure was found; `collected` says what of them a book can use, `merging` which of several
rows it holds, `gaps` what it lacks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from cascade_plan.clouds.aws.prices.collected import FILES, PRICES, REGIONS, Found, found
from cascade_plan.clouds.aws.prices.gaps import gaps_of
from cascade_plan.clouds.aws.prices.merging import cheaper_than_on_demand, merged
from cascade_plan.clouds.aws.prices.shapes import FIRST_LINE, instance_types, render_catalogue
from cascade_plan.errors import UsageError
from cascade_plan.files.disk import write_atomically
from cascade_plan.model.price import PriceKey, Row
from cascade_plan.prices import writing


def rebuild(directory: Path, instance_types_file: Path) -> dict[str, str]:
    """Return file name -> text of every bundled book and of the catalogue, for `pricing/aws/`.

    `directory` holds the CSV files named in FILES; `instance_types_file` holds what EC2
    DescribeInstanceTypes answers, as JSON.

    Raises UsageError for a file that cannot be read, PriceError for a row that is no price or files that disagree.
    """
    rows = cheaper_than_on_demand(list(found(directory)))
    prices = {region: merged(row for row in rows if row.region == region) for region in REGIONS}
    everywhere = {key for known in prices.values() for key in known}
    fingerprints = [_fingerprint(directory / name) for name in FILES]
    origin = writing.listed("generated_from", fingerprints, 0)
    texts = {
        f"{region}.yaml": writing.render_book(
            PRICES, region, _cells(known), FIRST_LINE, origin, gaps_of(region, known, everywhere)
        )
        for region, known in prices.items()
    }
    kept = [row for known in prices.values() for row in known.values()]
    types, fingerprint = instance_types(instance_types_file), _fingerprint(instance_types_file)
    return {**texts, "shapes.yaml": render_catalogue(kept, types, fingerprint, [*fingerprints, fingerprint])}


def write(texts: Mapping[str, str], destination: Path) -> list[Path]:
    """Write rebuilt files atomically into a directory and return their paths. Raises UsageError when it cannot."""
    paths = [destination / name for name in sorted(texts)]
    for path in paths:
        write_atomically(path, texts[path.name])
    return paths


def _cells(rows: Mapping[PriceKey, Found]) -> dict[PriceKey, Row]:
    return {
        key: (row.unit, row.usd, row.upfront_usd, row.as_of, row.source, "", row.confirmed_by, row.note, "bundled")
        for key, row in rows.items()
    }


def _fingerprint(path: Path) -> str:
    """Return a file's name and the start of its SHA-256, to tell later what a book was made of."""
    try:
        return f"{path.name} sha256:{hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error}") from None
