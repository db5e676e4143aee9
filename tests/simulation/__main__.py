"""``./frontdesk simulate``: runs schedules of faults against the product and prints a verdict."""

# ruff: noqa: T201  it talks to a terminal

from __future__ import annotations

import argparse
import os
import sys
from typing import NoReturn

from tests.simulation import campaign
from tests.simulation.campaign import Pin, Totals
from tests.simulation.faults import GROUPS, Fault
from tests.simulation.mutants import MUTANTS
from tests.simulation.scenario import BASE
from tests.simulation.schedule import ALL, Result, of_seed

_EXAMPLES = f"""\
examples:
  ./frontdesk simulate --schedules 20000
  ./frontdesk simulate --schedules 1 --seed 4711 --verbose        what happens in one of them
  ./frontdesk simulate --enumerate singles                        every fault at every port call
  ./frontdesk simulate --enumerate pairs --schedules 40000        two faults, drawn evenly
  ./frontdesk simulate --mutants                                  do the checks find known mistakes?

groups of faults:  {", ".join(GROUPS)}
scenarios:         {", ".join(BASE)}
mutants:           {", ".join(MUTANTS)}

Exit code 1 when anything was lost, done twice, paid for without need, or otherwise wrong, and when
a mutant was not found. docs/simulator.md says what is checked and what is not.
"""
_SHOWN = 3
_HUNT = 6000
_UNINTERESTING = ("index.open_entries", "host.receive", "host.delete")


class _Parser(argparse.ArgumentParser):
    """Bad usage is one line on stderr, not a page."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"frontdesk simulate: {message} (see ./frontdesk simulate --help)\n")


def main(arguments: list[str]) -> int:
    """Does what was asked for and returns the exit code."""
    args = _parser().parse_args(arguments)
    if args.scenario:
        return _shown(campaign.recorded(args.scenario, args.pin))
    if args.verbose and not args.enumerate and not args.mutants:
        mutant = MUTANTS[args.mutant] if args.mutant else None
        return _shown(of_seed(args.seed, args.faults, mutant, record=True))
    with campaign.spread(args.jobs) as over:
        if args.mutants or args.mutant:
            return _hunt(over, [args.mutant] if args.mutant else list(MUTANTS), args.schedules)
        if args.enumerate == "singles":
            totals = campaign.singles(over, BASE, _progress)
        elif args.enumerate == "pairs":
            totals = campaign.pairs(over, BASE, args.schedules, _progress)
        else:
            seeds = range(args.seed, args.seed + (args.schedules or 1000))
            totals = campaign.at_random(over, seeds, args.faults, None, _progress)
    return _verdict(totals, args)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="frontdesk simulate",
        description="Runs the protocol through schedules of faults in virtual time and checks it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--schedules", type=_count, help="how many schedules or pairs (1000; all pairs there are)")
    add("--seed", type=int, default=0, help="seed of the first schedule (0)")
    add("--faults", type=_groups, default=ALL, metavar="LIST", help="all, none, or groups of them")
    add("--enumerate", choices=("singles", "pairs"), help="every fault at every call instead")
    add("--mutants", action="store_true", help="look for every known mistake")
    add("--mutant", choices=sorted(MUTANTS), metavar="NAME", help="look for this mistake")
    add("--scenario", choices=sorted(BASE), metavar="NAME", help="run one scenario by name")
    add("--pin", type=_pins, default=(), metavar="LIST", help="its faults, as failures print them")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    add("--jobs", type=_count, default=cores or 1, help=f"processes to use ({cores})")
    add("--verbose", action="store_true", help="the history of the schedule with this seed")
    return parser


def _hunt(over: campaign.Spread, names: list[str], most: int | None) -> int:
    survived = 0
    for name in names:
        took, said = campaign.hunt(over, name, most or _HUNT)
        survived += not took
        found = f"{took:6,} schedules   {said[0][:100]}" if took else "NOT FOUND"
        print(f"{name:24} {found}", flush=True)
    print(f"{len(names) - survived} of {len(names)} mutants found")
    return 1 if survived else 0


def _verdict(totals: Totals, args: argparse.Namespace) -> int:
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(totals.verdict)
    for failure in totals.failures[:_SHOWN]:
        print(f"\n./frontdesk simulate {failure.replay}")
        for said in failure.violations[:_SHOWN]:
            print(f"  {said}")
    if not totals.failures:
        return 0
    print(f"\n{len(totals.failures)} schedules went wrong.")
    if not args.enumerate:
        seed = int(totals.failures[0].replay.split()[1])
        small = campaign.shrunk(seed, args.faults)
        print(f"\nSeed {seed} with as few faults as still go wrong:")
        _shown(small)
    return 1


def _shown(result: Result) -> int:
    for line in result.history:
        if "<==" in line or not any(name in line for name in _UNINTERESTING):
            print(line)
    for key, fault in result.fired.items():
        print(f"fault: {key}={fault}")
    for said in result.findings.violations:
        print(f"wrong: {said}")
    return 1 if result.findings.violations else 0


def _progress(totals: Totals) -> None:
    if sys.stderr.isatty():
        said = f"\r{totals.schedules:,} schedules, {len(totals.failures)} wrong "
        print(said, end="", file=sys.stderr, flush=True)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)


def _groups(text: str) -> frozenset[str]:
    if text in ("all", "none"):
        return ALL if text == "all" else frozenset()
    names = frozenset(text.split(","))
    if unknown := names - ALL:
        known = ", ".join(GROUPS)
        raise argparse.ArgumentTypeError(f"no group is called {min(unknown)!r}; there are: {known}")
    return names


def _pins(text: str) -> tuple[Pin, ...]:
    pins = []
    for part in text.split(","):
        key, _, fault = part.rpartition("=")
        try:
            pins.append((key, Fault.parse(fault)))
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
    return tuple(pins)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # Whoever read our output, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
