"""Photos out of request bodies, in memory alone and within limits."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from animatte.serve.limits import Limits
from animatte.serve.refusals import RefusalError

PHOTO_FIELD = "photo"
CLIENT_LEFT = 499  # as others' logs have it; HTTP has no status for what nobody will read
_RAW_TYPES = ("image/", "application/octet-stream")
_FORM_TYPE = "multipart/form-data"
# A part's headers and the boundaries around it.
_FORM_OVERHEAD = 10_000
_DRAINING_SECONDS = 5.0
_DRAINED_TIMES = 16


class _MultiPartInMemory(MultiPartParser):
    """Parts stay in memory, whose size the limit of the body bounds: nothing is kept on disk."""

    spool_max_size = 2**40


async def received_photo(request: Request, limits: Limits) -> bytes:
    """Return the bytes of the photo that a request brings, as its body or in a form's field.

    Raises:
        RefusalError: for another content type, no photo, a large body or a slow one, or a client
            that left.
    """
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != _FORM_TYPE and not kind.startswith(_RAW_TYPES):
        await drain(request, limits.body)
        raise RefusalError(
            415,
            f"content type {kind or '(none)'} is not taken; send the photo as the body with "
            f"image/jpeg, image/png, …, or as field {PHOTO_FIELD!r} of {_FORM_TYPE}",
        )
    reading = _form_photo(request, limits) if kind == _FORM_TYPE else _raw_photo(request, limits)
    try:
        photo = await asyncio.wait_for(reading, limits.upload_seconds)
    except asyncio.TimeoutError as error:
        raise RefusalError(
            408, f"the photo did not arrive within {limits.upload_seconds:g} s; send it faster"
        ) from error
    except ClientDisconnect as error:  # nobody reads this, but it is counted
        raise RefusalError(
            CLIENT_LEFT, "the client left before the photo had arrived; send it again"
        ) from error
    if not photo:
        raise RefusalError(422, "the photo is empty (0 bytes); send an image file")
    return photo


async def drain(request: Request, most: int) -> None:
    """Receive a body that is refused, up to many times a number of bytes, and forget it.

    A connection that ends with bytes unread is reset, and with it the line that says why. Who asks
    before sending is told first, and sends nothing.
    """
    if "expect" not in request.headers:
        await _forgotten(request.stream(), most)


async def _forgotten(chunks: AsyncGenerator[bytes, None], most: int) -> None:
    async def received() -> None:
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > _DRAINED_TIMES * most:
                return

    with suppress(asyncio.TimeoutError, ClientDisconnect):
        await asyncio.wait_for(received(), _DRAINING_SECONDS)


async def _raw_photo(request: Request, limits: Limits) -> bytes:
    return b"".join([chunk async for chunk in _bounded(request, limits.body)])


async def _form_photo(request: Request, limits: Limits) -> bytes:
    chunks = _bounded(request, limits.body + _FORM_OVERHEAD)
    parser = _MultiPartInMemory(
        request.headers, chunks, max_files=1, max_fields=8, max_part_size=_FORM_OVERHEAD
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError, AssertionError) as error:
        raise RefusalError(422, f"the form cannot be read ({error}); send one file") from error
    try:
        part = form.get(PHOTO_FIELD)
        if not isinstance(part, UploadFile):
            raise RefusalError(422, f"the form has no file in field {PHOTO_FIELD!r}; add it")
        return await part.read()
    finally:
        await form.close()


async def _bounded(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The body's chunks, as long as it stays within a number of bytes."""
    declared = request.headers.get("content-length", "0")
    if declared.isdigit() and int(declared) > most:
        await drain(request, most)
        raise _too_large(most)
    size, chunks = 0, request.stream()
    async for chunk in chunks:
        size += len(chunk)
        if size > most:
            await _forgotten(chunks, most)
            raise _too_large(most)
        yield chunk


def _too_large(most: int) -> RefusalError:
    return RefusalError(413, f"the body is over {most / 1e6:g} MB; send a smaller file")
