"""Augmentation of images."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from playground.data.augment import augment_images
from playground.data.augmentation import Augmentation

from ..support.tiers import repetitions

EVERYTHING = Augmentation(shift=2, flip=True, rotation=15, scale=0.2, stroke=0.5, noise=0.1)


def random_images(count: int = 8, channels: int = 3, height: int = 9, width: int = 7) -> Tensor:
    return torch.randint(1, 256, (count, channels, height, width), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def rolled(image: Tensor, down: int, right: int) -> Tensor:
    """The image moved, with zeros for what comes in at the edges."""
    moved = image.roll((down, right), (1, 2))
    if down:
        moved[:, slice(0, down) if down > 0 else slice(down, None)] = 0
    if right:
        moved[:, :, slice(0, right) if right > 0 else slice(right, None)] = 0
    return moved


@settings(max_examples=repetitions(25))
@given(pixels=st.integers(1, 3), seed=st.integers(0, 99), as_float=st.booleans())
def test_a_shift_fills_with_zeros(pixels: int, seed: int, as_float: bool) -> None:
    images = random_images().float() if as_float else random_images()
    torch.manual_seed(seed)
    moved = augment_images(images, Augmentation(shift=pixels))
    assert moved.dtype == images.dtype and moved.shape == images.shape
    places = [(down, right) for down in range(-pixels, pixels + 1) for right in range(-pixels, pixels + 1)]
    for before, after in zip(images, moved, strict=True):
        assert sum(torch.equal(rolled(before, *place), after) for place in places) == 1


def test_shifts_are_uniformly_distributed() -> None:
    torch.manual_seed(0)
    image = torch.zeros(1, 1, 9, 9, dtype=torch.uint8)
    image[..., 4, 4] = 1
    landed = augment_images(image.expand(5_000, -1, -1, -1), Augmentation(shift=2)).sum(dim=(0, 1))[2:7, 2:7]
    assert landed.sum() == 5_000
    assert landed.min() > 140 and landed.max() < 260  # 200 each; four standard deviations are 55


def test_a_flip_gives_the_image_or_its_mirror_image() -> None:
    torch.manual_seed(0)
    images = random_images(400)
    flipped = augment_images(images, Augmentation(flip=True))
    unchanged = [torch.equal(before, after) for before, after in zip(images, flipped, strict=True)]
    mirrored = [torch.equal(before.flip(-1), after) for before, after in zip(images, flipped, strict=True)]
    assert all(one != other for one, other in zip(unchanged, mirrored, strict=True))
    assert 150 < sum(mirrored) < 250


@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32], ids=["uint8", "float"])
def test_the_default_changes_nothing_and_draws_no_random_numbers(dtype: torch.dtype) -> None:
    before = torch.get_rng_state()
    images = random_images().to(dtype)
    assert augment_images(images, Augmentation()) is images
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    "augment",
    [
        Augmentation(shift=2),
        Augmentation(flip=True),
        Augmentation(rotation=15),
        Augmentation(scale=0.2),
        Augmentation(stroke=1.0),
        Augmentation(noise=0.1),
        EVERYTHING,
    ],
    ids=["shift", "flip", "rotation", "scale", "stroke", "noise", "everything"],
)
class TestEach:
    def test_a_seed_determines_the_images(self, augment: Augmentation) -> None:
        batches = []
        for seed in (1, 1, 2):
            torch.manual_seed(seed)
            batches.append(augment_images(random_images(32), augment))
        assert torch.equal(batches[0], batches[1]) and not torch.equal(batches[0], batches[2])

    def test_augmentation_keeps_the_shape_and_does_not_change_its_argument(self, augment: Augmentation) -> None:
        images = random_images()
        assert augment_images(images, augment).shape == images.shape
        assert torch.equal(images, random_images())

    def test_augmented_pixels_stay_in_range(self, augment: Augmentation) -> None:
        changed = augment_images(random_images(64), augment).float()
        beyond = 255 * augment.noise * 6  # noise alone may go beyond it
        assert changed.isfinite().all()
        assert -beyond - 1e-3 <= changed.min() and changed.max() <= 255 + beyond + 1e-3


def disk(count: int, radius: float) -> Tensor:
    axis = torch.arange(41) - 20
    image = ((axis**2 + axis.unsqueeze(1) ** 2) <= radius**2).float() * 255
    return image.expand(count, 1, -1, -1)


def test_scale_enlarges_and_shrinks_by_up_to_its_factor() -> None:
    torch.manual_seed(0)
    area = augment_images(disk(300, 12), Augmentation(scale=0.3)).sum(dim=(1, 2, 3)) / disk(1, 12).sum()
    size = area.sqrt()
    assert 0.69 < size.min() < 0.75 and 1.25 < size.max() < 1.31


def test_rotation_does_not_change_a_disk() -> None:
    torch.manual_seed(0)
    torch.testing.assert_close(augment_images(disk(50, 12), Augmentation(rotation=180)).sum(dim=(1, 2, 3)), disk(50, 12).sum(dim=(1, 2, 3)), rtol=0.01, atol=0)


def test_rotation_goes_both_ways_by_up_to_its_degrees() -> None:
    torch.manual_seed(0)
    bar = torch.zeros(300, 1, 41, 41)
    bar[:, :, 19:22, 5:36] = 255
    turned = augment_images(bar, Augmentation(rotation=30))[:, 0]
    axis = torch.arange(41.0) - 20
    down, right = axis.view(-1, 1), axis.view(1, -1)
    crossed = (turned * down * right).sum(dim=(1, 2))
    spread = (turned * (right**2 - down**2)).sum(dim=(1, 2))
    degrees = torch.atan2(2 * crossed, spread) / 2 * 180 / math.pi  # the angle of the principal axis
    assert -30.5 < degrees.min() < -27 and 27 < degrees.max() < 30.5


def test_changed_strokes_are_between_erosion_and_dilation() -> None:
    torch.manual_seed(0)
    images = random_images(64, 1, 12, 12).float()
    changed = augment_images(images, Augmentation(stroke=1.0))
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1), mode="replicate")
    around = padded.unfold(2, 3, 1).unfold(3, 3, 1).flatten(4)  # (N, 1, H, W, 9)
    assert (changed <= around.amax(dim=-1) + 1e-3).all() and (changed >= around.amin(dim=-1) - 1e-3).all()
    heavier = changed.mean(dim=(1, 2, 3)) > images.mean(dim=(1, 2, 3))
    assert 10 < heavier.sum() < 54


def test_stroke_width_is_changed_in_the_configured_share_of_images() -> None:
    torch.manual_seed(0)
    images = random_images(400).float()
    changed = (augment_images(images, Augmentation(stroke=0.25)) != images).flatten(1).any(dim=1)
    assert 65 < changed.sum() < 135


def test_noise_has_the_configured_standard_deviation() -> None:
    torch.manual_seed(0)
    images = random_images(200)
    added = (augment_images(images, Augmentation(noise=0.1)) - images) / 255
    assert added.mean().abs() < 0.003 and abs(added.std() - 0.1) < 0.003


@pytest.mark.parametrize("setting", ["shift", "rotation", "scale", "stroke", "noise"])
@pytest.mark.parametrize("value", [-1, 1000, math.nan, math.inf], ids=["negative", "huge", "nan", "inf"])
def test_a_setting_out_of_range_is_refused(setting: str, value: float) -> None:
    (problem,) = Augmentation(**{setting: value}).problems()
    assert setting in problem and repr(value) in problem


def test_all_settings_out_of_range_are_reported_at_once() -> None:
    assert len(Augmentation(shift=-1, rotation=-1, scale=-1, stroke=-1, noise=-1).problems()) == 5
    assert EVERYTHING.problems() == []
