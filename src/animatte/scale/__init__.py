"""Pictures on many machines: Ray Data over lists, folders, Parquet files and object stores."""

from animatte.scale.engine import Setup, cut_scaled
from animatte.scale.sources import Work, is_address, listed_work, scaled_targets

__all__ = ["Setup", "Work", "cut_scaled", "is_address", "listed_work", "scaled_targets"]
