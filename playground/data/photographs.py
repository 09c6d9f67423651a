"""Photographs of handwriting: find the ink, whatever the light, the paper and its lines.

A photograph is never plain: one side of the sheet is darker, a hand throws a shadow, the desk is seen beside the paper. So the ground is
estimated at each pixel and divided out, a threshold above the noise separates the ink, and what is no writing is removed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image
from scipy import ndimage

from playground.data.preprocessing import Pixels
from playground.data.ruled_paper import Mask, thickness, without_rules
from playground.errors import DrawingError
from playground.messages import msg

WORKING_SIDE = 1000
"""Larger images are reduced until their longer side has so many pixels: enough for a pen on a whole page."""
FLAT = 5
"""Brightness levels on either side of the most frequent one that count as the same: scans and drawings, unlike photographs, have a flat ground."""
FLAT_SHARE = 0.2
"""Share of the pixels that a flat ground has at least."""
HALF = 0.6
"""Share of the darkest ink below which an area of even brightness is neither ground nor ink but a shadow …"""
BETWEEN = 0.05
"""… and the share of the pixels of a scan that are so at most."""
WIDE = 0.3
"""Side of a square that is too large to be ink, as a share of the longer side."""
SMALL_SIDE = 200
"""Pixels of the longer side of the copy in which a flat ground is looked for."""
WIDEST_STROKE = 0.15
"""Width of the widest stroke of a photograph, as a share of its longer side; what is wider is ground: a shadow, a desk."""
BOARD = 0.7
"""A photograph shows a board if the ground without what is lighter is smoother than that without what is darker, by this factor at least."""
MIN_DARKNESS = 0.1
"""Share by which ink is darker than its ground, at least; paper grain and the edges of soft shadows stay below."""
NOISE = 5.0
"""Standard deviations of the noise around it by which ink is darker, at least …"""
MAX_FLOOR = 0.35
"""… which is never more than this share."""
WEAK = 0.5
"""Share of the threshold above which a pixel still is ink where it continues a stroke: the edge of a stroke, the grain of a pencil."""
SPECK = 0.5
"""A component that is nowhere as wide as this share of the pen is a speck; the dot of a number is as wide as the pen."""
SMALL = 0.3
"""Share of the largest component’s size below which a component is small …"""
NEAR = 0.6
"""… and distance, as a share of the same, beyond which it does not belong to the writing."""
EDGE = 0.6
"""Share of an edge of the picture along which a frame or a desk runs at least."""
SMALLEST = 0.025
"""Size of the smallest writing in a photograph, as a share of its longer side: a digit of 8 mm on a sheet of A4."""
FRAME_SIDES = 3
"""Edges along which only a frame runs, and no digit."""
FAINT = 0.35
"""What is darker than its ground by less and reaches an edge of a photograph is the rest of a shadow, not ink."""
CUT = 8
"""A photograph is cut to its ink if the tallest component that touches an edge has more than so many times the height of what touches none."""

_NEIGHBOURS = np.ones((3, 3), dtype=int)


@dataclass(frozen=True)
class Photograph:
    """A photograph after each step towards its ink; every image is ``(H, W)`` from 0 to 255."""

    grey: Pixels
    """Its brightness."""
    evened: Pixels
    """Dark on light, with the same brightness of the ground everywhere."""
    ink: Pixels
    """Light on dark; 0 where there is no ink."""


def find_ink(grey: Pixels) -> Photograph:
    """Find the ink in a photograph or a scan of writing.

    Args:
        grey: ``(H, W)``, brightness from 0 to 255.

    Raises:
        DrawingError: there is none.
    """
    grey = _reduce(grey)
    ground = _flat_ground(grey)
    flat = ground is not None
    darkness = _darkness(ndimage.gaussian_filter(grey, max(grey.shape) / WORKING_SIDE)) if ground is None else _difference(grey, ground)
    mask = _mask(darkness, flat=flat)
    ink = np.where(mask, darkness, 0.0)
    return Photograph(grey, 255 - darkness, (ink * (255 / np.quantile(ink[mask], 0.9))).clip(0, 255))


def _mask(darkness: Pixels, *, flat: bool) -> Mask:
    """Return which pixels are ink."""
    candidates = _without_edges(without_rules(darkness > _floor(darkness)), darkness, flat=flat)
    if not candidates.any():
        raise _no_ink()
    threshold = otsu(darkness[candidates])
    strong, weak = (candidates & (darkness >= share * threshold) for share in (1, WEAK))
    mask = _without_specks(ndimage.binary_propagation(strong, _NEIGHBOURS, mask=weak))
    if not flat and np.ptp(np.flatnonzero(mask.any(axis=1))) < SMALLEST * max(mask.shape) > np.ptp(np.flatnonzero(mask.any(axis=0))):
        raise _no_ink()  # a speck
    return mask


def _no_ink() -> DrawingError:
    return DrawingError(msg("There is no writing in this image that stands out from its ground."), msg("Use a darker pen, or go nearer with the camera."))


def otsu(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    """Return the threshold that splits values into two classes with the largest variance between them.

    Source: N. Otsu, A threshold selection method from gray-level histograms, 1979
    """
    counts, edges = np.histogram(values, 256)
    middles = (edges[:-1] + edges[1:]) / 2
    below, total = np.cumsum(counts), len(values)
    sums = np.cumsum(counts * middles)
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = (sums[-1] * below / total - sums) ** 2 / (below * (total - below))
    return float(edges[int(np.nanargmax(variance[:-1])) + 1]) if counts.max() < total else float(edges[0])


def _reduce(grey: Pixels, side: int = WORKING_SIDE) -> Pixels:
    factor = side / max(grey.shape)
    if factor >= 1:
        return grey
    size = (max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor)))
    return np.asarray(Image.fromarray(grey.astype(np.float32), "F").resize(size, Image.Resampling.BOX), dtype=np.float64)


def _flat_ground(grey: Pixels) -> float | None:
    """Return the one brightness of the ground of a scan or a drawing; None of a photograph, where it differs from place to place.

    A flat ground is the most frequent brightness, and nearly all that differs from it is ink: its opposite, and nowhere wide.
    """
    small = _reduce(grey, SMALL_SIDE)
    counts = np.bincount(small.round().astype(int).ravel(), minlength=256)
    ground = int(np.convolve(counts, np.ones(FLAT), mode="same").argmax())
    darkness = _difference(small, ground)
    even = ndimage.maximum_filter(small, 3) - ndimage.minimum_filter(small, 3) <= 2 * FLAT  # not the edge of a stroke
    between = even & (np.abs(small - ground) > FLAT) & (darkness < HALF * darkness.max())
    if (np.abs(small - ground) <= FLAT).mean() < FLAT_SHARE or between.mean() > BETWEEN:
        return None
    wide = _opening_of_grey(darkness, max(1, round(WIDE * max(small.shape))))
    return float(counts.argmax()) if wide.max() <= FLAT else None


def _floor(darkness: Pixels) -> Pixels:
    """Return for each pixel how dark the ground around it may be: a desk is less even than paper."""
    size = round(WIDEST_STROKE * max(darkness.shape)) + 1
    changes = np.abs(darkness - np.roll(darkness, 2, axis=1)) / math.sqrt(2)  # the edges of strokes are few
    noise = ndimage.uniform_filter(changes, size) * math.sqrt(math.pi / 2)  # the standard deviation of Gaussian noise
    floor: Pixels = ndimage.uniform_filter(darkness, size) + NOISE * noise
    return floor.clip(255 * MIN_DARKNESS, 255 * MAX_FLOOR)


def _difference(grey: Pixels, ground: float) -> Pixels:
    """Return how much darker than a flat light ground each pixel is, or how much lighter than a dark one."""
    return (ground - grey if ground > 127 else grey - ground).clip(min=0)


def _darkness(grey: Pixels) -> Pixels:
    """Return by which share each pixel is darker than its ground, from 0 to 255; on a dark board by which share it is lighter.

    The ground is a closing: the brightness without all that is dark and narrower than a stroke can be. Unlike a blur it keeps the edges
    of a shadow or a sheet where they are.

    Source: the top-hat transforms, P. Soille, Morphological Image Analysis, 2003, chapter 4
    """
    size = max(3, round(WIDEST_STROKE * max(grey.shape)))
    paper, board = _closing(grey, size), _opening_of_grey(grey, size)
    darkness = (paper - grey) / (paper + 1) if BOARD * _roughness(paper) <= _roughness(board) else (grey - board) / (256 - board)
    return (255 * darkness).clip(0, 255)


def _roughness(ground: Pixels) -> float:
    """Return how much neighbours differ: a ground without its ink is smooth."""
    return float(np.abs(np.diff(ground, axis=0)).sum() + np.abs(np.diff(ground, axis=1)).sum())


def _opening_of_grey(grey: Pixels, size: int) -> Pixels:
    return 255 - _closing(255 - grey, size)


def _closing(grey: Pixels, size: int) -> Pixels:
    closed: Pixels = ndimage.grey_closing(grey, size=(size, size), mode="nearest")
    return closed


def _without_edges(mask: Mask, darkness: Pixels, *, flat: bool) -> Mask:
    """Remove what the edge of the picture cuts off: a frame, the desk beside the sheet. A picture that is cut to its ink stays as it is."""
    labels, count = ndimage.label(mask, _NEIGHBOURS)
    sides = (labels[0], labels[-1], labels[:, 0], labels[:, -1])
    shares = np.array([np.bincount(side, minlength=count + 1) / len(side) for side in sides])[:, 1:]  # (4, components)
    contact, is_frame = shares.max(axis=0, initial=0), (shares > EDGE).sum(axis=0) >= FRAME_SIDES
    heights = np.array([rows.stop - rows.start for rows, _ in ndimage.find_objects(labels)])
    tallest_inside = heights[contact == 0].max(initial=0)
    tallest_cut = heights[(contact > 0) & (contact <= EDGE)].max(initial=0)
    is_cut = not tallest_inside or tallest_cut > (0 if flat else CUT * tallest_inside)
    is_ink = ~is_frame & (flat | (ndimage.maximum(darkness, labels, np.arange(1, count + 1)) > 255 * FAINT))
    inside: Mask = np.concatenate([[False], is_ink if is_cut else contact == 0])[labels]
    return inside


def _without_specks(mask: Mask) -> Mask:
    """Remove components that are thinner than the pen, and small ones far from all others."""
    labels, count = ndimage.label(mask, _NEIGHBOURS)
    numbers = np.arange(1, count + 1)
    widths = 2 * ndimage.maximum(ndimage.distance_transform_cdt(mask), labels, numbers)
    sizes = np.array([max(rows.stop - rows.start, columns.stop - columns.start) for rows, columns in ndimage.find_objects(labels)])
    large = sizes >= SMALL * sizes.max()
    distances = ndimage.minimum(ndimage.distance_transform_cdt(~np.isin(labels, numbers[large])), labels, numbers)
    kept = (widths >= SPECK * thickness(mask)) & (large | (distances <= NEAR * sizes.max()))
    return np.isin(labels, numbers[kept | (sizes == sizes.max())])
