"""Every error that knownface raises on purpose: one tree, each with a stable code, a sentence and a hint.

The command line prints the sentence and the hint and exits with the class's status; the REST service answers with
the code. Statuses: 3 input, 4 face, 5 model, 6 contract, 7 gallery, 8 settings, 9 person, 10 missing extra,
11 output, 12 calibration.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from knownface.installing import install_command


class KnownFaceError(Exception):
    """Base of all errors of knownface.

    Args:
        message: One sentence: what is wrong, naming the thing it is about.
        hint: What to do about it; the class's own hint where none is given. Arguments stand in it as Python has them,
            such as ``faces="largest"``; the command line shows them as its options.
    """

    code: ClassVar[str] = "error"
    exit_status: ClassVar[int] = 1
    default_hint: ClassVar[str] = ""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint or self.default_hint

    def __str__(self) -> str:
        return self.message


class InputError(KnownFaceError):
    """A file or array that cannot be used."""

    code = "bad-input"
    exit_status = 3


class UnreadableError(InputError):
    """A file that is missing, may not be read, or is damaged."""

    code = "unreadable"
    default_hint = "Check that the file exists, may be read and opens in another program."


class UnsupportedError(InputError):
    """A file of a kind that is not a photo or video known here."""

    code = "unsupported"
    default_hint = "Convert it to JPEG, PNG or MP4."


class TooLargeError(InputError):
    """A picture with more pixels than are decoded."""

    code = "too-large"
    default_hint = "Make the picture smaller, or raise KNOWNFACE_MAX_PIXELS."


class SourceUnavailableError(InputError):
    """A camera that is not there, or a stream that cannot be reached."""

    code = "source-unavailable"
    default_hint = "Check that it is on, and the number or address."


class FaceError(KnownFaceError):
    """A picture whose faces do not allow what was asked."""

    code = "bad-face"
    exit_status = 4


class NoFaceError(FaceError):
    """No face was found."""

    code = "no-face"
    default_hint = "Use a picture that shows the face from the front, well lit and not too small."


class SeveralFacesError(FaceError):
    """Several faces, and no rule which one is meant."""

    code = "several-faces"
    default_hint = 'Crop the picture to one person, or choose faces="largest".'


class DoubtfulError(FaceError):
    """A face that may be somebody else's than the person meant; what becomes of it the setting ``review`` says."""

    code = "doubtful"
    default_hint = "Look at it; `knownface review` lists what is held back."


class OddPictureError(DoubtfulError):
    """A face that does not look like the person's other pictures."""

    code = "odd-picture"
    default_hint = "Take it out, or insist if it is the same person after all."


class DifferentPeopleError(DoubtfulError):
    """Pictures meant for one person, most of which are not alike."""

    code = "different-people"
    default_hint = "Give each person a folder or name of their own, or insist if they are one."


class LooksLikeOtherError(DoubtfulError):
    """A face that would be given another person's name.

    Args:
        message: One sentence.
        hint: What to do about it.
        name: The other person's.
    """

    code = "looks-like-other"
    default_hint = "Enrol it for that person, or insist if these are two people."

    def __init__(self, message: str, hint: str = "", *, name: str) -> None:
        super().__init__(message, hint)
        self.name = name


class RejectedPictureError(FaceError):
    """A picture of which somebody said before that it does not show the person."""

    code = "rejected"
    default_hint = "Insist if it is this person after all."


class ModelError(KnownFaceError):
    """Weights or a network that cannot be used."""

    code = "bad-model"
    exit_status = 5


class ModelUnavailableError(ModelError):
    """Weights that are not here and could not be fetched."""

    code = "model-unavailable"
    default_hint = "Put the file into the folder named by KNOWNFACE_MODELS, or run `knownface models get`."


class ModelAlteredError(ModelError):
    """A weight file whose SHA-256 is not the catalogue's."""

    code = "model-altered"
    default_hint = "Delete the file and fetch it again."


class PartError(ModelError):
    """A detector, embedder, index or command of another package, or of a script, that cannot be used."""

    code = "bad-part"
    default_hint = (
        "The documentation's page on architecture has what a part must be: https://knownface.github.io/knownface/"
    )


class UnknownModelError(ModelError):
    """A name that the catalogue does not hold."""

    code = "unknown-model"
    default_hint = "`knownface models list` shows every name."


class ContractMismatchError(KnownFaceError):
    """A gallery that was filled by another embedder."""

    code = "contract-mismatch"
    exit_status = 6
    default_hint = "Choose the embedder that filled the gallery, or bring it over by `knownface gallery migrate`."


