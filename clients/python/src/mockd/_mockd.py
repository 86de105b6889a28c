"""A running mockd and its worlds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._request import Connection, MockdError
from ._world import World

if TYPE_CHECKING:
    from . import _api


class Mockd:
    """A running mockd."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self._connection = connection
        #: The address of mockd, without a trailing slash, such as ``http://127.0.0.1:3000``.
        self.url = connection.url
        #: The seed of the default world and of all worlds created without a seed.
        self.seed = seed
        #: The world of paths without ``/@NAME``. It cannot be removed, only reset.
        self.default_world = World(connection, "default")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.url}>"

    def world(
        self, name: str, *, seed: int | None = None, paused: bool | None = None, speed: float | None = None
    ) -> World:
        """Creates a world. Without options, returns the existing world of that name, if there is one.

        A name has 1 to 64 letters, digits, dots, dashes, underscores or tildes.
        """
        options = {"seed": seed, "paused": paused, "speed": speed}
        given = {key: value for key, value in options.items() if value is not None}
        try:
            self._connection.json("POST", "/__mockd/worlds", {"name": name, **given})
        except MockdError as error:
            # An existing world is fine, unless options were given.
            if error.status != 409 or given:
                raise
        return World(self._connection, name)

    def worlds(self) -> list[_api.WorldAnswer]:
        """Returns all worlds: the default one, then the others by name."""
        return self._connection.json("GET", "/__mockd/worlds")["worlds"]

    def scenarios(self) -> list[_api.ScenarioAnswer]:
        """Returns the scenario files that mockd was started with, in order."""
        return self._connection.json("GET", "/__mockd/scenarios")["scenarios"]

    def use_scenario(self, file: str | os.PathLike[str]) -> _api.ReloadAnswer:
        """Switches all worlds to another of the scenario files."""
        answer = self._connection.json("POST", "/__mockd/scenarios", {"file": os.fspath(file)})
        return answer


def connect(url: str, *, token: str | None = None) -> Mockd:
    """Connects to a running mockd. The client never stops it.

    ``token`` is the secret that mockd was started with. It defaults to the environment variable
    ``MOCKD_CONTROL_TOKEN``, if set.
    """
    connection = Connection(url, token or os.environ.get("MOCKD_CONTROL_TOKEN"))
    seed = connection.json("GET", "/__mockd/state")["seed"]
    return Mockd(connection, seed)
