"""Runs the tests against the installed package, with the scenarios of this repository."""

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session")
def scenarios() -> Path:
    return Path(__file__).parents[3] / "scenarios"
