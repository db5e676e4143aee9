"""What becomes of each action that a model proposes: execute, ask, or refuse. Pure.

The rule that decided is kept with the action. Nothing that is refused here, and nothing that waits
for a yes, reaches a backend; ``not_allowed`` looks once more before anything is carried out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.domain.case import ActionView, SupportCase
from shared.domain.catalogue import UNKNOWN, Value, check_arguments
from shared.domain.desk import Desk
from shared.domain.desk_action import CatalogueAction
from shared.domain.proposed import action_id
from shared.domain.stage import Action, Approval, DroppedAction

MAX_ACTIONS = 5
_REASON_CHARS = 200
_YES: dict[Approval, str] = {
    "auto": "",
    "human": "a person's yes is needed every time",
    "management": "management's yes is needed every time",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """An action as the model, or a rule of the desk, proposed it: nothing is checked yet."""

    name: str
    arguments: Mapping[str, object]
    reason: str = ""
    reaction: str = ""


def decide(
    case: SupportCase, desk: Desk, proposals: Sequence[Proposal]
) -> tuple[tuple[Action, ...], tuple[DroppedAction, ...]]:
    """Splits proposals into actions, each with its verdict, and what is refused, and why.

    Args:
        case: As of the turn that the proposals belong to, with the actions of all its turns.
    """
    kept: list[Action] = []
    dropped: list[DroppedAction] = []
    for proposal in proposals:
        known = desk.action(proposal.name)
        arguments: dict[str, Value] = {}
        if known is None:
            why = "not in the desk's catalogue"
        else:
            arguments, problems = check_arguments(known, proposal.arguments)
            why = "; ".join(problems) or _refusal(case, known, arguments, proposal)
        if known is not None and not why:
            action = _judged(case, known, arguments, proposal)
            if any(action.id == other.id for other in kept):
                why = "proposed twice"
            elif len(kept) >= MAX_ACTIONS:
                why = f"more than {MAX_ACTIONS} actions"
            else:
                kept.append(action)
        if why:
            name = proposal.name[:40]
            dropped.append(DroppedAction(name=name, why=why, arguments=arguments))
    return tuple(kept), tuple(dropped)


def not_allowed(desk: Desk, action: Action) -> str:
    """Why an action that was decided on may not be carried out now; empty when it may.

    Time has passed since, and the desk's file may have changed.
    """
    known = desk.action(action.name)
    if known is None:
        return "no longer in the desk's catalogue"
    _, problems = check_arguments(known, action.arguments)
    if problems:
        return "; ".join(problems)
    return _over(known, action.arguments)


def _refusal(
    case: SupportCase,
    known: CatalogueAction,
    arguments: Mapping[str, Value],
    proposal: Proposal,
) -> str:
    if known.only_if is not None and (unmet := known.only_if.unmet(case)):
        return f"does not apply: {unmet}"
    if over := _over(known, arguments):
        return over
    before = _known(case, action_id(len(case.turns), known.name, arguments))
    if before is not None and before.state == "rejected":
        return f"rejected by {before.decided_by}"
    if before is not None and before.reaction and not proposal.reaction and _stands(before):
        return f"proposed already by the desk's rule {before.reaction}"
    return ""


def _stands(action: ActionView) -> bool:
    return action.state not in ("superseded", "lapsed")


def _judged(
    case: SupportCase, known: CatalogueAction, arguments: dict[str, Value], proposal: Proposal
) -> Action:
    own_id = action_id(len(case.turns), known.name, arguments)
    doubt = _YES[known.approval] or _doubt(case, known, arguments, own_id)
    approval = "human" if doubt and known.approval == "auto" else known.approval
    return Action(
        id=own_id,
        name=known.name,
        arguments=arguments,
        reason=" ".join(proposal.reason.split())[:_REASON_CHARS],
        reaction=proposal.reaction,
        approval=approval,
        verdict="ask" if doubt else "execute",
        rule=doubt or "the desk lets it be carried out at once",
        backend=known.backend.type,
    )


def _doubt(
    case: SupportCase, known: CatalogueAction, arguments: Mapping[str, Value], own_id: str
) -> str:
    """Why an action that is automatic needs a yes this time; empty when it needs none."""
    if UNKNOWN in arguments.values():
        # Nobody carries out by himself what the message did not say in full.
        return "the message does not say everything that is needed"
    if known.ask_if is not None and not known.ask_if.unmet(case):
        return "the desk wants to be asked in cases like this"
    others = [a for a in case.actions if a.name == known.name and a.id != own_id]
    if any(a.turn == len(case.turns) and a.verdict == "execute" for a in others):
        # The stage ran again and the model words the same wish otherwise.
        return "the same action was begun for this message with other arguments"
    return _money_doubt(case, known, arguments, others)


def _money_doubt(
    case: SupportCase,
    known: CatalogueAction,
    arguments: Mapping[str, Value],
    others: Sequence[ActionView],
) -> str:
    if known.money is None:
        return ""
    name, most = known.money.argument, known.money.automatic
    if name not in arguments:
        return f"the amount is not known: {name}"
    turn = len(case.turns)
    if any(s.turn != turn and s.state in ("waiting", "working") for s in case.stages):
        return "another message of this case is being worked on and may cost money too"
    before = sum(_amount(a.arguments, name) for a in others if a.verdict == "execute")
    if before + _amount(arguments, name) > most:
        gone = f" after {before:g} before" if before else ""
        return f"more than {most:g} in one case{gone}"
    return ""


def _over(known: CatalogueAction, arguments: Mapping[str, Value]) -> str:
    if known.money is None or _amount(arguments, known.money.argument) <= known.money.most:
        return ""
    return f"{known.money.argument}: more than {known.money.most:g}, the most that may go out"


def _amount(arguments: Mapping[str, Value], name: str) -> float:
    return float(arguments.get(name, 0))


def _known(case: SupportCase, own_id: str) -> ActionView | None:
    return next((a for a in case.actions if a.id == own_id), None)
