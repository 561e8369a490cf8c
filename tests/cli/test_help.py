"""What the command line says of itself, at once."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from animatte.cli import app


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("verb", [[], ["cut"], ["models"], ["models", "import"], ["doctor"]])
def test_help_is_everywhere(verb: list[str], flag: str) -> None:
    result = CliRunner().invoke(app, [*verb, flag])
    assert result.exit_code == 0
    assert "Usage" in result.stdout


def test_help_and_version_load_nothing_heavy() -> None:
    program = (
        "import sys, animatte.cli as cli\n"
        "try: cli.app(['--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'cv2', 'onnxruntime', 'torch', 'PIL'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_the_command_is_there_as_a_module_too() -> None:
    run = [sys.executable, "-m", "animatte", "--version"]
    done = subprocess.run(run, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("animatte ")
