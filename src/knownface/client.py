"""A thin client of the service: one method a route, plain values as the service sends them.

Of all that knownface can use it needs httpx alone (the extra ``client``). Errors carry the service's stable codes.

Example:
    >>> from knownface.client import Client  # doctest: +SKIP
    >>> with Client("http://127.0.0.1:8420", "kf_...") as client:  # doctest: +SKIP
    ...     client.enrol("Ada Lovelace", ["ada.jpg"])
    ...     print([face["name"] for face in client.identify("party.jpg")["faces"]])
    ['Ada Lovelace', None]
"""

from __future__ import annotations

import hashlib
import hmac
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Self, TypeAlias, cast

import httpx

from knownface.client_answers import BatchItem, Enrolled, Job, Person, Picture, Template, Verification

PictureSource: TypeAlias = str | Path | bytes
"""A file's path, or its content."""
FacePolicy: TypeAlias = Literal["dominant", "largest", "only", "all-same-person"]

_WAIT_FOR = {429, 503}
_LONGEST_WAIT = 60.0


class RemoteError(Exception):
    """What the service answered instead of what was asked.

    Attributes:
        code: A stable word, such as ``no-face``; ``unreachable`` where nothing answered.
        message: A sentence.
        hint: What to do about it.
        status: Of HTTP; 0 where nothing answered.
        details: More for programs, or None.
    """

    def __init__(
        self, code: str, message: str, hint: str = "", status: int = 0, details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.hint, self.status, self.details = code, message, hint, status, details


class Client:
    """Talks to one service; may be used by several threads.

    Args:
        address: Such as ``https://faces.example.org``.
        key: An API key.
        verify: False, or a file with certificates, where the service has one of its own.
        timeout: Seconds for one answer.
        patience: How often a request is sent again, after the time that the service asks for, when it is busy (503)
            or the rate limit is reached (429).
    """

    def __init__(
        self, address: str, key: str, *, verify: bool | str = True, timeout: float = 60.0, patience: int = 5
    ) -> None:
        self._patience = patience
        context = verify if isinstance(verify, bool) else ssl.create_default_context(cafile=verify)
        self._http = httpx.Client(
            base_url=f"{address.rstrip('/')}/v1/",
            headers={"Authorization": f"Bearer {key}"},
            timeout=timeout,
            verify=context,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def request(self, method: str, path: str, **options: Any) -> Any:
        """Send any request below ``/v1/``; ``options`` are httpx's.

        Returns:
            The JSON that was answered, bytes where it is none, None where there is nothing.

        Raises:
            RemoteError: The service answered with an error, or not at all.
        """
        answer = self._send(method, path, **options)
        if answer.status_code == 204:
            return None
        return answer.json() if answer.headers.get("content-type") == "application/json" else answer.content

    def _send(self, method: str, path: str, **options: Any) -> httpx.Response:
        for attempt in range(self._patience + 1):
            try:
                answer = self._http.request(method, path.lstrip("/"), **options)
            except httpx.HTTPError as error:
                text = f"The service did not answer: {error or type(error).__name__}."
                raise RemoteError("unreachable", text, "Check that it runs and the address is right.") from error
            if answer.is_success:
                return answer
            if answer.status_code not in _WAIT_FOR or attempt == self._patience:
                break
            time.sleep(min(_LONGEST_WAIT, float(answer.headers.get("retry-after", "1"))))
        raise _problem(answer)

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Every item of a list that comes in pages."""
        cursor: str | None = None
        while True:
            given = {name: value for name, value in {**query, "cursor": cursor}.items() if value is not None}
            page = self.request("GET", path, params=given)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    # Faces

    def identify(self, picture: PictureSource, *, top: int = 5, allow_repeats: bool = False) -> Picture:
        """Who is on a picture."""
        data = {"top": top, "allow_repeats": allow_repeats}
        return cast("Picture", self.request("POST", "identify", data=data, files=_files("picture", [picture])))

    def identify_batch(
        self, pictures: Sequence[PictureSource], *, top: int = 5, allow_repeats: bool = False
    ) -> list[BatchItem]:
        """Who is on several pictures; as many as the service takes at once."""
        data = {"top": top, "allow_repeats": allow_repeats}
        answer = self.request("POST", "identify/batch", data=data, files=_files("pictures", pictures))
        return cast("list[BatchItem]", answer["pictures"])

    def verify(self, first: PictureSource, second: PictureSource, *, faces: FacePolicy = "dominant") -> Verification:
        """Whether two pictures show one person."""
        files = [*_files("picture", [first]), *_files("other", [second])]
        return cast("Verification", self.request("POST", "verify", data={"faces": faces}, files=files))

    def verify_person(self, picture: PictureSource, person_id: int, *, faces: FacePolicy = "dominant") -> Verification:
        """Whether a picture shows a person: the door's question."""
        data = {"faces": faces, "person_id": person_id}
        return cast("Verification", self.request("POST", "verify", data=data, files=_files("picture", [picture])))

    def review(
        self, picture: PictureSource, *, faces: FacePolicy = "dominant", person_id: int | None = None
    ) -> dict[str, Any]:
        """What a picture is good for, to enrol a person or, without one, somebody new; nothing is stored."""
        files = _files("picture", [picture])
        data = {"faces": faces} | ({} if person_id is None else {"person_id": str(person_id)})
        return cast("dict[str, Any]", self.request("POST", "review", data=data, files=files))

    def detect(self, picture: PictureSource) -> dict[str, Any]:
        """Where faces are on a picture, without names."""
        return cast("dict[str, Any]", self.request("POST", "detect", files=_files("picture", [picture])))

    def embeddings(self, picture: PictureSource) -> dict[str, Any]:
        """The embeddings of a picture's faces, with the ``contract`` that :meth:`search` wants."""
        return cast("dict[str, Any]", self.request("POST", "embeddings", files=_files("picture", [picture])))

    def search(self, embedding: Sequence[float], contract: str, *, top: int = 5) -> dict[str, Any]:
        """Whose an embedding is."""
        body = {"embedding": list(embedding), "contract": contract, "top": top}
        return cast("dict[str, Any]", self.request("POST", "embeddings/search", json=body))

    # People

    def people(self, search: str | None = None, group: str | None = None) -> Iterator[Person]:
        """Everybody in the order of their names."""
        return cast("Iterator[Person]", self.pages("people", search=search, group=group, limit=200))

    def person(self, person_id: int) -> Person:
        """One person."""
        return cast("Person", self.request("GET", f"people/{person_id}"))

    def create_person(self, name: str, external_id: str | None = None, groups: Sequence[str] = ()) -> Person:
        """Make a person."""
        body = {"name": name, "external_id": external_id, "groups": list(groups)}
        return cast("Person", self.request("POST", "people", json=body))

    def change_person(self, person_id: int, **changes: Any) -> Person:
        """Change name, external_id, groups or threshold; None clears."""
        return cast("Person", self.request("PATCH", f"people/{person_id}", json=changes))

    def removal(self, person_id: int) -> dict[str, Any]:
        """What :meth:`delete_person` would take along."""
        return cast("dict[str, Any]", self.request("GET", f"people/{person_id}/removal"))

    def delete_person(self, person_id: int) -> dict[str, Any]:
        """Delete a person with everything of theirs; what that was is answered."""
        return cast("dict[str, Any]", self.request("DELETE", f"people/{person_id}"))

    def merge(self, person_id: int, others: Sequence[int | str]) -> Person:
        """Join others into a person."""
        return cast("Person", self.request("POST", f"people/{person_id}/merge", json={"people": list(others)}))

    def split(self, person_id: int, templates: Sequence[int], name: str) -> Person:
        """Move templates to a new person, who is answered."""
        body = {"templates": list(templates), "name": name}
        return cast("Person", self.request("POST", f"people/{person_id}/split", json=body))

    # Templates

    def templates(self, person_id: int) -> list[Template]:
        """A person's templates and counter-examples."""
        return cast("list[Template]", self.request("GET", f"people/{person_id}/templates"))

    def add_templates(
        self,
        person_id: int,
        pictures: Sequence[PictureSource],
        *,
        faces: FacePolicy = "dominant",
        counter_example: bool = False,
        insist: bool = False,
    ) -> Enrolled:
        """Enrol a person from pictures; safe to repeat, since files are known by their content."""
        data = {"faces": faces, "counter_example": counter_example, "insist": insist}
        files = _files("pictures", pictures)
        return cast("Enrolled", self.request("POST", f"people/{person_id}/templates", data=data, files=files))

    def enrol(self, name: str, pictures: Sequence[PictureSource]) -> Enrolled:
        """Enrol a person by name, who is made if there is nobody of this name."""
        known = [person for person in self.people(search=name) if person["name"] == name]
        person = known[0] if known else self.create_person(name)
        return self.add_templates(person["id"], pictures)

    def enrol_archive(
        self, archive: str | Path, *, faces: FacePolicy = "dominant", wait: float = 86_400.0
    ) -> dict[str, Any]:
        """Enrol everybody in a ZIP archive that holds one folder a person, and wait for the review of its files.

        Raises:
            RemoteError: It failed, was stopped, or took longer than ``wait`` seconds; sent again, it goes on.
        """
        job = self._finished("enrolments", wait, files=_files("archive", [archive]), data={"faces": faces})
        return cast("dict[str, Any]", job["result"])

    def template_picture(self, template_id: int) -> bytes:
        """The face that was enrolled, as JPEG."""
        return cast("bytes", self.request("GET", f"templates/{template_id}/picture"))

    def move_templates(self, templates: Sequence[int], to: int | str, *, create: bool = False) -> Person:
        """Give templates of one person to another, by id or name, who is answered."""
        body = {"templates": list(templates), "to": to, "create": create}
        return cast("Person", self.request("POST", "templates/move", json=body))

    def delete_template(self, template_id: int) -> None:
        """Delete a template for good; enrolling a folder does not bring the file back."""
        self.request("DELETE", f"templates/{template_id}")

    # The rest

    def history(self) -> Iterator[dict[str, Any]]:
        """What was edited in the last 30 days, the latest first."""
        return self.pages("history", limit=200)

    def undo(self, edit_id: int) -> dict[str, Any]:
        """Take an edit back."""
        return cast("dict[str, Any]", self.request("POST", f"history/{edit_id}/undo"))

    def sightings(self, **which: Any) -> Iterator[dict[str, Any]]:
        """Who was seen, the newest first; narrowed down as the route ``/v1/sightings`` says."""
        return self.pages("sightings", limit=200, **which)

    def hours(self, first_day: str, last_day: str | None = None, **how: Any) -> list[dict[str, Any]]:
        """Working hours, day by day; days as ``2026-03-31``, the rest as the route ``/v1/hours`` says."""
        given = {"first_day": first_day, "last_day": last_day, **how}
        query = {name: value for name, value in given.items() if value is not None}
        return cast("list[dict[str, Any]]", self.request("GET", "hours", params=query))

    def add_strangers(self, pictures: Sequence[PictureSource], *, at_once: int = 16) -> dict[str, int]:
        """Send pictures of people who are not enrolled, each of another one, for the next :meth:`calibrate`.

        Args:
            pictures: Any number.
            at_once: Pictures in a request; at most what the service takes.

        Returns:
            How many strangers the service holds now.
        """
        for start in range(0, len(pictures), at_once):
            files = _files("pictures", pictures[start : start + at_once])
            self.request("POST", "calibration/strangers", files=files)
        return cast("dict[str, int]", self.request("GET", "calibration/strangers"))

    def calibrate(self, *, fpir: float = 0.01, confidence: float = 0.95, wait: float = 600.0) -> Job:
        """Calibrate, and wait for what comes of it.

        Raises:
            RemoteError: It failed, or took longer than ``wait`` seconds.
        """
        return self._finished("calibration", wait, json={"fpir": fpir, "confidence": confidence})

    def change_network(self, embedder: str, *, leave_out: bool = False, wait: float = 86_400.0) -> Job:
        """Bring the gallery over to another network, and wait for what comes of it.

        Args:
            embedder: The network.
            leave_out: Whether faces that are not found again are set aside; else nothing is changed where there is one.
            wait: Seconds.

        Raises:
            RemoteError: It failed, was stopped, or took longer; asked for again, it goes on where it was.
        """
        return self._finished("network", wait, json={"embedder": embedder, "leave_out": leave_out})

    def _finished(self, what: str, wait: float, **wanted: Any) -> Job:
        job = cast("Job", self.request("POST", what, **wanted))
        end = time.monotonic() + wait
        while job["state"] in {"waiting", "running"}:
            if time.monotonic() > end:
                raise RemoteError("timeout", f"The job {job['id']} is not done after {wait:.0f} s.")
            time.sleep(0.2)
            job = cast("Job", self.request("GET", f"jobs/{job['id']}"))
        if job["problem"] is not None:
            problem = job["problem"]
            raise RemoteError(problem["code"], problem["message"], problem["hint"], details=problem["details"])
        return job


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes, *, tolerance: float = 300.0) -> bool:
    """Whether a delivery comes from the service, and is not an old one sent again.

    Args:
        secret: That was shown when the webhook was made.
        headers: Of the delivery, in any letter case.
        body: As it came, undecoded.
        tolerance: How many seconds old it may be.
    """
    given = {name.lower(): value for name, value in headers.items()}
    timestamp = given.get("x-knownface-timestamp", "")
    if not (timestamp.isascii() and timestamp.isdigit()) or abs(time.time() - int(timestamp)) > tolerance:
        return False
    wanted = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(f"v1={wanted}", given.get("x-knownface-signature", ""))


def _files(field: str, pictures: Sequence[PictureSource]) -> list[tuple[str, tuple[str, bytes]]]:
    return [
        (
            field,
            ("picture", picture) if isinstance(picture, bytes) else (Path(picture).name, Path(picture).read_bytes()),
        )
        for picture in pictures
    ]


def _problem(answer: httpx.Response) -> RemoteError:
    try:
        body = answer.json()
        return RemoteError(body["code"], body["message"], body["hint"], answer.status_code, body.get("details"))
    except (ValueError, KeyError, TypeError):
        text = f"The answer was {answer.status_code} {answer.reason_phrase}, and not the service's own."
        return RemoteError("not-the-service", text, "Check the address.", answer.status_code)
