"""The errors of Frontdesk, told apart by what is done about them.

    FrontdeskError
    ├── RetryableError    release the stage, come back later by a fresh queue message
    ├── PermanentError    park the stage for a person
    ├── UncertainError    it may have happened or not: never blindly again
    ├── ConflictError     another writer was first: read again, then decide
    ├── UnverifiedError   answer a webhook with 401, say why only in the log
    ├── RequestError      answer the caller with HTTP 4xx and a problem+json body
    ├── ConfigError       stop at start and say what to set
    └── BugError          anything else, as the host gets to log it

Adapters translate what their SDK raises into one of these. Anything else is a bug and is raised.
"""

from __future__ import annotations


class FrontdeskError(Exception):
    """Root of all errors that Frontdesk raises on purpose."""


class RetryableError(FrontdeskError):
    """The outside refused for now (429, 5xx, timeout, storage down).

    Args:
        code: Short constant for traces and counters, such as ``rate_limited``.
        retry_after: Seconds that the other side asked us to wait; 0 when it named none.
        usage: As for ``PermanentError``.
    """

    def __init__(
        self, code: str, retry_after: float = 0.0, detail: str = "", usage: object | None = None
    ) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.retry_after = retry_after
        self.detail = detail
        self.usage = usage


class PermanentError(FrontdeskError):
    """Trying again would give the same answer; a person has to look.

    Args:
        code: Short constant for traces and counters, such as ``content_filter``.
        detail: What an operator needs to know. Never shown to a customer, never customer text.
        usage: The ``Usage`` of a model call that failed, all zeros when it surely cost nothing;
            None when nobody knows, and then it counts as the most that the call could use.
    """

    def __init__(self, code: str, detail: str = "", usage: object | None = None) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.usage = usage


class UncertainError(FrontdeskError):
    """An effect may or may not have happened: its answer was lost.

    Args:
        code: Short constant for traces and counters, such as ``answer_lost``.
        unseen: Seconds for which it may have happened without a look-up showing it.
    """

    def __init__(self, code: str, detail: str = "", unseen: float = 0.0) -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail
        self.unseen = unseen


class ConflictError(FrontdeskError):
    """A row exists already, or changed since it was read.

    After a lost response the writer may be ourselves: compare the owner before giving up.
    """


class RequestError(FrontdeskError):
    """The caller sent something that we cannot take.

    Args:
        status: HTTP status, 400 to 499, or 503 with ``retry_after``.
        title: What is wrong, in a few words.
        detail: What to do about it.
        retry_after: Seconds for the Retry-After header, or None for no header.
    """

    def __init__(
        self, status: int, title: str, detail: str = "", retry_after: int | None = None
    ) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.title = title
        self.detail = detail
        self.retry_after = retry_after


class UnverifiedError(FrontdeskError):
    """A webhook's signature is missing, wrong or stale.

    Args:
        reason: For the operator's log; holds neither a secret nor a signature.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConfigError(FrontdeskError):
    """A setting or a desk file is missing or wrong. The message says which and what to do."""


class BugError(FrontdeskError):
    """Something unforeseen, with its kind and traceback and without its words.

    The host logs what a handler raises, and the words may be a customer's: a validation error
    repeats its input.
    """
