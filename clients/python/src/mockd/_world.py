"""A world, an isolated copy of the scenario, and its control API."""

from __future__ import annotations

import base64
import json as json_lines
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeAlias, Unpack
from urllib.parse import quote, urlencode

from ._request import Connection
from ._verification import VerificationError

if TYPE_CHECKING:
    from . import _api

#: A string as in scenarios, such as ``"250ms"`` or ``"1h30m"``, a number of milliseconds, or a ``timedelta``.
Duration: TypeAlias = str | float | timedelta


class _Control:
    """The control API of one world."""

    def __init__(self, connection: Connection, prefix: str) -> None:
        self.connection = connection
        self.path = f"{prefix}/__mockd"

    def __call__(self, method: str, path: str, payload: object = None) -> Any:
        return self.connection.json(method, f"{self.path}/{path}", payload)


class World:
    """An isolated copy of the scenario with its own data, clock, sockets and journal."""

    def __init__(self, connection: Connection, name: str) -> None:
        prefix = "" if name == "default" else f"/@{_segment(name)}"
        self._connection = connection
        self._control = control = _Control(connection, prefix)
        self.name = name
        #: The base URL of the world's API, without a trailing slash.
        self.url = connection.url + prefix
        self.clock = Clock(control)
        self.data = Data(control)
        self.faults = Faults(control)
        self.journal = Journal(control, name)
        self.snapshots = Snapshots(control)
        self.sockets = Sockets(control)

    def __repr__(self) -> str:
        return f"<World {self.name!r} at {self.url}>"

    def ws_url(self, path: str) -> str:
        """Returns the URL of a socket, such as ``ws://127.0.0.1:3000/@a/rooms/den`` for ``/rooms/den``."""
        return f"{self.url.replace('http', 'ws', 1)}/{path.removeprefix('/')}"

    def state(self) -> _api.StateAnswer:
        """Returns the current state of the world."""
        return self._control("GET", "state")

    def steps(self, *steps: _api.RuleStep) -> list[_api.EventShape]:
        """Runs steps, written as in a scenario, all or none. Steps with a later time are scheduled in the world."""
        return _events(self._control("POST", "steps", {"do": steps}))

    def send(
        self, topic: str, *, json: object = None, text: str | None = None, binary: bytes | None = None
    ) -> list[_api.EventShape]:
        """Sends a frame to all members of a topic."""
        frame = _frame(json, text, binary)
        return _events(self._control("POST", f"topics/{_segment(topic)}", frame))

    def orders(self, *orders: _api.OrderRequest) -> list[_api.EventShape]:
        """Places orders of a shop, all or none."""
        return _events(self._control("POST", "orders", {"orders": orders}))

    def set_totals(self, totals: Mapping[str, int]) -> list[_api.EventShape]:
        """Sets totals of a shop by product id, all or none."""
        return _events(self._control("PATCH", "state", {"totals": dict(totals)}))

    def reset(self, *, seed: int | None = None) -> None:
        """Resets the world to the scenario's start, optionally with a new seed. Open sockets stay open."""
        self._control("POST", "reset", {} if seed is None else {"seed": seed})

    def transcript(self, *, after: int = 0) -> str:
        """Returns every event since the start or reset, or those with a number greater than ``after``, one JSON object
        per line.

        Raises ``LookupError`` if some of them are no longer kept; a world keeps the last 100,000.
        """
        path = f"{self._control.path}/transcript?after={after}"
        text, headers = self._connection.send("GET", path)
        dropped = int(headers.get("x-mockd-dropped", 0))
        if dropped > after:
            raise LookupError(
                f'world "{self.name}" no longer has its first {dropped} events; read later events with '
                f"after={dropped}, or read the transcript earlier"
            )
        return text

    def events(self, *, after: int = 0) -> list[_api.EventShape]:
        """Returns the transcript's lines as objects."""
        return [json_lines.loads(line) for line in self.transcript(after=after).splitlines()]

    def verify(
        self, *expectations: _api.Expectation, ordered: bool = False, **expectation: Unpack[_api.Expectation]
    ) -> _api.Verdict:
        """Checks that the journal meets all expectations: one given by keywords, as in
        ``verify(path="/orders/A1", exactly=1)``, or several mappings. With ``ordered``, the entries of each must come
        after those of the previous one.

        Raises :class:`VerificationError` with the failed expectations and the nearest entries.
        """
        expected = [*expectations, expectation] if expectation else [*expectations]
        verdict = self._control("POST", "verify", {"expect": expected, "ordered": ordered})
        if verdict["pass"]:
            return verdict
        failed = sum(not finding["pass"] for finding in verdict["findings"])
        summary = f'the journal of world "{self.name}" fails {failed} of {len(expected)} expectations:'
        raise VerificationError(summary, expected, verdict)

    def remove(self) -> None:
        """Removes the world and closes its sockets."""
        self._connection.json("DELETE", f"/__mockd/worlds/{_segment(self.name)}")


class Clock:
    """A world's clock."""

    def __init__(self, control: _Control) -> None:
        self._control = control

    def get(self) -> _api.ClockAnswer:
        return self._control("GET", "clock")

    def pause(self) -> _api.ClockAnswer:
        """Pauses the clock."""
        return self._set(pause=True)

    def resume(self) -> _api.ClockAnswer:
        """Resumes the clock."""
        return self._set(resume=True)

    def speed(self, factor: float) -> _api.ClockAnswer:
        """Sets the speed relative to real time, from 0.001 to 100000."""
        return self._set(speed=factor)

    def advance(self, by: Duration) -> _api.Advanced:
        """Advances the clock and runs all events in between. Returns once they have been sent to all open sockets."""
        return self._set(advance=_duration(by))

    def advance_to(self, at: Duration) -> _api.Advanced:
        """Advances the clock to a time since the world's start and runs all events in between."""
        return self._set(advance_to=_duration(at))

    def step(self, count: int = 1) -> _api.Advanced:
        """Runs the next ``count`` scheduled events."""
        return self._set(step=count)

    def _set(self, **change: object) -> Any:
        return self._control("POST", "clock", change)


