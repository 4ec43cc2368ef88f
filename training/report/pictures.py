"""Pictures small enough to stand inside a page: WebP as data addresses."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from training.errors import TrainingError
from training.files import write_whole

WIDEST = 900
QUALITY = 78


def shrink(source: Path, target: Path, widest: int = WIDEST, quality: int = QUALITY) -> Path:
    """A WebP copy at most `widest` pixels wide. Raises TrainingError: unreadable, disk full."""
    try:
        with Image.open(source) as picture:
            small = picture.convert("RGB")
    except (OSError, UnidentifiedImageError) as error:
        raise TrainingError(f"{source}: not a picture", "evaluate the row again") from error
    if small.width > widest:
        height = max(1, round(small.height * widest / small.width))
        small = small.resize((widest, height), Image.Resampling.LANCZOS)
    write_whole(target, lambda file: small.save(file, "WEBP", quality=quality, method=4))
    return target


def data_address(path: Path) -> tuple[str, int, int]:
    """(data: address, width, height) of a picture file, to be written into a page."""
    content = path.read_bytes()
    with Image.open(io.BytesIO(content)) as picture:
        kind, (width, height) = (picture.format or "webp").lower(), picture.size
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}", width, height
