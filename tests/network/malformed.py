"""Documents that are almost networks, as hypothesis strategies."""

from __future__ import annotations

from hypothesis import strategies as st

from playground.network.catalogue import LAYERS

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.integers(10**300, 10**301) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
malformed_layers = json_values | st.builds(
    lambda kind, extra, values: {"type": kind.name} | dict(zip([param.name for param in kind.params], values, strict=False)) | extra,
    st.sampled_from(LAYERS),
    st.dictionaries(st.text(), json_values, max_size=1),
    st.lists(json_values, max_size=3),
)
malformed_networks = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("net") | json_values,
        "title": json_values,
        "input_shape": st.just([1, 28, 28]) | st.lists(st.integers() | json_values, max_size=4) | json_values,
        "layers": st.lists(malformed_layers, max_size=4) | json_values,
    },
)
