"""The settings: defaults, then ``knownface.toml``, then ``KNOWNFACE_*`` variables, then what the caller passes.

The file is looked for as ``knownface.toml`` in the working folder, else in the user's configuration folder.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from knownface.errors import SettingsError
from knownface.types import DecisionRule

FILE_NAME = "knownface.toml"


def settings_file() -> Path | None:
    """The ``knownface.toml`` that is in force, or None."""
    for folder in (Path.cwd(), platformdirs.user_config_path("knownface")):
        path = folder / FILE_NAME
        if path.is_file():
            return path
    return None


class Settings(BaseSettings):
    """What a user can set; see ``docs/settings.md`` for the same list with examples."""

    model_config = SettingsConfigDict(
        env_prefix="KNOWNFACE_", env_ignore_empty=True, extra="forbid", frozen=True, protected_namespaces=()
    )

    gallery: str = Field(default_factory=lambda: str(platformdirs.user_data_path("knownface") / "gallery.db"))
    """A file, or a database URL."""
    models: Path | None = None
    """A folder with weight files that you keep yourself; searched before the cache."""
    cache: Path = Field(default_factory=lambda: platformdirs.user_cache_path("knownface"))
    """Where fetched weights and other things that can be made again are kept."""
    detector: str = "auto"
    embedder: str = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    batch_size: int = Field(default=32, ge=1, le=4096)
    """Faces a batch, and photos in memory at a time."""
    threads: int | None = Field(default=None, ge=1, le=256)
    """Worker threads; None is one for each processor that the program may use."""
    k1: int | None = Field(default=None, ge=1)
    k2: int | None = Field(default=None, ge=2)
    threshold: float | None = Field(default=None, ge=0, le=2)
    margin: float | None = Field(default=None, ge=0, le=2)
    max_pixels: int = Field(default=120_000_000, ge=1)
    """Pictures with more pixels are refused before they are decoded."""

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
        if self.models is not None and not self.models.is_dir():
            raise ValueError(f"models names {self.models}, which is no folder")
        return self

    def rule(self, default: DecisionRule) -> DecisionRule:
        """The gallery's calibrated rule, or the embedder's own, with what the user set laid over it.

        Raises:
            SettingsError: k1 and k2 do not fit together once the defaults are filled in.
        """
        k1 = default.k1 if self.k1 is None else self.k1
        k2 = default.k2 if self.k2 is None else self.k2
        if self.k2 is None and k1 >= k2:
            k2 = k1 + (default.k2 - default.k1)
        if k1 >= k2:
            raise SettingsError(f"k1 must be smaller than k2, got k1={k1}, k2={k2}.", "Set both --k1 and --k2.")
        threshold = default.threshold if self.threshold is None else self.threshold
        margin = default.margin if self.margin is None else self.margin
        return DecisionRule(k1, k2, threshold, margin)


def load_settings(**overrides: Any) -> Settings:
    """Read the settings; ``None`` among the overrides means "not given".

    Raises:
        SettingsError: A value makes no sense, or the file is not TOML.
    """
    given = {key: value for key, value in overrides.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        if not where:
            raise SettingsError(
                f"Settings that do not fit together: {first['msg'].removeprefix('Value error, ')}.",
                f"Look at the options, the KNOWNFACE_ variables and {FILE_NAME}.",
            ) from error
        if first["type"] == "extra_forbidden":
            source = settings_file() if where not in given else "the call"
            raise SettingsError(
                f"There is no setting {where}; {source} has it.", "docs/settings.md has all."
            ) from error
        raise SettingsError(
            f"The setting {where} is wrong: {first['msg']} (it is {first['input']!r}).",
            f"Set it by --{where.replace('_', '-')}, KNOWNFACE_{where.upper()} or in {FILE_NAME}.",
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{settings_file()} is not valid TOML: {error}.", "Mend or delete the file.") from error
    except (UnicodeDecodeError, OSError) as error:
        raise SettingsError(f"The settings cannot be read: {error}.", "Mend or delete the file.") from error
