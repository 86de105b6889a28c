"""``python -m mockd``: the program, as the command ``mockd`` runs it."""

import subprocess
import sys

from ._binary import find_binary

if __name__ == "__main__":
    try:
        sys.exit(subprocess.call([find_binary(), *sys.argv[1:]]))
    except KeyboardInterrupt:
        # The program got it from the terminal too, and has said what there was to say.
        sys.exit(130)
