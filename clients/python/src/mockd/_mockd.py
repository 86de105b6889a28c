"""A mockd that runs, and its worlds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ._request import Connection, MockdError
from ._world import World

if TYPE_CHECKING:
    from . import _api


class Mockd:
    """A mockd that runs."""

    def __init__(self, connection: Connection, seed: int) -> None:
        self._connection = connection
        #: Where it listens, without a slash at the end, such as ``http://127.0.0.1:3000``.
        self.url = connection.url
        #: The seed of its default world, which worlds without one of their own have too.
        self.seed = seed
        #: The world of paths without ``/@NAME``. It cannot be removed, only reset.
        self.default_world = World(connection, "default")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {self.url}>"

    def world(
        self, name: str, *, seed: int | None = None, paused: bool | None = None, speed: float | None = None
    ) -> World:
        """Makes a world. Without options, one of that name that is there already is used.

        A name has 1 to 64 letters, digits, dots, dashes, underscores or tildes.
        """
        options = {"seed": seed, "paused": paused, "speed": speed}
        given = {key: value for key, value in options.items() if value is not None}
        try:
            self._connection.json("POST", "/__mockd/worlds", {"name": name, **given})
        except MockdError as error:
            # One that is there already is just as good, unless it was to be made in a certain way.
            if error.status != 409 or given:
                raise
        return World(self._connection, name)

    def worlds(self) -> list[_api.WorldAnswer]:
        """All worlds: the default one, then the others by name."""
        return self._connection.json("GET", "/__mockd/worlds")["worlds"]

    def scenarios(self) -> list[_api.ScenarioAnswer]:
        """The scenario files that it was started with, in order."""
        return self._connection.json("GET", "/__mockd/scenarios")["scenarios"]

    def use_scenario(self, file: str | os.PathLike[str]) -> _api.ReloadAnswer:
        """Serves another of its scenario files from now on, in all worlds."""
        answer = self._connection.json("POST", "/__mockd/scenarios", {"file": os.fspath(file)})
        return answer


def connect(url: str, *, token: str | None = None) -> Mockd:
    """Uses a mockd that runs already, which is not stopped.

    ``token`` is the secret it was started with; otherwise ``MOCKD_CONTROL_TOKEN`` of the environment, if set.
    """
    connection = Connection(url, token or os.environ.get("MOCKD_CONTROL_TOKEN"))
    seed = connection.json("GET", "/__mockd/state")["seed"]
    return Mockd(connection, seed)