class Data(Mapping[str, Any]):
    """The current values of the scenario's ``data`` and the rows of its collections, by name."""

    def __init__(self, control: _Control) -> None:
        self._control = control

    def __getitem__(self, name: str) -> Any:
        return self._all()[name]

    def __setitem__(self, name: str, value: object) -> None:
        self.set({name: value})

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def __repr__(self) -> str:
        return f"<Data {self._all()!r}>"

    def set(self, values: Mapping[str, object]) -> list[_api.EventShape]:
        """Sets values and all rows of collections, all or none. Returns the resulting events."""
        return _events(self._control("PATCH", "state", {"data": dict(values)}))

    def _all(self) -> dict[str, Any]:
        return self._control("GET", "state").get("data") or {}


class Faults:
    """The injected faults of a world. A reset restores the scenario's faults."""

    def __init__(self, control: _Control) -> None:
        self._control = control

    def list(self) -> list[_api.FaultAnswer]:
        return self._control("GET", "faults")["faults"]

    def get(self, fault: int | str) -> _api.FaultAnswer:
        """Returns a fault by number or name."""
        return self._control("GET", _fault(fault))

    def add(self, fault: _api.Fault) -> _api.FaultAnswer:
        """Adds a fault, written as in a scenario. Its times count from now."""
        return self._control("POST", "faults", fault)

    def change(self, fault: int | str, into: _api.Fault) -> _api.FaultAnswer:
        """Replaces a fault. The new one starts from the beginning."""
        return self._control("PUT", _fault(fault), into)

    def remove(self, fault: int | str) -> None:
        """Removes a fault."""
        self._control("DELETE", _fault(fault))

    def clear(self) -> None:
        """Removes all faults."""
        self._control("DELETE", "faults")


class Journal:
    """The interactions between a world and its clients: requests, sockets and frames."""

    def __init__(self, control: _Control, world: str) -> None:
        self._control = control
        self._world = world

    def list(self, **filters: Unpack[_api.GetJournalParametersQuery]) -> _api.JournalAnswer:
        """Returns the entries that match all filters, in order."""
        return self._control("GET", f"journal?{urlencode(filters)}")

    def clear(self) -> None:
        """Removes all entries and restarts their numbering at 1."""
        self._control("DELETE", "journal")

    def wait_for(self, *, timeout: Duration = "5s", **expectation: Unpack[_api.Expectation]) -> _api.Verdict:
        """Waits until the journal meets the expectation. Existing entries count; ``after`` excludes them.

        Raises :class:`VerificationError` if the expectation is not met in time. ``timeout`` is in real time.
        """
        request = {"for": expectation, "timeout": _duration(timeout)}
        verdict = self._control("POST", "journal/wait", request)
        if verdict["pass"]:
            return verdict
        summary = f'world "{self._world}" waited {_duration(timeout)}, but an expectation was not met:'
        raise VerificationError(summary, [expectation], verdict)


class Snapshots:
    """The saved states of a world. A reset deletes them."""

    def __init__(self, control: _Control) -> None:
        self._control = control

    def list(self) -> list[_api.SnapshotAnswer]:
        return self._control("GET", "snapshots")["snapshots"]

    def save(self, name: str) -> None:
        """Saves the current state; replaces a snapshot of the same name."""
        self._control("POST", "snapshots", {"name": name})

    def restore(self, name: str) -> None:
        """Restores a snapshot. Open sockets stay open."""
        self._control("POST", f"snapshots/{_segment(name)}/restore")

    def delete(self, name: str) -> None:
        self._control("DELETE", f"snapshots/{_segment(name)}")


class Sockets:
    """The open sockets and streams of a world."""

    def __init__(self, control: _Control) -> None:
        self._control = control

    def list(self) -> list[_api.SocketAnswer]:
        return self._control("GET", "sockets")["sockets"]

    def close(self, socket: int | None = None, *, code: int = 1000, reason: str = "") -> Sequence[int]:
        """Closes one socket or, without a number, all sockets of the world. Returns their numbers."""
        closed = self._control("POST", _socket(socket, "close"), {"code": code, "reason": reason})["closed"]
        return closed

    def send(
        self,
        socket: int | None = None,
        *,
        json: object = None,
        text: str | None = None,
        binary: bytes | None = None,
    ) -> None:
        """Sends a frame unchanged to one socket or, without a number, to all sockets of the world."""
        self._control("POST", _socket(socket, "send"), _frame(json, text, binary))


def _segment(text: object) -> str:
    return quote(str(text), safe="")


def _fault(fault: int | str) -> str:
    return f"faults/{_segment(fault)}"


def _socket(socket: int | None, verb: str) -> str:
    return f"sockets/{verb}" if socket is None else f"sockets/{socket}/{verb}"


def _frame(json: object, text: str | None, binary: bytes | None) -> dict[str, object]:
    if text is not None:
        return {"text": text}
    if binary is not None:
        return {"binary": base64.b64encode(binary).decode()}
    return {"json": json}


def _duration(time: Duration) -> str:
    if isinstance(time, timedelta):
        return f"{time // timedelta(microseconds=1)}us"
    return time if isinstance(time, str) else f"{time}ms"


def _events(answer: Any) -> list[_api.EventShape]:
    return answer["events"]
