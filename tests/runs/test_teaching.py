"""A learner's own images are learnt beside a data set's, each so many times an epoch; a run takes them along wherever it goes."""

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
from playground.training.loop import Training, own_times

from .archives import changed, entries, with_entry
from .small import CONFIG, SMALL

TRAIN = 96


@pytest.fixture(autouse=True)
def states_are_kept_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "EVALUATED_SECONDS", -1.0)
    monkeypatch.setattr(loop, "FLUSH_SECONDS", -1.0)
    torch.set_num_threads(1)


@pytest.fixture
def digits() -> ImageSet:
    """The first real digits of MNIST 5k."""
    images = load("mnist-5k")
    info = replace(images.info, train_size=TRAIN, test_size=40)
    return ImageSet(info, images.train_images[:TRAIN], images.train_labels[:TRAIN], images.test_images[:40], images.test_labels[:40])


def own(count: int = 5) -> tuple[Tensor, Tensor]:
    """Images that no data set has, each of its own kind."""
    generator = torch.Generator().manual_seed(count)
    return torch.randint(0, 256, (count, 1, 28, 28), dtype=torch.uint8, generator=generator), torch.arange(count) % 10


def shown(training: Training, epoch: int) -> Tensor:
    """Which training images the steps of an epoch learn from, in their order."""
    batches = []
    for step in range(epoch * training.steps_per_epoch, (epoch + 1) * training.steps_per_epoch):
        training.step = step
        batches.append(training._batch())
    return torch.cat(batches)


@pytest.mark.parametrize("count", [1, 2, 5, 7, 31, 32, 33, 100])
@pytest.mark.parametrize("epoch", [0, 3])
def test_an_epoch_shows_each_image_once_and_each_own_one_as_often_as_the_others(count: int, epoch: int, digits: ImageSet) -> None:
    """Exactly the data set with the own images behind it so many times over."""
    images, labels = own(count)
    training = Training(SMALL, replace(CONFIG, batch_size=16), digits, own=(images, labels))
    times = own_times(count, TRAIN)
    index = shown(training, epoch)
    expected = torch.cat([digits.train_images, images.repeat(times, 1, 1, 1)]), torch.cat([digits.train_labels, labels.repeat(times)])
    learnt = training.images.train_images[index], training.images.train_labels[index]
    pairs = [Counter((image.numpy().tobytes(), int(label)) for image, label in zip(*each, strict=True)) for each in (learnt, expected)]
    assert pairs[0] == pairs[1]
    generator = torch.Generator().manual_seed((CONFIG.seed << 20) + epoch)
    order = torch.randperm(len(expected[0]), generator=generator)
    assert torch.equal(learnt[0], expected[0][order]) and torch.equal(learnt[1], expected[1][order])


@pytest.mark.parametrize("count", [1, 5, 30, 300, 1000])
@pytest.mark.parametrize("others", [4000, 60_000])
def test_about_a_tenth_of_an_epoch_is_own(count: int, others: int) -> None:
    times = own_times(count, others)
    assert times * count / (times * count + others) == pytest.approx(max(loop.OWN_SHARE, count / (count + others)), abs=0.035)


def test_own_images_beyond_their_share_are_shown_once() -> None:
    assert own_times(90, 100) == 1


def test_every_batch_has_some_and_the_test_images_stay(digits: ImageSet) -> None:
    training = Training(SMALL, replace(CONFIG, batch_size=32), digits, own=own())
    batches = shown(training, 0).split(32)
    assert all((batch >= TRAIN).any() and (batch < TRAIN).any() for batch in batches)
    assert torch.equal(training.images.test_images, digits.test_images)
    assert len(training.images.train_images) == TRAIN + 5


def test_a_batch_norm_without_a_partner_is_counted_with_the_own_images(digits: ImageSet) -> None:
    from playground.network.spec import LayerSpec, NetworkSpec

    spec = NetworkSpec("norm", (1, 28, 28), (LayerSpec("Flatten"), LayerSpec("BatchNorm1d"), LayerSpec("Linear", {"out_features": 10})))
    shown_images = TRAIN + 32
    Training(spec, replace(CONFIG, batch_size=TRAIN - 1), digits, own=own(32))
    with pytest.raises(PlaygroundError, match="batch of one image"):
        Training(spec, replace(CONFIG, batch_size=shown_images - 1), digits, own=own(32))


def test_what_does_not_fit_is_refused(digits: ImageSet) -> None:
    images, labels = own()
    with pytest.raises(DataError, match="1×28×28"):
        Training(SMALL, CONFIG, digits, own=(images.repeat(1, 3, 1, 1), labels))
    with pytest.raises(DataError, match="from 0 to 9"):
        Training(SMALL, CONFIG, digits, own=(images, labels + 6))


