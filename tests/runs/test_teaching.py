"""Own drawings are added to the training set, repeated in each epoch; forks and archives of a run contain them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from safetensors.torch import save
from torch import Tensor

from playground.data.catalogue import dataset_info
from playground.data.images import ImageSet
from playground.data.load import load
from playground.data.own_drawings import to_safetensors
from playground.errors import CheckpointError, DataError, PlaygroundError
from playground.runs.branching import fork
from playground.runs.execution.worker import execute
from playground.runs.history import History
from playground.runs.run import Run, all_runs, create
from playground.runs.sharing.archive import as_zip, from_zip
from playground.runs.start import own_images
from playground.training import loop
from playground.training.config import TrainConfig
from playground.training.events import Event, Step
from playground.training.loop import Training, own_repeats

from .archives import changed, entries, with_entry
from .small import CONFIG, SMALL

TRAIN = 96


@pytest.fixture(autouse=True)
def frequent_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", -1.0)
    monkeypatch.setattr(loop, "FLUSH_SECONDS", -1.0)
    torch.set_num_threads(1)


@pytest.fixture
def digits() -> ImageSet:
    """Return the first digits of MNIST 5k."""
    images = load("mnist-5k")
    info = replace(images.info, train_size=TRAIN, test_size=40)
    return ImageSet(info, images.train_images[:TRAIN], images.train_labels[:TRAIN], images.test_images[:40], images.test_labels[:40])


def own_drawings(count: int = 5) -> tuple[Tensor, Tensor]:
    """Return different images that no data set contains, and their labels."""
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, 1, 28, 28), dtype=torch.uint8, generator=generator), torch.arange(count) % 10


def epoch_order(training: Training, epoch: int) -> Tensor:
    """Return the indices of the training images of an epoch, in their order."""
    batches = []
    for step in range(epoch * training.steps_per_epoch, (epoch + 1) * training.steps_per_epoch):
        training.step = step
        batches.append(training._batch())
    return torch.cat(batches)


@pytest.mark.parametrize("count", [1, 2, 5, 7, 31, 32, 33, 100])
@pytest.mark.parametrize("epoch", [0, 3])
def test_an_epoch_has_each_image_once_and_each_own_drawing_equally_often(count: int, epoch: int, digits: ImageSet) -> None:
    """An epoch is the data set and the repeated own drawings."""
    images, labels = own_drawings(count)
    training = Training(SMALL, replace(CONFIG, batch_size=16), digits, own=(images, labels))
    times = own_repeats(count, TRAIN)
    index = epoch_order(training, epoch)
    expected = torch.cat([digits.train_images, images.repeat(times, 1, 1, 1)]), torch.cat([digits.train_labels, labels.repeat(times)])
    batch = training.images.train_images[index], training.images.train_labels[index]
    pairs = [Counter((image.numpy().tobytes(), int(label)) for image, label in zip(*each, strict=True)) for each in (batch, expected)]
    assert pairs[0] == pairs[1]
    generator = torch.Generator().manual_seed((CONFIG.seed << 20) + epoch)
    order = torch.randperm(len(expected[0]), generator=generator)
    assert torch.equal(batch[0], expected[0][order]) and torch.equal(batch[1], expected[1][order])


@pytest.mark.parametrize("count", [1, 5, 30, 300, 1000])
@pytest.mark.parametrize("others", [4000, 60_000])
def test_about_a_tenth_of_an_epoch_is_own_drawings(count: int, others: int) -> None:
    times = own_repeats(count, others)
    assert times * count / (times * count + others) == pytest.approx(max(loop.OWN_SHARE, count / (count + others)), abs=0.035)


def test_many_own_drawings_are_shown_once() -> None:
    assert own_repeats(90, 100) == 1


def test_every_batch_has_own_drawings_and_the_test_set_has_none(digits: ImageSet) -> None:
    training = Training(SMALL, replace(CONFIG, batch_size=32), digits, own=own_drawings())
    batches = epoch_order(training, 0).split(32)
    assert all((batch >= TRAIN).any() and (batch < TRAIN).any() for batch in batches)
    assert torch.equal(training.images.test_images, digits.test_images)
    assert len(training.images.train_images) == TRAIN + 5


def test_the_size_of_the_last_batch_includes_own_drawings(digits: ImageSet) -> None:
    from playground.network.spec import LayerSpec, NetworkSpec

    spec = NetworkSpec("norm", (1, 28, 28), (LayerSpec("Flatten"), LayerSpec("BatchNorm1d"), LayerSpec("Linear", {"out_features": 10})))
    shown_images = TRAIN + 32
    Training(spec, replace(CONFIG, batch_size=TRAIN - 1), digits, own=own_drawings(32))
    with pytest.raises(PlaygroundError, match="batch of one image"):
        Training(spec, replace(CONFIG, batch_size=shown_images - 1), digits, own=own_drawings(32))


def test_own_drawings_that_do_not_fit_are_refused(digits: ImageSet) -> None:
    images, labels = own_drawings()
    with pytest.raises(DataError, match="1×28×28"):
        Training(SMALL, CONFIG, digits, own=(images.repeat(1, 3, 1, 1), labels))
    with pytest.raises(DataError, match="from 0 to 9"):
        Training(SMALL, CONFIG, digits, own=(images, labels + 6))


def create_run(count: int = 5, config: TrainConfig = CONFIG) -> Run:
    run = create(config, SMALL, owner="ada")
    run.own_path.write_bytes(to_safetensors(own_drawings(count), dataset_info(config.dataset)))
    return run


def train(run: Run) -> Run:
    for _ in execute(run):
        pass
    return run


def steps_of(run: Run) -> list[tuple[int, float, float, float]]:
    return [(event.step, event.loss, event.accuracy, event.learning_rate) for event in History(run).follow().steps]


def evaluations_of(run: Run) -> list[Any]:
    return [replace(event, seconds=0.0) for event in History(run).follow().evaluations]


@pytest.fixture
def uninterrupted() -> Run:
    return train(create_run())


def test_runs_with_equal_seed_and_drawings_are_equal_and_other_drawings_change_them(uninterrupted: Run) -> None:
    again = train(create_run())
    assert (steps_of(again), evaluations_of(again)) == (steps_of(uninterrupted), evaluations_of(uninterrupted))
    assert steps_of(train(create_run(6))) != steps_of(uninterrupted)
    history = History(uninterrupted).follow()
    assert history.started is not None and history.started.steps_per_epoch == -(-(4000 + 5 * own_repeats(5, 4000)) // CONFIG.batch_size)


def _until(events: Iterator[Event], step: int) -> None:
    for event in events:
        if isinstance(event, Step) and event.step == step:
            events.close()  # type: ignore[attr-defined]  # as a process does that is killed: what was kept last is what there is
            return


@pytest.mark.parametrize("at", [7, 16])
def test_an_interrupted_run_resumes_to_the_last_bit(at: int, uninterrupted: Run) -> None:
    run = create_run()
    _until(execute(run), at)
    assert History(run).follow().state == "interrupted"
    train(run)
    assert (steps_of(run), evaluations_of(run)) == (steps_of(uninterrupted), evaluations_of(uninterrupted))


def test_a_fork_has_the_own_drawings_of_its_parent(uninterrupted: Run) -> None:
    forked = fork(uninterrupted, 10, {}, "bob")
    expected = steps_of(uninterrupted), evaluations_of(uninterrupted)
    shutil.rmtree(uninterrupted.path)
    assert (steps_of(train(forked)), evaluations_of(forked)) == expected


def content_of(run: Run) -> bytes:
    with as_zip(run) as file:
        return file.read()


def test_an_archive_has_the_own_drawings(uninterrupted: Run) -> None:
    run = create_run()
    _until(execute(run), 12)
    copy = from_zip(content_of(run), "bob")
    images, expected = own_images(copy), own_drawings()
    assert images is not None and all(torch.equal(first, second) for first, second in zip(images, expected, strict=True))
    assert (steps_of(train(copy)), evaluations_of(copy)) == (steps_of(uninterrupted), evaluations_of(uninterrupted))


def test_a_run_without_own_drawings_has_none_in_its_archive() -> None:
    run = create(CONFIG, SMALL)
    assert own_images(run) is None
    copy = from_zip(content_of(run))
    assert not copy.own_path.exists() and not any("own" in name for name in entries(content_of(run)))


def test_own_drawings_are_written_again_on_import(uninterrupted: Run) -> None:
    """So that nothing else in the file is imported."""
    images, labels = own_drawings()
    hidden = save({"images": images, "labels": labels}, {"note": "x" * 5000})
    content = changed(content_of(uninterrupted), lambda name, old: hidden if name.endswith("own.safetensors") else old)
    assert b"x" * 5000 in hidden and b"x" * 5000 not in from_zip(content).own_path.read_bytes()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda _images, _labels: b"garbage", "damaged", id="garbage"),
        pytest.param(lambda images, labels: save({"images": images, "labels": labels + 7}), "from 0 to 9", id="labels"),
        pytest.param(lambda images, labels: save({"images": images.float(), "labels": labels}), "float32", id="floats"),
        pytest.param(lambda images, labels: save({"images": images.repeat(201, 1, 1, 1), "labels": labels.repeat(201)}), "1,005", id="many"),
        pytest.param(lambda _images, _labels: bytes(4_000_001), "too large", id="large"),
    ],
)
def test_an_archive_with_invalid_own_drawings_is_refused(make: Callable[[Tensor, Tensor], bytes], message: str) -> None:
    run = create(CONFIG, SMALL)
    content = with_entry(content_of(run), f"{run.id}/own.safetensors", make(*own_drawings()))
    with pytest.raises(CheckpointError, match=message) as caught:
        from_zip(content, "bob", "mine.zip")
    assert "own.safetensors" in str(caught.value) and all_runs() == [run]


def test_a_run_with_damaged_own_drawings_fails_with_a_message() -> None:
    run = create_run()
    run.own_path.write_bytes(b"garbage")
    with pytest.raises(CheckpointError, match="own images"):
        train(run)
    assert History(run).follow().state == "failed"
