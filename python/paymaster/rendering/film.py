"""Frames into a file: GIF, MP4 or, of a single frame, PNG."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["write_film"]

Frame = NDArray[np.uint8]

_DRAWN = 1 << 15  # a picture of more colours is no drawing of ours


def write_film(frames: Iterable[Frame], path: str | os.PathLike[str], fps: float = 4.0) -> int:
    """Writes ``frames`` as they come, two or so in memory at a time. A failure leaves no file, or an old one as it was.

    Args:
        frames: uint8 [height, width, 3], all of one shape.
        path: ends in .gif, .mp4 (needs ``pip install 'paymaster[film]'``) or, for a single frame, .png.
        fps: frames a second, in [0.1, 60]; a GIF keeps time in hundredths of a second.

    Returns:
        How many frames were written.

    Raises:
        ValueError: another ending, no frames, a frame of another shape, several frames for a PNG, fps out of range;
            MP4 without imageio-ffmpeg.
        TypeError: a frame that is not uint8.
        OSError: the file cannot be written.
    """
    target = Path(path)
    if target.suffix.lower() not in _WRITERS:
        raise ValueError(f"path: expected a name ending in {', '.join(_WRITERS)}, got {target.name!r:.80}")
    if not 0.1 <= fps <= 60:
        raise ValueError(f"fps: expected a value in [0.1, 60], got {fps}")
    count = 0

    def checked() -> Iterator[Frame]:
        nonlocal count
        shape: tuple[int, ...] | None = None
        for frame in frames:
            array = np.asarray(frame)
            if array.dtype != np.uint8:
                raise TypeError(f"frames: expected dtype uint8, got {array.dtype}")
            if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape or shape not in (None, array.shape):
                raise ValueError(f"frames: expected shape {shape or '[height, width, 3]'}, got {array.shape}")
            shape = array.shape
            count += 1
            yield np.ascontiguousarray(array)
        if count == 0:
            raise ValueError("frames: expected at least one, got none")

    beside = target.with_name(f".{target.stem}.{os.getpid()}{target.suffix.lower()}")
    try:
        _WRITERS[target.suffix.lower()](checked(), beside, fps)
        os.replace(beside, target)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    return count


def _write_gif(frames: Iterator[Frame], path: Path, fps: float) -> None:
    delay = max(20, round(100 / fps) * 10)  # milliseconds; viewers slow down what is faster than 50 a second
    index_of = np.zeros(1 << 24, dtype=np.uint8)
    images = (_with_palette(Image.fromarray(frame), index_of) for frame in frames)
    first = next(images)
    first.save(path, save_all=True, append_images=images, duration=delay, loop=0, disposal=1)


def _with_palette(image: Image.Image, index_of: NDArray[np.uint8]) -> Image.Image:
    """In its own 255 most frequent colours, any other in the nearest of them.

    A drawing's flat colours stay exact, and with them what neighbouring frames share: the file stays small. Pillow's
    own quantisers merge light greys with white.

    Args:
        image: RGB.
        index_of: room for an index for each of the 2^24 colours; what it holds does not matter.
    """
    counted: Any = image.getcolors(_DRAWN)
    if counted is None:
        return image.quantize(255, Image.Quantize.MEDIANCUT)
    colours = np.array([colour for _, colour in sorted(counted, key=lambda entry: (-entry[0], entry[1]))], np.float32)
    palette = colours[:255]  # the last index is left for "as in the frame before", which Pillow uses then
    # Squared distances less what does not depend on the palette's colour; float32 holds them exactly.
    apart = np.square(palette).sum(-1) - 2.0 * (colours @ palette.T)
    index_of[(colours @ np.array([1 << 16, 1 << 8, 1], np.float32)).astype(np.int32)] = apart.argmin(-1)
    padded = np.asarray(image.convert("RGBX"))
    out = Image.fromarray(index_of[padded.view(">u4")[..., 0] >> 8])
    out.putpalette(palette.astype(np.uint8).tobytes())
    return out


def _write_mp4(frames: Iterator[Frame], path: Path, fps: float) -> None:
    try:
        import imageio_ffmpeg  # type: ignore[import-not-found, import-untyped, unused-ignore]
    except ImportError:
        raise ValueError(
            "path: expected imageio-ffmpeg for .mp4, got no such package; pip install imageio-ffmpeg, or write a .gif"
        ) from None
    # H.264 wants even sizes: the last row or column comes twice.
    source = (np.pad(one, ((0, one.shape[0] % 2), (0, one.shape[1] % 2), (0, 0)), mode="edge") for one in frames)
    first = next(source)
    height, width, _ = first.shape
    writer = imageio_ffmpeg.write_frames(
        str(path), (width, height), fps=fps, codec="libx264", quality=8, macro_block_size=1, ffmpeg_log_level="error"
    )
    writer.send(None)
    try:
        for frame in chain([first], source):
            writer.send(frame)
    finally:
        writer.close()


def _write_png(frames: Iterator[Frame], path: Path, _: float) -> None:
    image = Image.fromarray(next(frames))
    if next(frames, None) is not None:
        raise ValueError("frames: expected a single one for a .png, got several")
    image.save(path, optimize=True)


_WRITERS: dict[str, Callable[[Iterator[Frame], Path, float], None]] = {
    ".gif": _write_gif,
    ".mp4": _write_mp4,
    ".png": _write_png,
}
