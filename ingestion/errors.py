"""The one error a person reads."""


class SalwaError(Exception):
    """Something a person can mend: says what is wrong, where, and what to do. Shown as one line, exit code 2."""
