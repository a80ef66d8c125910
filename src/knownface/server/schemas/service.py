"""The service itself: health, keys, sessions, the audit log, jobs, calibration, models, settings, webhooks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from knownface.events.happenings import EventKind
from knownface.parameters import ThresholdSource
from knownface.scorings import Scoring
from knownface.server.error_responses import Problem
from knownface.server.keys import Role
from knownface.server.schemas.common import Schema
from knownface.server.schemas.faces import AccuracySchema

_KEY: JsonDict = {
    "id": 2,
    "name": "front door",
    "role": "device",
    "token_id": "3f9a1c22b0",
    "created": "2026-03-01T09:30:00Z",
    "rotated": None,
    "expires": None,
    "revoked": None,
    "last_used": "2026-03-02T07:59:00Z",
}


class Health(Schema):
    """Whether the service runs."""

    status: Literal["ok", "not ready"]


class KeySchema(Schema):
    """An API key, without its secret."""

    model_config = ConfigDict(json_schema_extra={"examples": [_KEY]})

    id: int
    name: str
    role: Role
    token_id: str = Field(description="The public part of the key.")
    created: datetime
    rotated: datetime | None
    expires: datetime | None
    revoked: datetime | None
    last_used: datetime | None


class KeyRequest(Schema):
    """A key to be made."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "front door", "role": "device"}]})

    name: str = Field(min_length=1, max_length=400)
    role: Role
    days: float | None = Field(default=None, gt=0, le=36_500, description="After which it is void; null: never.")


class KeyWithToken(Schema):
    """A key with its secret, which is shown once."""

    key: KeySchema
    token: str = Field(examples=["kf_3f9a1c22b0_..."], description="Keep it; it cannot be shown again.")


class Login(Schema):
    """A key to begin a browser session with."""

    key: str = Field(max_length=200, examples=["kf_3f9a1c22b0_..."])


class BrowserSessionSchema(Schema):
    """Who is asking."""

    name: str = Field(description="Of the key.")
    role: Role
    csrf: str | None = Field(description="To be sent as `X-CSRF-Token` with every change; null: a key needs none.")


class ActorSchema(Schema):
    """Who did something."""

    key_id: int | None = Field(description="Null: the command line.")
    name: str
    role: str
    address: str


class AuditSchema(Schema):
    """One thing that was done."""

    id: int
    at: datetime
    actor: ActorSchema
    action: str = Field(examples=["person.delete"])
    subject_id: int | None
    details: dict[str, Any]
    digest: str | None = Field(description="SHA-256 over this entry and the digest before; null of earlier versions.")


class JobSchema(Schema):
    """Something that runs in the background."""

    id: str
    kind: str
    state: Literal["waiting", "running", "done", "failed"]
    created: datetime
    finished: datetime | None
    result: dict[str, Any] | None
    problem: Problem | None
    done: int | None = Field(description="How much of it is done, of `total`; null where it does not tell.")
    total: int | None
    resumed: bool = Field(description="Whether it was begun again after a restart of the service.")


_SOURCES = (
    "Where the threshold comes from: `set` by the administrator, `calibrated`, `estimated` from the people enrolled, "
    "or the `embedder`'s own."
)


class RuleSchema(Schema):
    """The parameters of the decision."""

    k1: int
    k2: int
    threshold: float
    margin: float
    scoring: Scoring = Field(description="What a person is compared by: templates and their mean, or templates alone.")


class CalibrationSchema(Schema):
    """A calibration as it is kept."""

    rule: RuleSchema
    sentence: str = Field(description="What is guaranteed.")
    wanted_fpir: float
    fpir_bound: float
    confidence: float
    people: int
    templates: int
    new_people: int = Field(description="Enrolled since.")
    new_templates: int
    outgrown: str | None = Field(description="A sentence where the gallery has grown too much for the guarantee.")
    calibrated_at: datetime


class CalibrationState(Schema):
    """The parameters in force, and the calibration they come from, if any."""

    rule: RuleSchema
    threshold_source: ThresholdSource = Field(description=_SOURCES)
    fpir: float = Field(description="Share of strangers who may get a name, which a threshold is estimated for.")
    notes: list[str] = Field(description="What one should know, a sentence each.")
    calibration: CalibrationSchema | None


class CalibrationRequest(Schema):
    """What is to be guaranteed."""

    fpir: float = Field(default=0.01, gt=0, lt=1, description="Share of strangers who may get a name.")
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    strangers: bool = Field(
        default=True, description="Whether the pictures sent to `/v1/calibration/strangers` are searched as well."
    )


