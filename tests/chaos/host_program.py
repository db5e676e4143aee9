"""`python -m devkit.host`, started so that a chaos run can kill it, and hurry its clocks.

The run needs the process id of the host itself, not of its supervisor: CHAOS_PID_FILE says where to
write it. CHAOS_HURRY, if set, shortens the protocol's clocks as tests/chaos/clocks.py says.
CHAOS_HOME is the folder that has ``desks``.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # Not this file's folder: the app must find what it would find without us.
    sys.path[0] = str(Path(__file__).resolve().parents[2])
    Path(os.environ["CHAOS_PID_FILE"]).write_text(str(os.getpid()))
    import shared.bootstrap

    vars(shared.bootstrap)["ROOT"] = Path(os.environ["CHAOS_HOME"])
    if os.environ.get("CHAOS_HURRY"):
        from tests.chaos.clocks import HurriedLimits

        vars(shared.bootstrap)["Limits"] = HurriedLimits
    runpy.run_module("devkit.host", run_name="__main__", alter_sys=True)
