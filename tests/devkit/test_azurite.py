from __future__ import annotations

from pathlib import Path

import pytest
from azure.storage.queue import QueueServiceClient

from devkit.azurite import Azurite, AzuriteError


def queues(azurite: Azurite) -> list[str]:
    with QueueServiceClient.from_connection_string(azurite.connection_string) as client:
        return [queue.name for queue in client.list_queues()]


def test_data_outlives_a_stop(tmp_path: Path) -> None:
    with Azurite(tmp_path) as first:
        client = QueueServiceClient.from_connection_string(first.connection_string)
        client.create_queue("kept")

    with Azurite(tmp_path) as second:
        assert queues(second) == ["kept"]


def test_two_over_one_folder_are_refused_and_the_first_goes_on(
    azurite: Azurite, tmp_path: Path
) -> None:
    with pytest.raises(AzuriteError, match=r"another Frontdesk is using .* FRONTDESK_STATE"):
        Azurite(azurite.data, tmp_path / "second.log", patience=0).start()

    assert isinstance(queues(azurite), list)


def test_missing_installation_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FRONTDESK_AZURITE", str(tmp_path))

    with pytest.raises(AzuriteError, match=r"not installed: .*`\./frontdesk run` installs it"):
        Azurite(tmp_path / "data").start()
