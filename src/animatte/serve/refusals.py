"""Why a request gets no picture: a status and one clear line."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import JSONResponse

_UNREAD = (408, 413, 415, 503)


class RefusalError(Exception):
    """An answer without a picture.

    Attributes:
        status: of HTTP.
        line: value, rule and remedy.
        headers: further ones.
    """

    def __init__(self, status: int, line: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(line)
        self.status = status
        self.line = line
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """As JSON: `{"error": "..."}`.

        The connection ends where a body may still be on its way that nobody will read.
        """
        ending = {"Connection": "close"} if self.status in _UNREAD else {}
        return JSONResponse({"error": self.line}, self.status, {**ending, **self.headers})
