"""Azurite, Microsoft's emulator of Azure Storage, as a child process on loopback."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from devkit import processes, setup

ACCOUNT = "devstoreaccount1"
# The same for everybody: https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
ACCOUNT_KEY = (
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)
SERVICES = ("Blob", "Queue", "Table")
START_LIMIT = 60.0  # seconds; 1 s is usual, a busy machine takes several


class AzuriteError(Exception):
    """Azurite is not installed, or its data is in use. The message says what to do."""


class Azurite:
    """One Azurite over one data folder, on ports that the system chooses.

    Args:
        data: folder that keeps blobs, queues and tables between runs.
        log: file for its output; `azurite.log` in the data folder when None.
        patience: seconds to wait for another Azurite to let go of the folder; one that is being
            stopped needs a few.
    """

    def __init__(self, data: Path, log: Path | None = None, *, patience: float = 10.0) -> None:
        self.data = data
        self.connection_string = ""
        self._log = log or data / "azurite.log"
        self._patience = patience
        self._child: processes.Child | None = None

    def start(self) -> processes.Child:
        """Starts the process and returns it; `wait_ready` tells when it listens.

        Raises:
            AzuriteError: Azurite or Node.js is missing, or another Azurite has the folder.
        """
        node, script = installed()
        command = [str(node), str(script), "--location", str(self.data), "--silent"]
        # Azurite lags behind the API versions of current SDKs, and serves them all the same.
        command += ["--skipApiVersionCheck", "--disableTelemetry"]
        for service in SERVICES:
            command += [f"--{service.lower()}Host", "127.0.0.1", f"--{service.lower()}Port", "0"]
        lock = self._take_data()
        try:
            self._child = processes.start("Azurite", command, log=self._log, hold=[lock])
        finally:
            os.close(lock)  # from here on the supervisor holds it, for as long as Azurite lives
        return self._child

    def wait_ready(self) -> None:
        """Waits until all three services listen; `connection_string` is known then.

        Raises:
            ProcessError: it ended, or was not ready in time.
        """
        parts = [f"AccountName={ACCOUNT}", f"AccountKey={ACCOUNT_KEY}"]
        for service in SERVICES:
            line = rf"{service} service is successfully listening at (http://\S+)"
            url = self._running().wait_for_line(line, START_LIMIT)[1]
            parts.append(f"{service}Endpoint={url}/{ACCOUNT}")
        self.connection_string = ";".join(["DefaultEndpointsProtocol=http", *parts]) + ";"

    def stop(self) -> None:
        """Ends it after it has saved its data. Harmless when it does not run."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def _running(self) -> processes.Child:
        if self._child is None:
            raise AzuriteError("Azurite was not started.")
        return self._child

    def _take_data(self) -> int:
        self.data.mkdir(parents=True, exist_ok=True)
        lock = os.open(self.data / "in-use.lock", os.O_RDWR | os.O_CREAT, 0o644)
        deadline = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    os.close(lock)
                    raise AzuriteError(
                        f"another Frontdesk is using {self.data}. Stop it, or give this one a "
                        "folder of its own with FRONTDESK_STATE."
                    ) from None
                time.sleep(0.1)
            else:
                return lock


def installed() -> tuple[Path, Path]:
    """Node.js and Azurite's script: from FRONTDESK_AZURITE, else from the set-up.

    Raises:
        AzuriteError: one of them is missing.
    """
    where = setup.layout()
    script = where.azurite_script
    named = os.environ.get("FRONTDESK_AZURITE")
    if named:
        script = Path(named, "node_modules/azurite/dist/src/azurite.js")
    node = str(where.node) if os.access(where.node, os.X_OK) else shutil.which("node")
    if not script.is_file():
        raise AzuriteError(
            f"Azurite is not installed: {script} is missing. `./frontdesk run` installs it; "
            "FRONTDESK_AZURITE may name a folder whose node_modules has it."
        )
    if node is None:
        raise AzuriteError("Node.js is missing. `./frontdesk run` installs it.")
    return Path(node), script
