"""What stays in memory, against a simulated cache, a published benchmark's order of magnitude, and laws."""

from __future__ import annotations

from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas.working_set import accesses_to_hottest, hit_ratio
from cascade_plan.tiers.database.work import pages_gib

HOT = st.floats(0.001, 0.8)
GIB = st.floats(0.1, 10_000)


def simulated(pages: int, kept: int, hot_data_ratio: float, accesses: int = 300_000) -> float:
    """Return the hit ratio of a cache that gives up the page least recently used, once it is warm."""
    random = np.random.default_rng(1)
    edges = (np.arange(pages + 1) / pages) ** (np.log(0.8) / np.log(hot_data_ratio))
    asked = np.searchsorted(edges, random.random(accesses), side="right") - 1
    cache: OrderedDict[int, None] = OrderedDict()
    hits = counted = 0
    for number, page in enumerate(asked.tolist()):
        hit = page in cache
        if hit:
            cache.move_to_end(page)
        else:
            cache[page] = None
            if len(cache) > kept:
                cache.popitem(last=False)
        if number > accesses // 3:
            hits, counted = hits + hit, counted + 1
    return hits / counted


@pytest.mark.parametrize("part", [0.05, 0.2, 0.5, 0.8])
@pytest.mark.parametrize("hot_data_ratio", [0.1, 0.2, 0.5, 0.8])
def test_it_is_what_a_simulated_cache_does(part: float, hot_data_ratio: float) -> None:
    assert hit_ratio(part, 1, hot_data_ratio) == pytest.approx(
        simulated(5000, int(5000 * part), hot_data_ratio), abs=0.01
    )


@given(GIB, GIB)
def test_without_skew_it_is_the_part_that_fits(memory: float, data: float) -> None:
    assert hit_ratio(memory, data, 0.8) == pytest.approx(min(1, memory / data), abs=1e-6)


@given(HOT, GIB, GIB, st.floats(1, 10))
def test_more_data_never_hits_more_and_more_memory_never_less(
    hot: float, memory: float, data: float, times: float
) -> None:
    here = hit_ratio(memory, data, hot)
    assert hit_ratio(memory, data * times, hot) <= here + 1e-9
    assert hit_ratio(memory * times, data, hot) >= here - 1e-9


@given(HOT, st.floats(0.001, 0.999))
def test_it_is_between_no_choice_and_the_best_choice(hot: float, part: float) -> None:
    """Keeping pages at random hits as many as fit; keeping the hottest hits the most that is possible."""
    assert part - 0.005 <= hit_ratio(part, 1, hot) <= accesses_to_hottest(part, hot) + 0.005


def test_no_memory_hits_nothing_and_no_data_is_all_there() -> None:
    assert hit_ratio(0, 10, 0.2) == 0
    assert hit_ratio(10, 0, 0.2) == hit_ratio(10, 10, 0.2) == 1


def test_a_published_benchmark_beyond_memory_has_its_order_of_magnitude() -> None:
    """Azure's D8s_v5 of 32 GiB, pgbench -S at scale 2500: 10,700 a second, where 263,000 are done in memory.

    A scale is 100,000 accounts of about 15 MB with their key, asked for alike. A select finds a leaf of the key, of
    which 366 rows share a page and which so is in memory, and the page of a row. With 25 clients and a
    millisecond a missed page no more than 25 / (missed x 1 ms) can be done, and a disk of single-digit milliseconds
    does the tenth of it.
    """
    data_gib = 2500 * 15e6 / 2**30
    missed = 1 - hit_ratio(pages_gib(29.12), data_gib, 0.8)
    assert 0.3 < missed < 0.5
    by_latency = [25 / (missed * read_ms / 1000) for read_ms in (1, 9)]
    assert by_latency[1] < 10_700 < by_latency[0]
