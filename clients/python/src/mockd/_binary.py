"""Finds the mockd program."""

import os
from importlib import metadata

_NAME = "mockd.exe" if os.name == "nt" else "mockd"


def find_binary() -> str:
    """Returns the program that the environment variable ``MOCKD_BINARY`` names, otherwise the one installed with this
    package, otherwise ``mockd`` on the ``PATH``."""
    named = os.environ.get("MOCKD_BINARY")
    return named or _installed() or "mockd"


def _installed() -> str | None:
    try:
        files = metadata.files("mockd") or []
    except metadata.PackageNotFoundError:
        return None
    for file in files:
        path = file.locate()
        if file.name == _NAME and os.path.isfile(path):
            return str(path)
    return None