def begun(count: int = 5, config: TrainConfig = CONFIG) -> Run:
    run = create(config, SMALL, owner="ada")
    run.own_path.write_bytes(to_safetensors(own(count), dataset_info(config.dataset)))
    return run


def trained(run: Run) -> Run:
    for _ in execute(run):
        pass
    return run


def taken(run: Run) -> list[tuple[int, float, float, float]]:
    return [(event.step, event.loss, event.accuracy, event.learning_rate) for event in History(run).follow().steps]


def tried(run: Run) -> list[Any]:
    return [replace(event, seconds=0.0) for event in History(run).follow().evaluations]


@pytest.fixture
def whole() -> Run:
    return trained(begun())


def test_two_runs_of_a_seed_are_equal_and_other_own_images_make_others(whole: Run) -> None:
    again = trained(begun())
    assert (taken(again), tried(again)) == (taken(whole), tried(whole))
    assert taken(trained(begun(6))) != taken(whole)
    history = History(whole).follow()
    assert history.started is not None and history.started.steps_per_epoch == -(-(4000 + 5 * own_times(5, 4000)) // CONFIG.batch_size)


def _until(events: Iterator[Event], step: int) -> None:
    for event in events:
        if isinstance(event, Step) and event.step == step:
            events.close()  # type: ignore[attr-defined]  # as a process does that is killed: what was kept last is what there is
            return


@pytest.mark.parametrize("at", [7, 16])
def test_a_run_that_was_cut_off_goes_on_to_the_last_bit(at: int, whole: Run) -> None:
    run = begun()
    _until(execute(run), at)
    assert History(run).follow().state == "interrupted"
    trained(run)
    assert (taken(run), tried(run)) == (taken(whole), tried(whole))


def test_a_fork_takes_them_along(whole: Run) -> None:
    made = fork(whole, 10, {}, "bob")
    expected = taken(whole), tried(whole)
    shutil.rmtree(whole.path)
    assert (taken(trained(made)), tried(made)) == expected


def content_of(run: Run) -> bytes:
    with as_zip(run) as file:
        return file.read()


def test_an_archive_takes_them_along(whole: Run) -> None:
    run = begun()
    _until(execute(run), 12)
    copy = from_zip(content_of(run), "bob")
    found, expected = own_images(copy), own()
    assert found is not None and all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))
    assert (taken(trained(copy)), tried(copy)) == (taken(whole), tried(whole))


def test_a_run_without_them_has_none_and_packs_none() -> None:
    run = create(CONFIG, SMALL)
    assert own_images(run) is None
    copy = from_zip(content_of(run))
    assert not copy.own_path.exists() and not any("own" in name for name in entries(content_of(run)))


def test_they_are_written_anew(whole: Run) -> None:
    """So that nothing else that a file holds comes in."""
    images, labels = own()
    hidden = save({"images": images, "labels": labels}, {"note": "x" * 5000})
    content = changed(content_of(whole), lambda name, old: hidden if name.endswith("own.safetensors") else old)
    assert b"x" * 5000 in hidden and b"x" * 5000 not in from_zip(content).own_path.read_bytes()


@pytest.mark.parametrize(
    ("make", "told"),
    [
        pytest.param(lambda _images, _labels: b"garbage", "damaged", id="garbage"),
        pytest.param(lambda images, labels: save({"images": images, "labels": labels + 7}), "from 0 to 9", id="labels"),
        pytest.param(lambda images, labels: save({"images": images.float(), "labels": labels}), "float32", id="floats"),
        pytest.param(lambda images, labels: save({"images": images.repeat(201, 1, 1, 1), "labels": labels.repeat(201)}), "1,005", id="many"),
        pytest.param(lambda _images, _labels: bytes(4_000_001), "too large", id="large"),
    ],
)
def test_an_archive_whose_images_cannot_be_learnt_is_refused(make: Callable[[Tensor, Tensor], bytes], told: str) -> None:
    run = create(CONFIG, SMALL)
    content = with_entry(content_of(run), f"{run.id}/own.safetensors", make(*own()))
    with pytest.raises(CheckpointError, match=told) as caught:
        from_zip(content, "bob", "mine.zip")
    assert "own.safetensors" in str(caught.value) and all_runs() == [run]


def test_a_damaged_file_fails_the_run_and_says_why() -> None:
    run = begun()
    run.own_path.write_bytes(b"garbage")
    with pytest.raises(CheckpointError, match="own images"):
        trained(run)
    assert History(run).follow().state == "failed"
