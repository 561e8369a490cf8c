"""What is not installed, and the extra that brings it."""

from __future__ import annotations

from importlib.util import find_spec


def check_installed(package: str, extra: str) -> None:
    """Say what to install if a package is not there, without importing it.

    Raises:
        ModuleNotFoundError: naming the extra.
    """
    if find_spec(package) is None:
        raise ModuleNotFoundError(
            f"{package} is not installed; run: pip install 'animatte[{extra}]'", name=package
        )
