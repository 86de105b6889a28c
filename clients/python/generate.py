"""Generates the types of the control API, src/mockd/_api.pyi, from the OpenAPI document that mockd serves.

With --check, only reports whether they are up to date. Needs datamodel-code-generator, which tests/run installs.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "src"))

import mockd  # noqa: E402

TARGET = HERE / "src/mockd/_api.pyi"
HEAD = "# Made from mockd's OpenAPI document by generate.py.\n\n"
OPTIONS = [
    *["--input-file-type", "openapi", "--openapi-scopes", "schemas", "paths", "parameters"],
    *["--output-model-type", "typing.TypedDict", "--target-python-version", "3.11"],
    *["--use-operation-id-as-name", "--use-schema-description", "--disable-timestamp", "--custom-file-header", "#"],
    *["--formatters", "builtin"],
]


def types() -> str:
    with TemporaryDirectory() as folder:
        document, output = Path(folder, "openapi.json"), Path(folder, "api.py")
        with mockd.start(HERE / "../../scenarios/shop.yaml", paused=True) as server:
            document.write_bytes(urlopen(f"{server.url}/__mockd/openapi.json").read())
        command = [Path(sys.executable).with_name("datamodel-codegen"), "--input", document, "--output", output]
        subprocess.run([*command, *OPTIONS], check=True, stderr=subprocess.DEVNULL)
        return HEAD + output.read_text().removeprefix("#\n").lstrip()


if "--check" not in sys.argv:
    TARGET.write_text(types())
elif types() != TARGET.read_text():
    sys.exit(f"{TARGET} does not match mockd's OpenAPI document; run clients/python/generate.py")
