"""Starting a run for the learner whose page is being run."""

from __future__ import annotations

from playground.data.catalogue import dataset_info
from playground.network.presets import preset
from playground.network.spec import NetworkSpec
from playground.network.trace import check
from playground.runs.run import Run, create
from playground.server.services import services
from playground.training.config import TrainConfig
from playground.ui.shared import visitor


def launch(config: TrainConfig, network: NetworkSpec | None = None, own: bytes | None = None) -> Run:
    """Create a run for the learner and queue it.

    Args:
        config: the training settings.
        network: the network to train; by default the preset that `config` names.
        own: the learner's drawings to train on in addition to the data set, from `to_safetensors`.

    Raises:
        PlaygroundError: the network does not fit the data set, or the run cannot be written.
    """
    network = network or preset(config.network)
    info = dataset_info(config.dataset)
    check(network, info.input_shape, len(info.classes))
    run = create(config, network, visitor.current_learner(), own=own)
    services().scheduler.submit(run)
    return run
