"""Tests the pytest plugin in separate pytest runs."""

from pathlib import Path

import pytest

# Tests with the same name, and with parameters that share a prefix or contain no character valid in a world's name.
ALIKE = """
import pytest

LONG = "a-parameter-that-is-longer-than-the-name-of-a-world-may-be-and-ends-with-"


@pytest.mark.parametrize("text", [LONG + "1", LONG + "2", "家電", "電家", "a b", "a-b", "", "/@?#%"])
def test_alike(mockd_world, text):
    assert mockd_world.state()["totals"]["A1"] == 3
    mockd_world.orders({"id": "A1", "amount": 1})
    assert len(mockd_world.name) <= 64


class TestAlike:
    def test_alike(self, mockd_world):
        test_alike(mockd_world, "")


def test_unused(mockd_world):
    pass


@pytest.fixture(scope="session", autouse=True)
def no_worlds_remain(mockd):
    yield
    assert [world["name"] for world in mockd.worlds()] == ["default"]
"""

# Runs each test once before its real run, like plugins that rerun failed tests.
TWICE = """
from _pytest.runner import runtestprotocol


def pytest_runtest_protocol(item, nextitem):
    reports = runtestprotocol(item, nextitem=nextitem, log=False)
    assert all(report.passed for report in reports), reports
    item._initrequest()
"""


@pytest.fixture
def shop(scenarios: Path) -> str:
    return f"--mockd-scenario={scenarios / 'shop.yaml'}"


def test_each_test_has_its_own_world(pytester: pytest.Pytester, shop: str) -> None:
    pytester.makeconftest(TWICE)
    pytester.makepyfile(test_one=ALIKE, test_two=ALIKE)
    pytester.runpytest_subprocess(shop).assert_outcomes(passed=20)


def test_the_option_sets_the_seed(pytester: pytest.Pytester, shop: str) -> None:
    pytester.makepyfile("def test_seed(mockd, mockd_world): assert (mockd.seed, mockd_world.state()['seed']) == (7, 7)")
    pytester.runpytest_subprocess(shop, "--mockd-seed=7").assert_outcomes(passed=1)


def test_a_failed_run_prints_how_to_repeat_it(pytester: pytest.Pytester, shop: str) -> None:
    pytester.makepyfile("def test_fails(mockd_world): mockd_world.verify(path='/never')")
    result = pytester.runpytest_subprocess(shop, "--mockd-seed=7")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*expected at least 1, found 0*", "mockd: to repeat this run, pass --mockd-seed 7"])


def test_the_configuration_can_name_the_scenario(pytester: pytest.Pytester, scenarios: Path) -> None:
    pytester.makeini("[pytest]\nmockd_scenario = todos.yaml")
    pytester.path.joinpath("todos.yaml").write_text((scenarios / "todos.yaml").read_text())
    pytester.makepyfile("def test_todos(mockd_world): assert list(mockd_world.data) == ['todos']")
    pytester.runpytest_subprocess().assert_outcomes(passed=1)


def test_a_run_without_a_scenario_reports_how_to_set_one(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(mockd_world): pass")
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*pytest --mockd-scenario shop.yaml, or mockd_scenario = shop.yaml*"])


def test_runs_without_fixtures_do_not_start_mockd(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_nothing(): pass")
    pytester.runpytest_subprocess("--mockd-scenario=nope.yaml").assert_outcomes(passed=1)
