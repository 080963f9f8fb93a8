"""The one error of a store that can't be used yet: no server, no rights, no disk."""


class StoreUnavailableError(Exception):
    """The store can't be started or made ready.

    The message is for the person at the terminal: plain English, what is wrong and what to do about it. Callers print
    it as it is and exit 1; nobody needs the stack.
    """


class StoreAwayError(StoreUnavailableError):
    """The server of the store does not answer: it may come back by itself."""
