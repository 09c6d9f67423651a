"""Image files: open them safely, and bring them into the form of the images that a network was trained on."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from playground.data.catalogue import DatasetInfo
from playground.data.photographs import find_ink
from playground.data.preprocessing import Pixels, to_digit
from playground.errors import DrawingError
from playground.messages import msg

MAX_PIXELS = 50_000_000
"""Larger images are refused before they are decoded."""
ANIMATED = ("GIF", "PNG", "WEBP")
"""Formats with several images where only one after the other is seen; a telephone's JPEG may hold a second one that nobody means."""
PLAIN = 25.0
"""Standard deviation of the brightness below which what is seen of an image that is nearly all transparent is ink of one colour."""


def to_input(image: Image.Image, info: DatasetInfo) -> Tensor:
    """Convert an image to the input shape of networks trained on this data set: ``(C, H, W)`` uint8.

    Raises:
        DrawingError: the image is blank.
    """
    channels, height, width = info.input_shape
    if info.kind == "digits":
        return to_digit(find_ink(brightness(image)).ink).input
    if info.kind == "characters":
        pixels = Image.fromarray(find_ink(brightness(image)).ink.astype(np.uint8)).resize((width, height), Image.Resampling.BOX)
        return torch.from_numpy(np.array(pixels)).unsqueeze(0)
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    square = _on_white(image).convert("RGB" if channels == 3 else "L")
    small = square.resize((width, height), Image.Resampling.BICUBIC, box=(left, top, left + side, top + side))
    return torch.from_numpy(np.array(small)).view(height, width, channels).permute(2, 0, 1).contiguous()


def read_image(source: Path | bytes, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Open an image file and apply its orientation tag.

    Args:
        source: the path of the file, or its content.
        max_pixels: largest number of pixels to accept.

    Raises:
        DrawingError: the file is missing, is not an image, is an animation, or has too many pixels.
    """
    name = source.name if isinstance(source, Path) else msg("This file")
    try:
        with Image.open(source if isinstance(source, Path) else BytesIO(source)) as image:
            if image.width * image.height > max_pixels:
                raise DrawingError(
                    msg(
                        "{name} has {width:,}×{height:,} pixels; at most {most:,} can be read.",
                        name=name,
                        width=image.width,
                        height=image.height,
                        most=max_pixels,
                    ),
                    msg("Make the image smaller first."),
                )
            if image.format in ANIMATED and getattr(image, "is_animated", False):
                raise DrawingError(msg("{name} is an animation.", name=name), msg("Save one of its images as a file of its own."))
            return ImageOps.exif_transpose(image).copy()  # phones store the orientation as a tag beside the pixels
    except FileNotFoundError:
        raise DrawingError(msg("There is no file {name}.", name=str(source))) from None
    except UnidentifiedImageError:
        raise DrawingError(msg("{name} cannot be read as an image: it is none, or of a kind that is not known here.", name=name)) from None
    except (OSError, SyntaxError, ValueError, RuntimeError, Image.DecompressionBombError) as error:  # what Pillow raises for files that are not images
        raise DrawingError(msg("{name} cannot be read as an image: {error}.", name=name, error=str(error))) from None


def brightness(image: Image.Image) -> Pixels:
    """Return the brightness of each pixel, ``(H, W)`` from 0 to 255; transparent pixels become what shows the rest best: white, black or its mean."""
    image = _in_8_bits(image)
    if not _is_transparent(image):
        return np.asarray(image.convert("L"), dtype=np.float64)
    grey, opacity = (np.asarray(band, dtype=np.float64) for band in image.convert("LA").split())
    share = opacity / 255
    mean = float((grey * share).sum() / max(share.sum(), 1))
    spread = float(((grey - mean) ** 2 * share).sum() / max(share.sum(), 1)) ** 0.5
    is_ink = spread < PLAIN * (1 - share.mean())
    ground = (255.0 if mean < 128 else 0.0) if is_ink else mean
    return grey * share + ground * (1 - share)


def _on_white(image: Image.Image) -> Image.Image:
    """Convert to 8 bits per channel; transparent pixels become white."""
    image = _in_8_bits(image)
    if not _is_transparent(image):
        return image
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image.convert("RGBA")).convert("RGB")


def _in_8_bits(image: Image.Image) -> Image.Image:
    """Convert an image with 16 or 32 bits per pixel, of which few programs use all; its brightest pixel becomes white."""
    if image.mode[0] not in "IF":
        return image
    values = np.nan_to_num(np.asarray(image, dtype=np.float64)).clip(min=0)
    return Image.fromarray((values * (255 / max(values.max(), 1e-9))).round().astype(np.uint8))


def _is_transparent(image: Image.Image) -> bool:
    return "A" in image.getbands() or "transparency" in image.info
