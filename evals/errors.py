"""The one error of an eval that people can do something about."""


class EvalError(Exception):
    """The eval cannot be run, or cannot go on. One line says why and what to do."""
