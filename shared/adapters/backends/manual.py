"""Backend ``manual``: people carry the action out and tick it off. Nothing is sent anywhere."""

from __future__ import annotations

from shared.adapters.backends import Backend

BACKEND = Backend()
