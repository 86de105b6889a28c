"""The fixtures ``mockd``, with session scope, and ``mockd_world``, one per test."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ._mockd import Mockd
from ._start import start
from ._world import World

_SEED = pytest.StashKey[int]()

#: The maximum length of a world's name.
_MAX_NAME_LENGTH = 64


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mockd")
    group.addoption(
        "--mockd-scenario",
        metavar="FILE",
        help="the scenario of the fixtures mockd and mockd_world [default: mockd_scenario in the configuration]",
    )
    group.addoption(
        "--mockd-seed",
        metavar="SEED",
        type=int,
        help="the seed of every random choice [default: the scenario's, or a random one]",
    )
    parser.addini("mockd_scenario", "the scenario for --mockd-scenario, relative to this file", type="paths")


@pytest.fixture(scope="session")
def mockd(pytestconfig: pytest.Config) -> Iterator[Mockd]:
    """A mockd that serves the scenario in ``--mockd-scenario``, with paused clocks that tests advance."""
    with start(*_scenarios(pytestconfig), seed=pytestconfig.option.mockd_seed, paused=True) as started:
        pytestconfig.stash[_SEED] = started.seed
        yield started


@pytest.fixture
def mockd_world(mockd: Mockd, request: pytest.FixtureRequest) -> Iterator[World]:
    """A world for this test only, removed afterwards."""
    world = mockd.world(_world_name(request.node.nodeid))
    # An earlier run of the same test may have been aborted.
    world.reset()
    yield world
    world.remove()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    seed = config.stash.get(_SEED, None)
    has_failed = terminalreporter.stats.get("failed") or terminalreporter.stats.get("error")
    if seed is not None and has_failed:
        terminalreporter.write_line(f"mockd: to repeat this run, pass --mockd-seed {seed}")


def _scenarios(config: pytest.Config) -> list[Path]:
    option = config.option.mockd_scenario
    if option is not None:
        return [config.invocation_params.dir / option]
    configured: list[Path] = config.getini("mockd_scenario")
    if not configured:
        raise pytest.UsageError(
            "mockd needs a scenario: pytest --mockd-scenario shop.yaml, or mockd_scenario = shop.yaml in pytest.ini"
        )
    return configured


def _world_name(node_id: str) -> str:
    """Returns a readable name with a hash. Tests in different files may have the same name, and names may differ only
    at the end of a long parameter or in characters that are invalid in a world's name."""
    digest = hashlib.sha256(node_id.encode()).hexdigest()[:16]
    test = re.sub("[^A-Za-z0-9]+", "-", node_id.partition("::")[2]).strip("-")
    return f"{test[: _MAX_NAME_LENGTH - len(digest) - 1]}-{digest}"
