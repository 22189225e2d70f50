"""Laws of service and sums of delays: tables, closed forms, and laws over any of them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cascade_plan.formulas.percentiles import (
    Distribution,
    ServiceTime,
    convolution,
    geometric_sum,
    mixture,
    nothing,
    random_sum,
    upper_gamma,
)

STEP_S = 0.01
LAWS = (
    ServiceTime(1.0, 0.0),
    ServiceTime(1.0, 0.25),
    ServiceTime(1.0),
    ServiceTime(1.0, 4.0, "gamma"),
    ServiceTime(1.0, 1.5, "lognormal"),
    ServiceTime(1.0, 3.0, "hyperexponential"),
)

gammas = st.builds(
    lambda mean_s, scv: Distribution.from_gamma(mean_s, scv, STEP_S, 2000), st.floats(0.05, 1), st.floats(0, 3)
)
masses = st.lists(st.floats(0, 1), min_size=1, max_size=40).filter(lambda found: sum(found) > 0.01)
anyhow = masses.map(lambda found: Distribution(STEP_S, np.array(found) / math.fsum(found)))


def area(values: np.ndarray, places: np.ndarray) -> float:
    """Return the integral by the trapezoid rule (numpy's own has had two names)."""
    return float(np.diff(places) @ (values[1:] + values[:-1])) / 2


# ----------------------------------------------------------------------------------------------------------------- laws


@pytest.mark.parametrize(
    ("freedom", "above", "point"),
    [(1, 0.05, 3.841459), (2, 0.05, 5.991465), (10, 0.05, 18.307038), (10, 0.95, 3.940299), (100, 0.01, 135.806723)],
)
def test_the_gamma_function_agrees_with_the_tables_of_chi_squared(freedom: int, above: float, point: float) -> None:
    assert upper_gamma(freedom / 2, np.array([point / 2]))[0] == pytest.approx(above, rel=2e-6)


@pytest.mark.parametrize("shape", [0.25, 1.0, 2.5, 40.0, 2000.0])
def test_the_gamma_function_steps_by_one(shape: float) -> None:
    # Q(a + 1, x) = Q(a, x) + x^a exp(-x) / Gamma(a + 1), across the change from series to fraction.
    x = np.linspace(0.01, 3, 60) * shape
    step = np.exp(shape * np.log(x) - x - math.lgamma(shape + 1))
    assert upper_gamma(shape + 1, x) == pytest.approx(upper_gamma(shape, x) + step, rel=1e-9, abs=1e-13)
    assert upper_gamma(shape, np.array([0.0]))[0] == 1.0


@pytest.mark.parametrize("service", LAWS, ids=str)
def test_moments_above_nothing_are_the_moments(service: ServiceTime) -> None:
    moments = [float(moment[0]) for moment in service.upper_moments(np.zeros(1))]
    assert moments == pytest.approx([1, service.mean_s, service.mean_s**2 * (1 + service.scv)], rel=1e-12)


@pytest.mark.parametrize("service", LAWS[1:], ids=str)
def test_moments_above_a_time_are_integrals_of_the_share_above(service: ServiceTime) -> None:
    # E[S^k; S > x] = x^k P(S > x) + the integral of k y^(k-1) P(S > y) over y > x, by the trapezoid rule; and so is
    # the third moment, over all.
    y = np.linspace(0, 1, 200_001) ** 3 * 4000
    above, first, second = service.upper_moments(y)
    for x in (20_000, 60_000):
        tail = slice(x, None)
        assert first[x] == pytest.approx(y[x] * above[x] + area(above[tail], y[tail]), rel=1e-5)
        expected = y[x] ** 2 * above[x] + area(2 * y[tail] * above[tail], y[tail])
        assert second[x] == pytest.approx(expected, rel=1e-5)
    assert service.third_moment_s3() == pytest.approx(area(3 * y**2 * above, y), rel=1e-3)
    assert service.lesser_ratio() == pytest.approx(area(above**2, y), rel=1e-4)
    assert service.mean_excess(y[:3]) == pytest.approx(first[:3] - y[:3] * above[:3])


def test_the_constant_law() -> None:
    service = ServiceTime(0.5, 0.0)
    assert (service.third_moment_s3(), service.lesser_ratio()) == (0.125, 1.0)
    assert service.mean_excess(np.array([0.0, 0.2, 0.5, 9.0])).tolist() == [0.5, 0.3, 0.0, 0.0]


def test_the_usual_families() -> None:
    families = [ServiceTime(1.0, scv).family for scv in (0.0, 0.5, 1.0, 1.01, 4.0)]
    assert families == ["deterministic", "gamma", "gamma", "lognormal", "lognormal"]
    assert ServiceTime(1.0, 0.0, "lognormal").family == "deterministic"


@pytest.mark.parametrize(
    ("mean_s", "scv", "law"),
    [(0.0, 1.0, None), (-1.0, 1.0, None), (math.inf, 1.0, None), (1.0, -0.1, None), (1.0, math.nan, None),
     (1.0, 0.5, "deterministic"), (1.0, 0.5, "hyperexponential")],
)  # fmt: skip
def test_what_is_no_service_is_refused(mean_s: float, scv: float, law: str | None) -> None:
    with pytest.raises(ValueError, match="service time"):
        ServiceTime(mean_s, scv, law)  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------------------------- one delay


@pytest.mark.parametrize("service", LAWS, ids=str)
def test_a_grid_keeps_the_mean(service: ServiceTime) -> None:
    law = Distribution.from_service(service, 0.05, 40_000)
    assert law.mean_s == pytest.approx(service.mean_s, rel=1e-6)
    assert law.scv == pytest.approx(service.scv, rel=0.02, abs=2e-3)
    coarse = Distribution.from_service(service, 3.0, 4000)
    assert coarse.mean_s == pytest.approx(service.mean_s, rel=1e-6)


def test_percentiles_are_those_of_the_law() -> None:
    exponential = Distribution.from_gamma(2.0, 1.0, STEP_S, 8000)
    assert exponential.percentile(0.95) == pytest.approx(2 * math.log(20), rel=1e-4)
    waits = Distribution.from_atom_and_exponential(0.7, 2.0, STEP_S, 8000)
    assert waits.percentile(0.95) == pytest.approx(2 * math.log(0.3 / 0.05), rel=1e-4)
    assert waits.percentile(0.7) == waits.percentile(0.0) == 0.0
    assert waits.mean_s == pytest.approx(0.6, rel=1e-6)
    # The normal point of .95 is 1.644854: a lognormal law of median m and sigma s has it at m exp(1.644854 s).
    lognormal = Distribution.from_service(ServiceTime(1.0, 1.5, "lognormal"), STEP_S, 8000)
    sigma = math.sqrt(math.log(2.5))
    assert lognormal.percentile(0.95) == pytest.approx(math.exp(1.644854 * sigma - sigma**2 / 2), rel=1e-4)
    constant = Distribution.from_gamma(0.5, 0.0, STEP_S, 100)
    assert [constant.percentile(share) for share in (0.01, 0.5, 0.99)] == pytest.approx([0.5] * 3, abs=STEP_S / 2)


def test_what_lies_beyond_the_grid_is_not_guessed() -> None:
    law = Distribution.from_gamma(1.0, 1.0, STEP_S, 200)
    assert law.percentile(0.8) == pytest.approx(math.log(5), rel=1e-3)
    assert law.percentile(0.9) == math.inf
    assert law.convolve(law).percentile(0.9) == math.inf


@given(st.one_of(gammas, anyhow), st.lists(st.floats(0, 0.999), min_size=2, max_size=8))
def test_percentiles_rise_with_the_share(law: Distribution, shares: list[float]) -> None:
    points = [law.percentile(share) for share in sorted(shares)]
    assert points == sorted(points)
    assert points[0] >= 0


def test_what_is_no_distribution_is_refused() -> None:
    for step_s, mass in ((0.0, [1.0]), (1.0, []), (1.0, [[1.0]]), (math.nan, [1.0])):
        with pytest.raises(ValueError, match="step above 0"):
            Distribution(step_s, np.array(mass))
    for mass in ([-0.1, 1.1], [0.6, 0.6], [math.nan, 0.1]):
        with pytest.raises(ValueError, match="negative nor sum"):
            Distribution(1.0, np.array(mass))
    for share in (-0.1, 1.0, math.nan):
        with pytest.raises(ValueError, match="share"):
            nothing(1.0).percentile(share)


def test_a_distribution_cannot_be_changed() -> None:
    law = nothing(1.0)
    with pytest.raises(ValueError, match="read-only"):
        law.mass[0] = 0.5


# ----------------------------------------------------------------------------------------------------------------- sums


@given(st.lists(st.one_of(gammas, anyhow), min_size=1, max_size=4))
def test_the_mean_of_a_sum_is_the_sum_of_means(delays: list[Distribution]) -> None:
    total = convolution(delays)
    assert total.mean_s == pytest.approx(sum(delay.mean_s for delay in delays), rel=1e-6, abs=1e-9)
    assert total.mass.sum() == pytest.approx(math.prod(float(delay.mass.sum()) for delay in delays), rel=1e-9)
    assert total.percentile(0.5) >= max(delay.percentile(0.0) for delay in delays)


@given(anyhow, anyhow)
def test_a_sum_is_the_schoolbook_product(one: Distribution, other: Distribution) -> None:
    assert one.convolve(other).mass == pytest.approx(np.convolve(one.mass, other.mass), abs=1e-12)
    assert other.convolve(one).mass == pytest.approx(one.convolve(other).mass, abs=1e-12)
    assert one.convolve(nothing(STEP_S)).mass == pytest.approx(one.mass, abs=1e-12)


def test_a_sum_of_exponential_delays_is_a_gamma_delay() -> None:
    one = Distribution.from_gamma(0.5, 1.0, STEP_S, 2000)
    total, expected = one.convolve(one, one), Distribution.from_gamma(1.5, 1 / 3, STEP_S, 2000)
    for share in (0.1, 0.5, 0.95, 0.999):
        assert total.percentile(share) == pytest.approx(expected.percentile(share), rel=2e-3)
    assert sum([one.percentile(0.95)] * 3) > 1.4 * total.percentile(0.95)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6).filter(lambda found: sum(found) > 0.01), gammas)
