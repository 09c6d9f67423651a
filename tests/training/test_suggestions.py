"""Recommended settings exist for each data set, and the fast ones only for the network with which they were measured."""

from __future__ import annotations

import pytest

from playground.data.catalogue import DATASETS, DatasetInfo
from playground.network.build import build
from playground.network.presets import load_presets, preset
from playground.network.trace import check
from playground.training.suggestions import suggested


@pytest.mark.parametrize("info", DATASETS, ids=lambda info: info.name)
def test_the_suggested_network_fits_its_data(info: DatasetInfo) -> None:
    config = suggested(info.name)
    assert config.dataset == info.name
    check(preset(config.network), info.input_shape, len(info.classes))


def test_an_unknown_network_gets_the_settings_for_most_networks() -> None:
    fast, mine = suggested("cifar10"), suggested("cifar10", "mine")
    assert fast.whiten and fast.optimizer == "muon"
    assert mine.network == "mine" and not mine.whiten and mine.optimizer == "adam"
    assert suggested("cifar10", fast.network) == fast


@pytest.mark.parametrize("info", DATASETS, ids=lambda info: info.name)
def test_whitening_is_recommended_only_for_networks_that_allow_it(info: DatasetInfo) -> None:
    for name in load_presets().networks:
        config = suggested(info.name, name)
        first = build(preset(name))[0] if config.whiten else None
        assert first is None or (first.out_channels % 2 == 0 and first.out_channels <= 2 * first.weight[0].numel())
