"""`python -m devkit.emulator` as its users meet it."""

import signal
import subprocess
import sys
from pathlib import Path

import openai
import pytest

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "devkit.emulator"]


def test_it_serves_a_script_tells_what_it_did_and_stops(tmp_path: Path) -> None:
    script = tmp_path / "night.yaml"
    script.write_text("rules:\n  - {name: outage, when: {calls: 1}, then: {fault: server_error}}")
    options = ["--script", str(script), "--require-key", "right", "--latency-ms", "1", "--verbose"]
    emulator = subprocess.Popen(
        [*COMMAND, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert emulator.stdout
        ready = emulator.stdout.readline()
        assert ready.startswith("Emulator ready on http://127.0.0.1:")
        url = ready.split()[-1]
        for key, error in (
            ("right", openai.InternalServerError),
            ("w", openai.AuthenticationError),
        ):
            client = openai.OpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)
            with pytest.raises(error):
                client.chat.completions.create(
                    model="m", messages=[{"role": "user", "content": "xylophone"}]
                )
    finally:
        emulator.send_signal(signal.SIGTERM)
        _, said = emulator.communicate(timeout=10)

    assert emulator.returncode == 0
    assert said == "POST /v1/chat/completions 500  (outage)\nPOST /v1/chat/completions 401\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rules: [{then: {fault: explode}}]", "rules.0.then.fault: "),
        ("rules: [", "not valid YAML: "),
        (None, "cannot be read: No such file or directory"),
    ],
)
def test_a_bad_script_is_one_line(tmp_path: Path, text: str | None, said: str) -> None:
    script = tmp_path / "night.yaml"
    if text is not None:
        script.write_text(text)

    ended = subprocess.run(
        [*COMMAND, "--script", str(script)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert ended.returncode == 2
    assert ended.stderr.startswith(f"frontdesk emulate: {script}: {said}")
    assert ended.stderr.count("\n") == 1


def test_bad_usage_is_one_line() -> None:
    ended = subprocess.run(
        [*COMMAND, "--latency-ms", "-1"],
        cwd=ROOT, capture_output=True, text=True, timeout=20, check=False,
    )  # fmt: skip

    assert ended.returncode == 2
    assert ended.stderr == "frontdesk emulate: argument --latency-ms: not between 0 and 600000\n"
