"""Data: sources of pictures, the papers' data sets, augmentation, caches.

`open_dataset` makes the data set that a configuration means; the classes serve other uses.
"""

from __future__ import annotations

from .base import SampleDataset
from .clips import ShotDataset
from .hashing import data_hash
from .manga import MangaDataset, MonochromeDataset
from .opening import open_dataset, open_whole_pages
from .pairs import PairedLineDataset
from .photos import PhotoDataset
from .picture import BadPicture, Picture, PictureSource, ShotSource
from .sets import SETS, data_root

__all__ = [
    "SETS",
    "BadPicture",
    "MangaDataset",
    "MonochromeDataset",
    "PairedLineDataset",
    "PhotoDataset",
    "Picture",
    "PictureSource",
    "SampleDataset",
    "ShotDataset",
    "ShotSource",
    "data_hash",
    "data_root",
    "open_dataset",
    "open_whole_pages",
]
