"""Every error that a caller can meet, with its HTTP status; `web` maps them once, as JSON or as a page.

GroundswellError
├── Invalid          400  a field is wrong: `fields` says which and what to do
├── Unauthenticated  401
├── Forbidden        403
├── NotFound         404
├── Conflict         409  what was asked does not fit the state of things
├── TooMany          429  a limit of this account; `retry_after` seconds
└── Unavailable      503  somebody else's service did not answer
"""

from __future__ import annotations

from collections.abc import Mapping

from chalice import ChaliceUnhandledError


class GroundswellError(ChaliceUnhandledError):  # type: ignore[misc]  # chalice has no types
    """`code` is for programs and stable, `message` is for people and says what to do."""

    status = 500
    code = "error"

    def __init__(self, message: str, *, code: str | None = None, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.fields = dict(fields or {})


class Invalid(GroundswellError):
    status = 400
    code = "invalid"

    @classmethod
    def field(cls, name: str, message: str, *, code: str | None = None) -> Invalid:
        return cls(f"{name}: {message}", code=code, fields={name: message})

    @classmethod
    def fields_of(cls, wrong: Mapping[str, str]) -> Invalid:
        """Several fields at once."""
        return cls("; ".join(f"{name}: {what}" for name, what in wrong.items()), fields=wrong)


class Unauthenticated(GroundswellError):
    status = 401
    code = "sign_in_needed"


class Forbidden(GroundswellError):
    status = 403
    code = "forbidden"


class NotFound(GroundswellError):
    status = 404
    code = "not_found"


class Conflict(GroundswellError):
    status = 409
    code = "conflict"


class TooMany(GroundswellError):
    status = 429
    code = "too_many"

    def __init__(self, message: str, *, retry_after: int, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message, fields=fields)
        self.retry_after = retry_after


class Unavailable(GroundswellError):
    status = 503
    code = "unavailable"
