"""Builds the wheel from an existing program:

    python packaging/python/build.py OUT PROGRAM [MATURIN-OPTION]...

maturin runs the command in the environment variable CARGO. Here that is this script, which reports the existing program
as the result of the build. The program is built once, and wheels, npm packages and archives contain the same one.
`pip install ./clients/python` builds it from source and does not use this script.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from shutil import copyfile
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
PROGRAM = "MOCKD_PREBUILT"
REAL_CARGO = "MOCKD_REAL_CARGO"


def build(out: str, program: str, options: list[str]) -> None:
    with TemporaryDirectory() as folder:
        # The file name becomes the name of the installed command.
        named = Path(folder, "mockd.exe" if os.name == "nt" else "mockd")
        copyfile(program, named)
        cargo = Path(folder, "cargo.bat" if os.name == "nt" else "cargo")
        cargo.write_text(launcher())
        cargo.chmod(0o755)
        environment = {
            **os.environ,
            "CARGO": str(cargo),
            REAL_CARGO: os.environ.get("CARGO", "cargo"),
            PROGRAM: str(named),
        }
        command = [sys.executable, "-m", "maturin", "build", "--out", str(Path(out).resolve()), *options]
        subprocess.run(command, check=True, env=environment, cwd=ROOT / "clients/python")


def launcher() -> str:
    call = f'"{sys.executable}" "{Path(__file__).resolve()}" --as-cargo'
    return f"@{call} %*\r\n" if os.name == "nt" else f'#!/bin/sh\nexec {call} "$@"\n'


def as_cargo(arguments: list[str]) -> int:
    """Acts as cargo, except that a build immediately reports the existing program as its result."""
    if arguments[0] != "rustc":
        return subprocess.call([os.environ[REAL_CARGO], *arguments])
    metadata = json.loads(
        subprocess.check_output(
            [os.environ[REAL_CARGO], "metadata", "--format-version", "1", "--no-deps", "--locked"], cwd=ROOT
        )
    )
    package = next(package for package in metadata["packages"] if package["name"] == "mockd")
    target = next(target for target in package["targets"] if target["kind"] == ["bin"])
    program = os.environ[PROGRAM]
    artifact = {
        "reason": "compiler-artifact",
        "package_id": package["id"],
        "manifest_path": package["manifest_path"],
        "target": target,
        "profile": {"opt_level": "3", "debuginfo": 0, "debug_assertions": False, "overflow_checks": False, "test": False},
        "features": [],
        "filenames": [program],
        "executable": program,
        "fresh": True,
    }
    print(json.dumps(artifact))
    print(json.dumps({"reason": "build-finished", "success": True}))
    return 0


if sys.argv[1:2] == ["--as-cargo"]:
    sys.exit(as_cargo(sys.argv[2:]))
elif len(sys.argv) < 3:
    sys.exit("usage: build.py OUT PROGRAM [MATURIN-OPTION]...")
else:
    build(sys.argv[1], sys.argv[2], sys.argv[3:])