def test_a_random_number_of_delays_has_walds_mean(weights: list[float], each: Distribution) -> None:
    shares = [weight / math.fsum(weights) for weight in weights]
    expected = sum(count * share for count, share in enumerate(shares)) * each.mean_s
    total = random_sum(shares, each)
    if each.mass.sum() > 1 - 1e-9:
        assert total.mean_s == pytest.approx(expected, rel=1e-5, abs=1e-9)
    assert total.mass[0] >= shares[0] - 1e-9


def test_a_random_number_of_delays_is_a_mixture_of_sums() -> None:
    each = Distribution.from_gamma(0.4, 0.7, STEP_S, 1500)
    expected = mixture((0.5, 0.3, 0.2), (nothing(STEP_S), each, each.convolve(each)))
    assert random_sum((0.5, 0.3, 0.2), each).mass == pytest.approx(expected.mass, abs=1e-12)


@pytest.mark.parametrize("ratio", [0.0, 0.5, 0.9])
def test_a_geometric_number_of_exponential_delays_is_exponential(ratio: float) -> None:
    each = Distribution.from_gamma(0.2, 1.0, STEP_S, 8000)
    total = geometric_sum(each, each, ratio)
    assert total.mean_s == pytest.approx(0.2 / (1 - ratio), rel=1e-4)
    assert total.percentile(0.99) == pytest.approx(0.2 / (1 - ratio) * math.log(100), rel=1e-3)
    assert geometric_sum(nothing(STEP_S), each, 0.0).percentile(0.99) == 0.0


@given(st.floats(0, 1), anyhow, anyhow)
def test_a_mixture_has_the_mean_of_its_parts(share: float, one: Distribution, other: Distribution) -> None:
    found = mixture((share, 1 - share), (one, other))
    assert found.mean_s == pytest.approx(share * one.mean_s + (1 - share) * other.mean_s, abs=1e-12)
    lowest, highest = sorted(law.percentile(0.9) for law in (one, other))
    assert lowest - STEP_S <= found.percentile(0.9) <= highest + STEP_S


def test_what_does_not_add_up_is_refused() -> None:
    one, other = nothing(1.0), nothing(2.0)
    for add in (lambda: convolution([one, other]), lambda: mixture((0.5, 0.5), (one, other)), lambda: convolution([]),
                lambda: geometric_sum(one, other, 0.5)):  # fmt: skip
        with pytest.raises(ValueError, match="one grid"):
            add()
    for shares in ((0.5, 0.6), (-0.5, 1.5)):
        with pytest.raises(ValueError, match="shares"):
            mixture(shares, (one, one))
        with pytest.raises(ValueError, match="shares"):
            random_sum(shares, one)
    with pytest.raises(ValueError, match="ratio"):
        geometric_sum(one, one, 1.0)
