"""Prices as hypothesis draws them: every key and cell a book may hold, and text that means harm."""

from __future__ import annotations

from hypothesis import strategies as st

from cascade_plan.model.price import UNITS, PriceKey

# What breaks CSV, YAML and line-by-line files: quotes, breaks of every kind, escapes, comments, markers, spaces.
HOSTILE = st.text(
    st.one_of(st.characters(codec="utf-8"), st.sampled_from("\"'\\u#|>-:,;\n\r\t \x85\u2028\ufeff%{}[]&*!\0"))
)
NAMES = st.from_regex(r"[a-z0-9][a-z0-9.\-]{0,12}", fullmatch=True)
TERMS = st.sampled_from(["on_demand", "spot", "reserved_1y_no_upfront"])
SERVICES = st.sampled_from(["elasticache", "eks", "elb", "vpc", "ebs", "transfer", "prometheus"])
KEYS = st.one_of(
    st.builds(PriceKey, st.just("ec2"), NAMES, st.just("linux"), TERMS),
    st.builds(PriceKey, st.just("rds"), NAMES | NAMES.map("db.{}".format), st.sampled_from(["", "multi_az"]), TERMS),
    st.builds(PriceKey, SERVICES, NAMES, st.just("") | HOSTILE, TERMS),
)
CELLS = st.tuples(
    st.sampled_from(sorted(UNITS)),
    st.decimals("0.000001", "999999", places=6).map(str),
    st.just("") | st.decimals("0", "999999", places=2).map(str),
    st.sampled_from(["undated", "2024", "2024-12", "2024-12-31"]),
    HOSTILE.filter(lambda text: bool(text.strip())),
    HOSTILE,
    HOSTILE,
    HOSTILE,
    st.just("bundled"),
)
