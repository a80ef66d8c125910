"""Forms with files as JSON: the same members, files in Base64. One place for every route that takes files."""

from __future__ import annotations

import base64
import copy
import io
import json
from collections.abc import Collection, Iterator
from typing import Any, Final

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile

from knownface.errors import BadRequestError, KnownFaceError, TooLargeError
from knownface.server.error_responses import RequestAborted

JSON_TYPE: Final = "application/json"
FORM_TYPE: Final = "multipart/form-data"
_HINT = "Send the file's bytes in Base64 (RFC 4648), or as a data: URL with ;base64."
_BLANKS = b" \t\r\n"


def is_json(request: Request) -> bool:
    """Whether the body of a request says that it is JSON."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == JSON_TYPE


def encoded_size(size: int) -> int:
    """How many bytes a file of a size has in Base64, with blanks between lines."""
    return size * 3 // 2


class JsonForm(Request):
    """A request whose JSON is read as the form of the same members.

    Args:
        request: With a body of JSON.
        files: Members that are files.
    """

    def __init__(self, request: Request, files: Collection[str]) -> None:
        super().__init__(request.scope, request.receive)
        self._files = files

    async def form(self, *, max_files: float = 1000, **_: Any) -> FormData:  # type: ignore[override]  # to be awaited
        """The members, files decoded.

        Raises:
            RequestAborted: It is no JSON object of plain values, a file is not in Base64, or there are too many.
        """
        body = await self.body()
        try:
            return await run_in_threadpool(_read, body, self._files, max_files)
        except KnownFaceError as error:
            raise RequestAborted(error) from error


def _read(body: bytes, files: Collection[str], max_files: float) -> FormData:
    try:
        members = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadRequestError("The body is no JSON.") from error
    if not isinstance(members, dict):
        raise BadRequestError("The body is no JSON object.", "Send the members of the form, as the document says.")
    read = [pair for name, value in members.items() for pair in _fields(name, value, name in files)]
    count = sum(isinstance(value, UploadFile) for _, value in read)
    if count > max_files:
        raise TooLargeError(f"The request holds {count} files; at most {max_files:.0f} are taken.", "Send fewer.")
    return FormData(read)


def _fields(name: str, value: object, is_file: bool) -> Iterator[tuple[str, str | UploadFile]]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    for number, one in enumerate(values, 1):
        label = f"{name} {number}" if isinstance(value, list) else name
        if is_file:
            yield name, _file(label, one)
        elif isinstance(one, (bool, int, float, str)):
            yield name, json.dumps(one) if isinstance(one, bool) else str(one)
        else:
            raise BadRequestError(f"{label} is neither a text, nor a number, nor true or false.")


def _file(label: str, value: object) -> UploadFile:
    if not isinstance(value, str):
        raise BadRequestError(f"{label} is no text.", _HINT)
    head, comma, data = value.partition(",") if value.startswith("data:") else ("", "", value)
    try:
        content = base64.b64decode(data.encode("ascii").translate(None, _BLANKS), validate=True)
    except ValueError:
        content = None
    if content is None or (comma and not head.endswith(";base64")):
        raise BadRequestError(f"{label} is not in Base64.", _HINT)
    return UploadFile(io.BytesIO(content), size=len(content), filename=label)


def describe_json_forms(document: dict[str, Any]) -> None:
    """Say in an OpenAPI document that whatever takes a form with files takes the same as JSON."""
    for ways in document["paths"].values():
        for operation in ways.values():
            content = operation.get("requestBody", {}).get("content", {})
            if FORM_TYPE in content:
                form = document["components"]["schemas"][content[FORM_TYPE]["schema"]["$ref"].rpartition("/")[2]]
                content[JSON_TYPE] = {"schema": {**_in_base64(copy.deepcopy(form)), "title": f"{form['title']}_json"}}


def _in_base64(schema: dict[str, Any]) -> dict[str, Any]:
    if schema.pop("contentMediaType", None) or schema.pop("format", None) == "binary":
        schema["contentEncoding"] = "base64"
    items = [schema["items"]] if "items" in schema else []
    for inner in (*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *items):
        _in_base64(inner)
    return schema
