"""The settings: defaults, then ``knownface.toml``, then ``KNOWNFACE_*`` variables, then what the caller passes.

The file is looked for as ``knownface.toml`` in the working folder, else in the user's configuration folder.
"""

from __future__ import annotations

import difflib
import functools
import ipaddress
import logging
import os
import re
import tomllib
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from knownface.errors import SettingsError
from knownface.scorings import DEFAULT_SCORING, Scoring
from knownface.types import DecisionRule

log = logging.getLogger(__name__)

FILE_NAME = "knownface.toml"

_PREFIX = "KNOWNFACE_"
_OTHER_VARIABLES = ("OFFLINE", "FACE_DATA")
"""Variables that are no settings."""
_SECRETS = ("token", "password")
"""How the settings end that no message shows."""
_ALIKE = 0.9
"""How alike two names are of which one is taken for a misspelling of the other; 1 is equal."""


def settings_file() -> Path | None:
    """The ``knownface.toml`` that is in force, or None."""
    for folder in (Path.cwd(), platformdirs.user_config_path("knownface")):
        path = folder / FILE_NAME
        if path.is_file():
            return path
    return None


class ServeSettings(BaseModel):
    """What `knownface serve` can be set to; the table ``[serve]`` of the file, ``KNOWNFACE_SERVE__NAME`` variables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = "127.0.0.1"
    """The address to listen on; loopback by default."""
    port: int = Field(default=8420, ge=0, le=65535)
    tls: Literal["off", "self-signed"] = "off"
    tls_cert: Path | None = None
    tls_key: Path | None = None
    names: tuple[str, ...] = ()
    """Host names that the service is reached by, besides this machine's own."""
    behind_proxy: tuple[str, ...] = ()
    """Addresses of reverse proxies whose ``X-Forwarded-For`` and ``X-Forwarded-Proto`` are believed."""
    workers: int | None = Field(default=None, ge=1, le=64)
    """Pictures examined at a time; None is one more than there are processors."""
    queue: int = Field(default=256, ge=1, le=10_000)
    """Pictures that may wait, one key's at most four fifths of them; beyond, requests are sent away with 429."""
    max_upload_bytes: int = Field(default=20_000_000, ge=1000)
    """Of one picture's file."""
    max_upload_pixels: int = Field(default=40_000_000, ge=1000)
    """Of one picture, known before it is decoded."""
    max_pictures: int = Field(default=16, ge=1, le=1000)
    """Of one request."""
    max_request_bytes: int = Field(default=64_000_000, ge=10_000)
    """Of one request with several pictures."""
    max_waiting_bytes: int = Field(default=512_000_000, ge=100_000)
    """Of all requests together that are being received or answered; beyond, they are sent away with 503."""
    rate_per_key: float = Field(default=50.0, gt=0)
    """Requests a second of one key, on average; twice as many at once."""
    pixels_per_key: float = Field(default=50_000_000.0, gt=0)
    """Pixels a second of one key's pictures, on average; ten times as many at once."""
    rate_per_address: float = Field(default=100.0, gt=0)
    """Requests a second of one address, on average."""
    connections_per_address: int = Field(default=256, ge=1)
    """Open at a time, proxies aside; beyond, the one that has been idle longest is closed."""
    request_seconds: float = Field(default=30.0, gt=0)
    """In which a request must have arrived whole."""
    session_hours: float = Field(default=12.0, gt=0)
    """After which a browser must log in again."""
    challenge: Literal["off", "turn"] = "off"
    """What a kiosk asks of a face before it gets a name: nothing, or a turn of the head to a side chosen at random."""
    language: Literal["de", "en", "es", "fr", "hr", "it"] = "en"
    """Of the page, for browsers that ask for none of its languages, and of names that it writes into the log."""
    audit_days: float | None = Field(default=365.0, gt=0)
    """After which entries of the audit log go by themselves; None keeps them."""
    allowed_origins: tuple[str, ...] = ()
    """Pages of other sites, such as ``https://intranet.example.org``, whose scripts may use a key here (CORS)."""
    source_folder: Path | None = None
    """Video files and folders of frames below it may be watched by the service; None: none."""
    allowed_networks: tuple[str, ...] = ()
    """Networks, such as ``100.64.0.0/10``, that sources and webhooks may be in although they are refused otherwise."""
    collections: dict[str, str] = Field(default={}, max_length=100)
    """Further galleries of this service by name: files or database URLs. A key is for the gallery that holds it."""
    store_pictures: bool = True
    """Whether a small picture of the face is kept with each template that is enrolled through the service."""

    @field_validator("allowed_networks")
    @classmethod
    def _are_networks(cls, networks: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(network, strict=False)) for network in networks)

    @model_validator(mode="after")
    def _fits_together(self) -> ServeSettings:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together; one of them is missing")
        if bad := next((name for name in self.collections if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", name)), None):
            raise ValueError(f"serve.collections: {bad!r} is no name; use letters, digits, _ and -, at most 40")
        if self.tls_cert is not None and self.tls != "off":
            raise ValueError("tls=self-signed makes its own certificate; leave out tls_cert and tls_key")
        return self


class MqttSettings(BaseModel):
    """How what is seen goes to an MQTT broker; the table ``[mqtt]`` of the file, ``KNOWNFACE_MQTT__NAME`` variables."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str | None = None
    """``mqtt://HOST:1883``, or ``mqtts://HOST:8883`` with TLS; None sends nothing."""
    user: str | None = None
    password: SecretStr | None = None
    ca: Path | None = None
    """PEM file of the authority that vouches for the broker; None is those that the system trusts."""
    name: str = Field(default="knownface", pattern="^[A-Za-z0-9_-]{1,64}$")
    """The first level of every topic, and the device that Home Assistant shows; one for each gallery on a broker."""
    discovery: str = Field(default="homeassistant", pattern="^([A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*)?$")
    """Home Assistant's discovery prefix; empty announces nothing."""
    pictures: bool = False
    """Whether the picture of a person's last sighting is sent, and shown as an image."""
    away_seconds: float = Field(default=30.0, ge=1, le=86_400)
    """After which somebody who is not seen any more counts as away."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the broker."""
        parts = urlsplit(self.url or "")
        return parts.hostname or "", parts.port or (8883 if parts.scheme == "mqtts" else 1883)

    @property
    def tls(self) -> bool:
        """Whether the connection is encrypted."""
        return (self.url or "").startswith("mqtts:")

    @model_validator(mode="after")
    def _fits_together(self) -> MqttSettings:
        if self.url is not None:
            try:
                parts = urlsplit(self.url)
                port = parts.port
            except ValueError:
                raise ValueError("mqtt.url cannot be read; it looks like mqtt://broker.lan:1883") from None
            if parts.username or parts.password:
                raise ValueError("mqtt.url may not hold a password; set mqtt.user and mqtt.password")
            if parts.scheme not in {"mqtt", "mqtts"} or not parts.hostname or parts.path.strip("/") or port == 0:
                raise ValueError("mqtt.url must look like mqtt://broker.lan:1883, or mqtts://broker.lan:8883")
        if self.password is not None and self.user is None:
            raise ValueError("mqtt.password needs mqtt.user")
        if self.ca is not None and not self.tls:
            raise ValueError("mqtt.ca is for a broker with TLS: write mqtt.url as mqtts://HOST")
        return self


class Settings(BaseSettings):
    """What a user can set; see ``docs/settings.md`` for the same list with examples."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_nested_delimiter="__",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        protected_namespaces=(),
    )

    gallery: str = Field(default_factory=lambda: str(platformdirs.user_data_path("knownface") / "gallery.db"))
    """A file, or a database URL."""
    gallery_key: str | None = None
    """Where the key of an encrypted gallery comes from: ``file:PATH``, ``env:VARIABLE``, ``command:COMMAND`` or
    ``prompt``. New galleries are encrypted if it is set."""
    seal_names: bool = False
    """Whether new encrypted galleries seal names too; they are files then."""
    models: Path | None = None
    """A folder with weight files that you keep yourself; searched before the cache."""
    cache: Path = Field(default_factory=lambda: platformdirs.user_cache_path("knownface"))
    """Where fetched weights and other things that can be made again are kept."""
    detector: str = "auto"
    detector_score: float | None = Field(default=None, gt=0, le=1)
    """Smallest score of a face that YuNet finds; None is its own, 0.6."""
    thorough: bool = False
    """Whether YuNet searches every picture in its own size: small faces of large photos, in more time."""
    embedder: str = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    int8: bool = True
    """Whether networks compute in 8 bits where nothing is lost by it and the processor is quicker so."""
    batch_size: int = Field(default=32, ge=1, le=4096)
    """Faces a batch, and photos in memory at a time."""
    threads: int | None = Field(default=None, ge=1, le=256)
    """Worker threads; None is one for each processor that the program may use."""
    k1: int | None = Field(default=None, ge=1)
    k2: int | None = Field(default=None, ge=2)
    threshold: float | None = Field(default=None, ge=0, le=2)
    show_accuracy: bool = False
    """Whether every name is told with how often a stranger would get one, by whom that is known."""
    fpir: float = Field(default=0.01, gt=0, lt=1)
    """The share of strangers who may get a name; the threshold is estimated for it, unless set or calibrated."""
    margin: float | None = Field(default=None, ge=0, le=2)
    scoring: Scoring = DEFAULT_SCORING
    """What a person is compared by: templates and their mean, or templates alone, as in the paper."""
    index: str = "auto"
    """What searches: an index in this process, chosen by size unless named, or an engine outside of it."""
    search_effort: int | None = Field(default=None, ge=1, le=100_000)
    """Candidates that pgvector or Milvus keeps while it searches, or lists that Milvus looks into."""
    templates_per_person: int | None = Field(default=None, ge=1, le=10_000)
    """The most templates that are searched of each person, chosen by coverage and quality; None is all."""
    milvus_uri: str | None = None
    """``http://host:19530``, or a file ending in ``.db`` for Milvus Lite."""
    milvus_token: SecretStr | None = None
    """``user:password`` or an API key."""
    milvus_collection: str = Field(default="knownface", pattern="^[A-Za-z_][A-Za-z0-9_]{0,99}$")
    """The beginning of the names of the collections."""
    milvus_index: Literal["flat", "ivf", "sq8", "pq", "hnsw"] = "hnsw"
    liveness: Literal["off", "show", "require"] = "off"
    """Whether faces are checked for being alive, and whether only those that are may get a name."""
    liveness_check: str = "auto"
    """Which check: a model of the catalogue, a registered one, or ``module:Factory``."""
    liveness_threshold: float | None = Field(default=None, gt=0, lt=1)
    """The smallest score at which a face counts as live; None is the calibrated one, else the check's own."""
    max_pixels: int = Field(default=120_000_000, ge=1)
    """Pictures with more pixels are refused before they are decoded."""
    keep_crops: bool = True
    """Whether the face itself is kept, as a small picture, with each new template whose picture lies in no file:
    another network can embed it later. Where ``serve.store_pictures`` is off this is off too."""
    keep_pictures: bool = False
    """Whether the best picture of each sighting is kept."""
    keep_unknown_faces: bool = False
    """Whether the embeddings of Unknowns are kept, so that they can be grouped and enrolled when named."""
    retention_days: float | None = Field(default=None, gt=0, le=36_500)
    """Sightings, alerts and offered samples older than this go by themselves; None keeps them."""
    unseen_days: float | None = Field(default=None, gt=0, le=36_500)
    """People who were neither seen nor enrolled for so long are removed by themselves; None keeps them."""
    template_days: float | None = Field(default=None, gt=0, le=36_500)
    """Templates older than this go by themselves; None keeps them."""
    attendance_days: float | None = Field(default=None, gt=0, le=36_500)
    """Attendance sessions that were closed longer ago than this go by themselves; None keeps them."""
    review: Literal["hold", "refuse", "off"] = "hold"
    """What becomes of pictures that may show somebody else than the person they are to be enrolled for: they are held
    back until somebody decides (`knownface review`), they are refused, or nobody asks."""
    consent: Literal["off", "required"] | None = None
    """Whether nobody is enrolled, named or recorded without a valid consent; None is as the gallery was last told."""
    controller: str = Field(default="", max_length=500)
    """Who answers for the gallery by law, with address; stands on receipts and forms."""
    privacy_contact: str = Field(default="", max_length=500)
    """Whom people turn to about their data."""
    receipt_key: Path | None = None
    """The key that signs receipts; None is a file beside the gallery, made when it is first needed."""
    samples: Literal["off", "offer", "accept"] = "off"
    """Whether new pictures of known people are offered as templates, or accepted where a stricter rule allows."""

    serve: ServeSettings = Field(default_factory=ServeSettings)
    mqtt: MqttSettings = Field(default_factory=MqttSettings)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings names it
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over variables, variables over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_file())

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        if self.k1 is not None and self.k2 is not None and self.k1 >= self.k2:
            raise ValueError(f"k1 must be smaller than k2, got k1={self.k1}, k2={self.k2}")
        if self.unseen_days is not None and self.retention_days is not None and self.unseen_days > self.retention_days:
            raise ValueError("unseen_days must not be greater than retention_days: who was seen is not known so long")
        if self.models is not None and not self.models.is_dir():
            raise ValueError(f"models names {self.models}, which is no folder")
        if self.serve.collections and self.index == "milvus":
            raise ValueError("serve.collections cannot be searched by Milvus, where they would have one collection")
        if self.mqtt.pictures and not self.keep_pictures:
            raise ValueError("mqtt.pictures needs keep_pictures = true: what is not kept cannot be sent")
        return self

    @property
    def keeps_crops(self) -> bool:
        """Whether a face is kept with its template where its picture lies in no file."""
        return self.keep_crops and self.serve.store_pictures

    def mqtt_of(self, collection: str) -> MqttSettings:
        """The settings of MQTT for a collection of the service, which has topics of its own."""
        return self.mqtt.model_copy(update={"name": f"{self.mqtt.name}-{collection}"}) if collection else self.mqtt

    def rule(self, default: DecisionRule) -> DecisionRule:
        """A rule of the scoring in force, calibrated or the embedder's own, with what the user set laid over it.

        Raises:
            SettingsError: k1 and k2 do not fit together once the defaults are filled in.
        """
        k1 = default.k1 if self.k1 is None else self.k1
        k2 = default.k2 if self.k2 is None else self.k2
        if self.k2 is None and k1 >= k2:
            k2 = k1 + (default.k2 - default.k1)
        if k1 >= k2:
            raise SettingsError(f"k1 must be smaller than k2, got k1={k1}, k2={k2}.", "Set both k1 and k2.")
        threshold = default.threshold if self.threshold is None else self.threshold
        margin = default.margin if self.margin is None else self.margin
        return DecisionRule(k1, k2, threshold, margin, self.scoring)


@functools.cache  # once is enough, however often settings are read
def _warn_of_misspelt(names: tuple[str, ...]) -> None:
    """Name the variables that are ignored although they look like a setting.

    Others are left alone: container platforms make some of their own, such as ``KNOWNFACE_SERVICE_HOST``.
    """
    tables: dict[str, type[BaseModel]] = {"SERVE": ServeSettings, "MQTT": MqttSettings}
    nested = [f"{table}__{name.upper()}" for table, model in tables.items() for name in model.model_fields]
    known = [*map(str.upper, Settings.model_fields), *nested, *_OTHER_VARIABLES]
    for name in names:
        bare = name.upper().removeprefix(_PREFIX)
        if bare not in known and (near := difflib.get_close_matches(bare, known, 1, _ALIKE)):
            log.warning("%s is no setting and is ignored; is %s%s meant?", name, _PREFIX, near[0])


def load_settings(**overrides: object) -> Settings:
    """Read the settings; ``None`` among the overrides means "not given".

    Raises:
        SettingsError: A value makes no sense, or the file is not TOML.
    """
    _warn_of_misspelt(tuple(sorted(name for name in os.environ if name.upper().startswith(_PREFIX))))
    given: dict[str, Any] = {key: value for key, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if not where or first["type"] == "value_error":
            raise SettingsError(
                f"Settings that do not fit together: {first['msg'].removeprefix('Value error, ')}.",
                f"Look at the options, the KNOWNFACE_ variables and {FILE_NAME}.",
            ) from error
        if first["type"] == "extra_forbidden":
            source = settings_file() if where not in given else "the call"
            raise SettingsError(
                f"There is no setting {where}; {source} has it.", "The documentation's page on settings has all."
            ) from error
        given_value = "" if where.endswith(_SECRETS) else f" (it is {first['input']!r})"
        raise SettingsError(
            f"The setting {where} is wrong: {first['msg']}{given_value}.",
            f"Set it by KNOWNFACE_{where.upper().replace('.', '__')}, in {FILE_NAME}, or by the command's option.",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{settings_file()} is not valid TOML: {error}.", "Mend or delete the file.") from error
    except (UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"The settings cannot be read: {error}.", "Mend or delete the file.") from error