class StrangerSchema(Schema):
    """What came of one picture of a stranger."""

    file: str = Field(description="What the upload was called.")
    status: Literal["taken", "known", "refused"] = Field(description="`known`: this very file was sent before.")
    problem: Problem | None


class StrangersSchema(Schema):
    """The strangers that the next calibration is measured with."""

    people: int = Field(description="With a face; each file is one person.")
    without_face: int


class AddedStrangers(Schema):
    """What came of pictures of strangers."""

    pictures: list[StrangerSchema]
    strangers: StrangersSchema


class NetworkRequest(Schema):
    """Which network the gallery is to be brought over to."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"embedder": "sface-int8bq", "leave_out": False}]})

    embedder: str = Field(max_length=200, description="Of `at_hand`, or several joined as `A+B`.")
    leave_out: bool = Field(
        default=False, description="Whether templates whose faces are not found again are set aside; else they stop it."
    )


class KeptNetwork(Schema):
    """A network that is not in use, of which vectors are kept: the way back, or what a stopped change has made."""

    name: str
    vectors: int


class NetworkSchema(Schema):
    """The network that faces are compared by, and what it can be changed to."""

    embedder: str
    at_hand: list[str] = Field(description="Networks whose weights are on this machine.")
    kept: list[KeptNetwork]
    set_aside: int = Field(description="Templates that the network could not be given; they are not searched.")


class ModelSchema(Schema):
    """A detector or embedder of the catalogue."""

    name: str
    task: Literal["detector", "embedder", "liveness"]
    title: str
    licence: str
    licence_note: str
    commercial_use: Literal["yes", "no", "unclear"]
    in_use: bool


Days: TypeAlias = Annotated[float | None, Field(gt=0, le=36_500, description="Null: until it is deleted.")]


class OwnSettingSchema(Schema):
    """A setting that was set while the service ran, and stands in the gallery."""

    name: str
    by: str = Field(description="Name of the key.")
    at: datetime


class SettingsChange(Schema):
    """What is to be set from now on; what is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"fpir": 0.001, "retention_days": 30}]})

    fpir: float = Field(default=0.01, gt=0, lt=1, description="Share of strangers who may get a name.")
    threshold: float | None = Field(default=None, ge=0, le=2, description="Null: calibrated or estimated.")
    review: Literal["hold", "refuse", "off"] = "hold"
    samples: Literal["off", "offer", "accept"] = Field(default="off", description="For cameras started from then on.")
    consent: Literal["off", "required"] = "off"
    show_accuracy: bool = Field(default=False, description="Whether names are told with how sure they are.")
    keep_pictures: bool = False
    keep_unknown_faces: bool = False
    retention_days: Days = None
    unseen_days: Days = None
    template_days: Days = None
    attendance_days: Days = None


class SettingsSchema(Schema):
    """What is set, as far as it concerns those who use the service."""

    gallery_people: int
    gallery_templates: int
    embedder: str
    detector: str
    rule: RuleSchema
    threshold_source: ThresholdSource = Field(description=_SOURCES)
    fpir: float = Field(description="Share of strangers who may get a name, which a threshold is estimated for.")
    show_accuracy: bool
    accuracy: AccuracySchema | None = Field(description="Of every name, where the setting `show_accuracy` asks for it.")
    keep_pictures: bool
    keep_unknown_faces: bool
    retention_days: float | None
    store_pictures: bool
    audit_days: float | None
    session_hours: float
    max_upload_bytes: int
    max_upload_pixels: int
    max_pictures: int
    max_request_bytes: int
    own: list[OwnSettingSchema] = Field(description="Settings that were set by `PATCH /v1/settings`, and are in force.")
    fixed: list[str] = Field(description="Settings that cannot be set so: an option, a variable or a file has them.")


class WebhookRequest(Schema):
    """Where events are to be sent."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"url": "https://example.org/faces", "kinds": None}]})

    url: str = Field(max_length=2000)
    kinds: Annotated[list[EventKind], Field(min_length=1, max_length=50)] | None = Field(
        default=None, description="Only events of these kinds; null: all."
    )


class WebhookChange(Schema):
    """Whether anything is sent."""

    active: bool


class WebhookSchema(Schema):
    """Where events are sent."""

    id: int
    url: str
    kinds: list[str] | None
    active: bool
    created: datetime
    last_event: int
    failures: int
    next_attempt: datetime | None
    delivered: datetime | None
    error: str | None


class WebhookWithSecret(Schema):
    """A webhook with the secret that deliveries are signed with, which is shown once."""

    webhook: WebhookSchema
    secret: str
