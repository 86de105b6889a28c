"""Tests the client with the todo list and the shop."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from urllib.request import Request, urlopen

import mockd
import pytest
from mockd import MockdError, StartedMockd, VerificationError, World


@pytest.fixture(scope="module")
def todos(scenarios: Path) -> Iterator[StartedMockd]:
    with mockd.start(scenarios / "todos.yaml", paused=True, seed=42) as started:
        yield started


@pytest.fixture(scope="module")
def shop(scenarios: Path) -> Iterator[StartedMockd]:
    with mockd.start(scenarios / "shop.yaml", paused=True, seed=42) as started:
        yield started


@pytest.fixture
def world(shop: StartedMockd, request: pytest.FixtureRequest) -> Iterator[World]:
    world = shop.world(request.node.name)
    yield world
    world.remove()


def order(world: World, product: str, amount: int) -> int:
    body = json.dumps({"amount": amount}).encode()
    request = Request(f"{world.url}/orders/{product}", body, {"content-type": "application/json"})
    with urlopen(request) as answer:
        return answer.status


def test_the_clock_runs_events_immediately(world: World) -> None:
    assert world.clock.advance("10s")["count"] == 6
    assert world.clock.advance_to(timedelta(seconds=12))["at"] == "12s"
    assert world.clock.advance(500)["at"] == "12s500ms"
    assert len(world.events()) == world.state()["sequence"]
    assert world.clock.speed(2)["speed"] == 2
    assert world.clock.get()["paused"]


def test_the_journal_records_the_requests_of_the_app(world: World) -> None:
    assert order(world, "A1", 10) == 200
    world.verify(method="POST", path="/orders/A1", body={"amount": 10}, exactly=1)
    world.verify({"path": "/orders/A1"}, {"path": "/orders/*", "exactly": 1}, ordered=False)
    assert world.journal.wait_for(path="/orders/A1")["pass"]
    assert [entry["path"] for entry in world.journal.list(kind="request")["entries"]] == ["/orders/A1"]
    with pytest.raises(VerificationError, match="body.amount: expected 3, found 10"):
        world.verify(path="/orders/A1", body={"amount": 3})
    with pytest.raises(VerificationError, match="waited 10ms, but an expectation was not met"):
        world.journal.wait_for(kind="opened", timeout=10)


def test_faults_last_until_they_are_removed(world: World) -> None:
    fault = world.faults.add({"name": "busy", "on": "http", "status": 429})
    assert (fault["label"], fault["phase"]) == ("busy", "active")
    with pytest.raises(OSError, match="429"):
        order(world, "A1", 10)
    world.faults.remove("busy")
    assert order(world, "A1", 10) == 200
    with pytest.raises(MockdError, match="did you mean `status`") as rejected:
        world.faults.add({"on": "http", "stats": 503})  # type: ignore[typeddict-unknown-key]
    assert rejected.value.status == 400


def test_snapshots_and_resets_restore_totals(world: World) -> None:
    world.set_totals({"A1": 50})
    world.snapshots.save("fifty")
    world.orders({"id": "A1", "amount": 8}, {"id": "A2", "amount": -1})
    assert world.state()["totals"] == {"A1": 58, "A2": 6, "B1": 101}
    world.snapshots.restore("fifty")
    assert world.state()["totals"] == {"A1": 50, "A2": 7, "B1": 101}
    world.reset()
    assert world.state()["totals"]["A1"] == 3
    with pytest.raises(MockdError) as rejected:
        world.orders({"id": "A1", "amount": 1}, {"id": "Z9", "amount": 1})
    assert (rejected.value.status, rejected.value.field) == (400, "orders[1].id")


def test_data_is_read_and_set_by_name(todos: StartedMockd) -> None:
    world = todos.world("data")
    assert [todo["title"] for todo in world.data["todos"]] == ["Buy milk", "Water the plants", "Learn to juggle"]
    world.data["todos"] = [{"id": 7, "title": "Sleep", "done": False}]
    assert dict(world.data) == {"todos": [{"id": 7, "title": "Sleep", "done": False}]}
    assert "todo" not in world.data
    events = world.steps({"add": {"todos": {"title": "Call mum", "done": False}}})
    assert [event["event"] for event in events] == ["added"]
    assert world.send("news", json={"hello": 1})[0]["topic"] == "news"


def test_a_client_connects_with_url_and_token(scenarios: Path) -> None:
    with mockd.start(scenarios / "shop.yaml", token="a-secret-of-tests") as started:
        with pytest.raises(MockdError) as rejected:
            mockd.connect(started.url)
        assert rejected.value.status == 401
        connected = mockd.connect(started.url, token="a-secret-of-tests")
        connected.world("a", seed=8)
        assert [(world["name"], world["seed"]) for world in connected.worlds()] == [("default", started.seed), ("a", 8)]
        assert [scenario["serving"] for scenario in connected.scenarios()] == [True]
    with pytest.raises(MockdError, match="is it still running"):
        connected.worlds()


def test_a_failed_start_reports_the_reason(tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("categoris: {}\n")
    with pytest.raises(RuntimeError, match=r"exit code 1(?s:.)*unknown key `categoris`"):
        mockd.start(broken)
    with pytest.raises(RuntimeError, match="install mockd, or set MOCKD_BINARY"):
        mockd.start(broken, binary="no-such-mockd")


@pytest.mark.skipif(os.name == "nt", reason="Windows does not have signals")
def test_the_program_runs_as_a_module(scenarios: Path) -> None:
    command = [sys.executable, "-m", "mockd", "check", str(scenarios / "shop.yaml")]
    assert "ok, 2 categories" in subprocess.run(command, capture_output=True, text=True, check=True).stdout
