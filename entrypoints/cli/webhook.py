"""``webhook``: send a delivery as a CRM would, or check what is configured for one."""

from __future__ import annotations

import argparse

from entrypoints.cli import local
from entrypoints.cli.ask import add_waiting
from entrypoints.cli.exits import UsageError
from entrypoints.cli.question import local_desks
from entrypoints.cli.terminal import Screen

EXAMPLES = """\
examples:
  ./frontdesk webhook send zendesk --desk hotel       a new ticket, through everything, and back
  ./frontdesk webhook send hubspot --desk hotel --twice --text "My room is dirty."
  ./frontdesk webhook send zendesk --desk hotel --event reply --ticket 35436 --text "Hello?"
  ./frontdesk webhook send intercom --desk hotel --bad-signature
  ./frontdesk webhook check zendesk --desk hotel      what is set, what is missing, what to paste

send makes the delivery that the vendor would make and signs it with the desk's secret. It uses the
Frontdesk that answers, or starts the local stack. For what is not set then there is a throw-away
secret and a stand-in of the vendor's API, and what was written back is shown.

exit codes of send: as ask has them; 1 also when the delivery was refused, or a forged one was not.
exit codes of check: 0 complete, 1 something is missing, 2 no such vendor or desk.
"""
EVENTS = ("new", "reply", "colleague")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    from shared.adapters.crm_connectors import VENDORS

    parser.add_argument("what", choices=("send", "check"), help="what to do")
    parser.add_argument("vendor", metavar="VENDOR", help=", ".join(VENDORS))
    parser.add_argument("--desk", metavar="NAME", help=f"a desk: {', '.join(local_desks())}")
    send = parser.add_argument_group("send")
    send.add_argument(
        "--text",
        metavar="TEXT",
        default="Nobody has answered me for three days, and I am still waiting.",
        help="what the customer writes",
    )
    send.add_argument("--subject", metavar="TEXT", default="", help="the ticket's subject")
    send.add_argument(
        "--ticket",
        metavar="ID",
        help="the ticket's id; without one a ticket that the account does not have",
    )
    send.add_argument(
        "--event",
        choices=EVENTS,
        default="new",
        help="a new ticket, the customer's next message, or a colleague's answer, which is ignored",
    )
    send.add_argument("--twice", action="store_true", help="send the same delivery twice")
    send.add_argument(
        "--bad-signature", action="store_true", help="sign it with a secret that is not the desk's"
    )
    send.add_argument(
        "--stand-in",
        action="store_true",
        help="have answers written to a stand-in, also where an account is set",
    )
    add_waiting(send)
    local.add_address(parser)


def run(args: argparse.Namespace, screen: Screen) -> int:
    """Send, or check."""
    from shared.adapters.crm_connectors import VENDORS

    if args.vendor not in VENDORS:
        known = ", ".join(VENDORS)
        raise UsageError(f"there is no vendor {args.vendor!r}; the vendors are {known}")
    _check_desk(args)
    if args.what == "check":
        from entrypoints.cli.webhook_check import check

        return check(args, screen)
    from entrypoints.cli.webhook_send import send

    return send(args, screen)


def _check_desk(args: argparse.Namespace) -> None:
    desks = local_desks()
    if args.desk is None:
        raise UsageError(f"which desk? Give --desk {'|'.join(desks)}")
    # A Frontdesk elsewhere has desks of its own, and says so itself.
    if not args.url and args.desk not in desks:
        raise UsageError(f"there is no desk {args.desk!r}; the desks are {', '.join(desks)}")