class GalleryError(KnownFaceError):
    """A gallery that cannot be used."""

    code = "bad-gallery"
    exit_status = 7


class GalleryLockedError(GalleryError):
    """Another program is writing."""

    code = "gallery-locked"
    default_hint = "Wait until the other program has finished, then try again."


class GalleryUnreachableError(GalleryError):
    """A server that keeps the gallery, or searches it, does not answer."""

    code = "gallery-unreachable"
    default_hint = "Check that the server runs and that the address, user and password are right."


class GalleryDamagedError(GalleryError):
    """A database that cannot be read; it is left untouched."""

    code = "gallery-damaged"
    default_hint = "Restore a backup with `knownface gallery restore`; the damaged file was left as it is."


class GalleryKeyError(GalleryError):
    """An encrypted gallery without its key."""

    code = "gallery-key"
    default_hint = "Set gallery_key to where its key is: file:PATH, env:VARIABLE, command:COMMAND or prompt."


class DamagedTemplatesError(GalleryDamagedError):
    """Templates whose records cannot be opened.

    Attributes:
        ids: Which.
    """

    code = "templates-damaged"

    def __init__(self, message: str, hint: str = "", ids: tuple[int, ...] = ()) -> None:
        super().__init__(message, hint)
        self.ids = ids


class GalleryVersionError(GalleryError):
    """A gallery written by a newer knownface."""

    code = "gallery-newer"
    default_hint = "Update knownface; this gallery was left as it is."


class IndexDamagedError(GalleryError):
    """A saved search index that cannot be read; the gallery builds another from its database."""

    code = "index-damaged"
    default_hint = "Delete the file; it is made again from the gallery."


class GalleryEmptyError(GalleryError):
    """A gallery that does not exist or holds nobody."""

    code = "gallery-empty"
    default_hint = "Enrol people first: knownface enroll PEOPLE/"


class SettingsError(KnownFaceError):
    """A setting that makes no sense."""

    code = "bad-settings"
    exit_status = 8


class BadSettingError(SettingsError):
    """A setting that cannot be changed while the program runs, or not to this value."""

    code = "bad-setting"
    default_hint = "Change it where it is set, and start the program again."


class PersonError(KnownFaceError):
    """A person or name that cannot be used."""

    code = "bad-person"
    exit_status = 9


class UnknownPersonError(PersonError):
    """Nobody of that name is in the gallery.

    Args:
        message: One sentence.
        hint: What to do about it.
        near: Names that are nearly the same, one of which may be meant.
    """

    code = "unknown-person"
    default_hint = "`knownface people list` shows everybody."

    def __init__(self, message: str, hint: str = "", *, near: Sequence[str] = ()) -> None:
        super().__init__(message, hint)
        self.near = tuple(near)


class ConsentError(PersonError):
    """Somebody who has given no valid consent, in a gallery that demands it."""

    code = "no-consent"
    default_hint = "Write it down once it is given: `knownface people consent give NAME`."


class NameTakenError(PersonError):
    """A name or external id that another person has."""

    code = "name-taken"
    default_hint = "Choose another name, or join the two with `knownface people merge`."


class BadNameError(PersonError):
    """A name that cannot be anybody's."""

    code = "bad-name"
    default_hint = "A name has 1 to 200 printable characters and is not 'Unknown'."


class ReservedNameError(BadNameError):
    """The name of a person is what strangers are called, such as "Unknown 3"."""

    code = "reserved-name"
    default_hint = "Choose another name."


class UnknownTemplateError(PersonError):
    """No template of that id is in the gallery."""

    code = "unknown-template"
    default_hint = "List the person's templates."


class UnknownHeldError(PersonError):
    """No picture of that id is held back."""

    code = "unknown-held"
    default_hint = "`knownface review list` shows what waits."


class UnknownEditError(PersonError):
    """No edit of that id is in the gallery's history."""

    code = "unknown-edit"
    default_hint = "`knownface history` lists what can be undone."


class EditConflictError(PersonError):
    """An edit that cannot be undone, or not any more."""

    code = "edit-conflict"
    default_hint = "`knownface history` lists what was done since."


class MissingExtraError(KnownFaceError):
    """An optional part that is not installed; the hint is how to install it.

    Args:
        message: One sentence: what is missing, and for what.
        extra: The extra of this package that brings it.
    """

    code = "missing-extra"
    exit_status = 10

    def __init__(self, message: str, extra: str) -> None:
        super().__init__(message, f"Install it: {install_command(extra)}")


