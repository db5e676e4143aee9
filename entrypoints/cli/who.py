"""Who acts on a case, and why: both stay in its trace."""

from __future__ import annotations

import argparse
import getpass

_NAME_CHARS = 80


def add_who(parser: argparse.ArgumentParser, *, reason: bool) -> None:
    """Add --reason, needed or not, and --by."""
    why = "why, in a few words; stays in the case's trace"
    parser.add_argument("--reason", required=reason, default="", metavar="TEXT", help=why)
    parser.add_argument("--by", metavar="NAME", help="who says so (default: your user name)")


def signed(args: argparse.Namespace) -> dict[str, str]:
    """The part of an act that every act has: ``{"by", "reason"}``."""
    return {"by": args.by or _user_name(), "reason": args.reason}


def _user_name() -> str:
    try:
        return getpass.getuser()[:_NAME_CHARS]
    except (ImportError, KeyError, OSError):  # a container's user may have no name
        return "operator"
