"""Looking at the pictures of a request: out of its key's share, and only as long as somebody waits for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Annotated, Final, TypeAlias, TypeVar

from fastapi import Depends, Request, UploadFile

from knownface.errors import RateLimitedError, TooSlowError
from knownface.media.sizes import stated_pixels
from knownface.server.context import service_of
from knownface.server.error_responses import RequestAborted

Result = TypeVar("Result")

LARGE_PIXELS: Final = 4_000_000
"""A picture with more is looked at with patience, as many at once are."""
_LEAST_PIXELS = 250_000
"""What the smallest picture counts for: looking for faces and naming them takes time too."""
_UNSTATED_PIXELS = 12_000_000
"""What a picture counts for whose head does not say how large it is."""


class Looking:
    """The pictures of one request on their way through the workers.

    Args:
        request: Whose caller is known.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._service = service_of(request)
        self._who = self._service.share_of(request.state.caller.actor.key_id)

    async def at(self, work: Callable[[UploadFile], Result], upload: UploadFile, *besides: UploadFile) -> Result:
        """Do something with one picture; others that it looks at besides count too.

        Raises:
            RateLimitedError: The key has sent too many pixels, or too many pictures wait.
        """
        return (await self._look(work, [upload], [upload, *besides]))[0]

    async def at_each(self, work: Callable[[UploadFile], Result], uploads: Sequence[UploadFile]) -> list[Result]:
        """Do something with each of several pictures; results keep their order.

        Raises:
            RateLimitedError: The key has sent too many pixels, or too many pictures wait.
        """
        return await self._look(work, uploads, uploads)

    async def _look(
        self, work: Callable[[UploadFile], Result], uploads: Sequence[UploadFile], counted: Sequence[UploadFile]
    ) -> list[Result]:
        most = self._service.settings.max_upload_pixels
        pixels = [min(most, max(_LEAST_PIXELS, _pixels(upload))) for upload in counted]
        wait = self._service.pixels_by_key.take(self._who, sum(pixels))
        if wait:
            raise RateLimitedError("This key has sent too many pixels.", "Make pictures smaller.", retry_after=wait)
        patient = len(uploads) > 1 or sum(pixels) > LARGE_PIXELS
        looked = asyncio.ensure_future(self._service.workers.run_all(self._who, work, uploads, patient=patient))
        gone = asyncio.ensure_future(self._caller_gone())
        try:
            await asyncio.wait({looked, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not looked.done():
                raise RequestAborted(TooSlowError("The caller hung up."))
            return looked.result()
        finally:
            looked.cancel()
            gone.cancel()

    async def _caller_gone(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass


def _pixels(upload: UploadFile) -> int:
    return stated_pixels(upload.file) or _UNSTATED_PIXELS


async def _looking(request: Request) -> Looking:
    return Looking(request)


LookingDep: TypeAlias = Annotated[Looking, Depends(_looking)]