class OutputError(KnownFaceError):
    """A result that could not be written; nothing done before is lost."""

    code = "output-failed"
    exit_status = 11
    default_hint = "Check that the disk has room and the folder may be written, then run the same command again."


class CalibrationError(KnownFaceError):
    """A rate of false alarms that these people and strangers do not allow to guarantee."""

    code = "not-calibrated"
    exit_status = 12
    default_hint = "Accept a higher rate, such as fpir=0.05, or give more strangers."


class TooFewStrangersError(CalibrationError):
    """Too few strangers to guarantee the wanted rate, even if none of them were named.

    Args:
        message: One sentence.
        hint: What to do about it.
        needed: How many strangers would do, if none of them is named.
        possible: The smallest rate that those at hand can guarantee, if none of them is named; None where it is no use.
    """

    code = "too-few-strangers"

    def __init__(self, message: str, hint: str = "", *, needed: int, possible: float | None = None) -> None:
        super().__init__(message, hint)
        self.needed = needed
        self.possible = possible


class EventsError(KnownFaceError):
    """Something asked of sightings, attendance, alerts or samples that cannot be done."""

    code = "bad-events"
    exit_status = 13


class UnknownSessionError(EventsError):
    """There is no such attendance session."""

    code = "unknown-session"
    default_hint = "`knownface attendance list` shows every session."


class SessionOpenError(EventsError):
    """A session of this name is open already."""

    code = "session-open"
    default_hint = "Close it first: knownface attendance close NAME"


class AlertRuleError(EventsError):
    """A rule of alerts that makes no sense, or that there is not."""

    code = "bad-alert-rule"
    default_hint = "`knownface alerts list` shows every rule."


class UnknownAlertError(EventsError):
    """There is no such alert that waits."""

    code = "unknown-alert"
    default_hint = "`knownface alerts pending` shows them."


class AlertDecidedError(EventsError):
    """An alert that cannot be confirmed or rejected any more, or not by the same one."""

    code = "alert-decided"
    default_hint = "`knownface alerts pending --decided` shows what became of it."


class UnknownAlertRuleError(AlertRuleError):
    """There is no rule of alerts of this name or number."""

    code = "unknown-alert-rule"


class UnknownSightingError(EventsError):
    """There is no such sighting or Unknown."""

    code = "unknown-sighting"
    default_hint = "`knownface sightings list` shows them."


class UnknownOfferError(EventsError):
    """There is no such offered sample."""

    code = "unknown-offer"
    default_hint = "`knownface samples list` shows them."


class ReceiptError(KnownFaceError):
    """A receipt that is not what was signed, or a key that cannot sign or check one."""

    code = "bad-receipt"
    exit_status = 15


class ServiceError(KnownFaceError):
    """Something that concerns the service as such."""

    code = "service"
    exit_status = 14


class NoKeyError(ServiceError):
    """A request without a valid key or session."""

    code = "no-key"
    default_hint = "Send a key as `Authorization: Bearer kf_...`; `knownface keys create` makes one."


class ForbiddenError(ServiceError):
    """A key whose role does not allow this, or a request from a page of another site."""

    code = "forbidden"
    default_hint = "Use a key with the role that the documentation names for this."


class WrongPinError(ForbiddenError):
    """A PIN that is not the kiosk's."""

    code = "wrong-pin"
    default_hint = "Ask whoever set it up."


class RateLimitedError(ServiceError):
    """Too many requests.

    Args:
        message: One sentence.
        hint: What to do about it.
        retry_after: Seconds after which it is worth trying again.
    """

    code = "rate-limited"
    default_hint = "Wait as long as Retry-After says, then go on more slowly."

    def __init__(self, message: str, hint: str = "", *, retry_after: float = 1.0) -> None:
        super().__init__(message, hint)
        self.retry_after = retry_after


class BusyError(RateLimitedError):
    """All workers are busy and the queue is full, or the service is stopping."""

    code = "busy"
    default_hint = "Wait as long as Retry-After says, then try again."


class StoppedError(ServiceError):
    """A job that somebody stopped, or that the service was stopped under."""

    code = "stopped"
    default_hint = "What it had finished is kept; ask for it again to go on."


class NotFoundError(ServiceError):
    """Something that the service does not have."""

    code = "not-found"


class UnknownKeyError(NotFoundError):
    """No key of that id."""

    code = "unknown-key"
    default_hint = "`knownface keys list` shows every key."


class BadRequestError(ServiceError):
    """A request that makes no sense."""

    code = "bad-request"


class TooSlowError(BadRequestError):
    """A request that does not arrive."""

    code = "too-slow"
    default_hint = "Send it faster, or make the picture smaller."
