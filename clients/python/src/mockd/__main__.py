"""``python -m mockd``: runs the program like the command ``mockd``."""

import subprocess
import sys

from ._binary import find_binary

if __name__ == "__main__":
    try:
        sys.exit(subprocess.call([find_binary(), *sys.argv[1:]]))
    except KeyboardInterrupt:
        # The terminal interrupts the program as well, which has printed its own messages.
        sys.exit(130)
