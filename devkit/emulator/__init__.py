"""A scripted emulator of the chat completions API of Azure OpenAI and OpenAI.

``python -m devkit.emulator --port 0 --script FILE`` serves it; tests use
``with Emulator(script) as emulator``. The script's format is in docs/emulator.md.
"""

from devkit.emulator.app import Received
from devkit.emulator.script import Script, ScriptError
from devkit.emulator.server import Emulator

__all__ = ["Emulator", "Received", "Script", "ScriptError"]
