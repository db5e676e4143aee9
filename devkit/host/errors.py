"""What stops the local host from starting."""


class StartError(Exception):
    """The app or its configuration cannot be hosted.

    The message is for a person: it names the file and line, or the function and binding, and
    says what to change. The command prints it alone, without a traceback, and exits with 1.
    """
