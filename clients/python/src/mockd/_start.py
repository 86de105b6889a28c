"""Starts and stops the mockd program."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from queue import Empty, Queue
from threading import Thread
from types import TracebackType
from typing import IO, Any, Self

from ._binary import find_binary
from ._mockd import Mockd
from ._request import Connection

# The flag does not exist on Windows.
_WITH_PARENT = [] if os.name == "nt" else ["--exit-with-parent"]


class StartedMockd(Mockd):
    """A mockd started by this process. It stops when this process exits, except on Windows."""

    def __init__(self, connection: Connection, seed: int, process: subprocess.Popen[str]) -> None:
        super().__init__(connection, seed)
        self._process = process
        #: The process id.
        self.pid = process.pid

    def stop(self) -> None:
        """Stops mockd and waits until it has exited. Further calls have no effect."""
        self._process.terminate()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    *scenarios: str | os.PathLike[str],
    seed: int | None = None,
    paused: bool = False,
    speed: float | None = None,
    port: int = 0,
    args: Sequence[str] = (),
    token: str | None = None,
    binary: str | os.PathLike[str] | None = None,
    timeout: float = 30,
) -> StartedMockd:
    """Starts mockd and waits until it answers, for at most ``timeout`` seconds.

    Of several scenarios, or of a folder's files in order of name, mockd serves the first. Port 0 picks a free port.
    ``args`` are more flags for ``mockd run``. ``token`` is the secret that control requests must send. It defaults to
    the environment variable ``MOCKD_CONTROL_TOKEN``, if set.

    Raises ``RuntimeError`` with the output of mockd if it exits before it is ready or is not ready in time.
    """
    if not scenarios:
        raise TypeError("start requires a scenario: the path of a YAML file")
    program = os.fspath(binary or find_binary())
    flags = ["--port", str(port), "--log-format", "json", *_WITH_PARENT]
    if seed is not None:
        flags += ["--seed", str(seed)]
    if speed is not None:
        flags += ["--speed", str(speed)]
    if paused:
        flags.append("--paused")
    token = token or os.environ.get("MOCKD_CONTROL_TOKEN")
    # The token is in the environment, because every user of the machine can read a program's arguments.
    environment = {**os.environ, "MOCKD_CONTROL_TOKEN": token} if token else None
    command = [program, "run", *flags, *args, "--", *(os.fspath(scenario) for scenario in scenarios)]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError:
        why = f'program "{program}" not found; install mockd, or set MOCKD_BINARY to its path'
        raise RuntimeError(f"cannot start mockd: {why}") from None
    ready = _Startup(process).ready(timeout)
    return StartedMockd(Connection(ready["url"], token), ready["seed"], process)


class _Startup:
    """Collects the output of mockd until it is ready. Later output is read and discarded, so that mockd never blocks on
    a full pipe."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._ready: Queue[dict[str, Any] | None] = Queue()
        self._printed: list[str] = []
        self._is_ready = False
        self._readers = [
            Thread(target=read, args=[pipe], daemon=True)
            for read, pipe in [(self._read_output, process.stdout), (self._read_log, process.stderr)]
        ]
        for reader in self._readers:
            reader.start()

    def ready(self, timeout: float) -> dict[str, Any]:
        """Returns the line that mockd prints once it answers, parsed."""
        try:
            ready = self._ready.get(timeout=timeout)
        except Empty:
            self._process.kill()
            raise self._error(f"mockd was not ready within {timeout:g} s") from None
        if ready is None:
            raise self._error(f"mockd exited before it was ready (exit code {self._process.wait()})")
        return ready

    def _error(self, why: str) -> RuntimeError:
        for reader in self._readers:
            reader.join()
        printed = "".join(self._printed).rstrip()
        return RuntimeError(f"{why}; output:\n{printed}" if printed else why)

    def _read_output(self, output: IO[str]) -> None:
        for line in output:
            ready = _parse(line)
            if ready and ready.get("ready"):
                self._is_ready = True
                self._ready.put(ready)
            elif not self._is_ready:
                self._printed.append(line)
        self._ready.put(None)

    def _read_log(self, log: IO[str]) -> None:
        for line in log:
            if not self._is_ready:
                self._printed.append(line)


def _parse(line: str) -> dict[str, Any] | None:
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None
