"""Where the weight files are: found, fetched, imported and verified."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from knownface.errors import ModelAlteredError, ModelError, ModelUnavailableError
from knownface.files import put_in_place, sha256_of, unwritable
from knownface.models.catalog import (
    CONTRACT_FILE,
    Catalog,
    files_table,
    load_catalog,
    own_bases,
    parse_contract,
    resolve,
)
from knownface.models.download import Progress
from knownface.models.entry import ModelEntry, WeightFile
from knownface.models.fetch import fetch_file, how_to_get
from knownface.models.files import copy_in, forget_sha256, packaged_file, remove_folder, weights_sha256
from knownface.models.kinds import try_entry

log = logging.getLogger(__name__)


class ModelStore:
    """The weight files of this machine.

    A file is looked for in the user's own models folder (and its direct subfolders), then in the cache, then in the
    installed package that carries it; whatever is handed out has the catalogue's SHA-256.

    Args:
        models: The user's own folder, or None; never written to.
        cache: Where fetched and imported files are kept, below ``models/``.
    """

    def __init__(self, models: Path | None, cache: Path) -> None:
        self.models = models
        self.folder = cache / "models"
        self._catalog: Catalog | None = None

    @property
    def catalog(self) -> Catalog:
        """Every model by name, the user's own ones among them.

        Raises:
            ModelError: A contract of the user's own is malformed.
        """
        if self._catalog is None:
            self._catalog = load_catalog(self.folder)
        return self._catalog

    def entry(self, name: str) -> ModelEntry:
        """What the catalogue says of a model.

        Raises:
            UnknownModelError: It holds no such name.
        """
        return resolve(self.catalog, name)

    def find(self, name: str) -> Path | None:
        """The model's network file if all its files are on this machine, else None; nothing is fetched.

        Raises:
            UnknownModelError: The catalogue holds no such name.
            ModelAlteredError: A file has the model's name and other content.
            ModelUnavailableError: A file of that name cannot be read.
        """
        found = [self._find(self.entry(name), file) for file in self.entry(name).files]
        return found[0] if None not in found else None

    def files(self, name: str) -> Mapping[str, Path]:
        """All files of a model on this machine by part; the network's part is ``network``.

        Raises:
            ModelUnavailableError: One of them is not here; the hint says how to get it.
            UnknownModelError: As for :meth:`find`.
            ModelAlteredError: As for :meth:`find`.
        """
        entry = self.entry(name)
        found = {file.part: self._find(entry, file) for file in entry.files}
        missing = [file for file in entry.files if found[file.part] is None]
        if missing:
            raise ModelUnavailableError(
                f"The weights of {name} ({missing[0].names[0]}) are not on this machine.", how_to_get(entry)
            )
        return {part: path for part, path in found.items() if path is not None}

    def verify(self, name: str) -> Mapping[str, Path]:
        """Read every file of a model anew and compare its SHA-256 with the catalogue's.

        Returns:
            The files by part.

        Raises:
            ModelUnavailableError: As for :meth:`files`.
            ModelAlteredError: As for :meth:`find`.
        """
        forget_sha256()
        return self.files(name)

    def fetch(self, name: str, on_progress: Progress | None = None) -> Path:
        """Bring all files of a model into the cache, going on where an earlier attempt ended.

        Args:
            name: Of the catalogue.
            on_progress: Called with the bytes of the current file that are here and that will be.

        Returns:
            The network's file.

        Raises:
            ModelUnavailableError: Offline, no address is known, or the address does not hand the file out.
            ModelAlteredError: What came has another SHA-256 than the catalogue's; it is deleted.
            OutputError: The cache cannot be written.
        """
        entry = self.entry(name)
        paths = [
            self._find(entry, file) or fetch_file(entry, file, self._cached(entry, file), on_progress)
            for file in entry.files
        ]
        return paths[0]

    def import_file(self, path: Path, name: str, contract: Path | None = None) -> Path:
        """Copy a weight file into the cache.

        Without a contract it must be the catalogue's file of that name. With one it becomes a model of the user's
        own: it is run once to see that the contract fits it.

        Args:
            path: The file; ONNX where there is a contract.
            name: Of the catalogue, or a new one.
            contract: TOML; see :func:`knownface.models.catalog.parse_contract`.

        Returns:
            The copy.

        Raises:
            ModelAlteredError: It is not the catalogue's file.
            ModelError: The contract is malformed or does not fit the network, or the name is taken.
            OutputError: The cache cannot be written.
        """
        try:
            digest, byte_count = sha256_of(path), path.stat().st_size
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}.", "Name a weight file.") from error
        if contract is None:
            return self._import_known(path, self.entry(name), digest)
        file = WeightFile(names=(f"{name}.onnx",), sha256=digest, byte_count=byte_count)
        entry = parse_contract(contract, name, file)
        taken = self.catalog.get(name)
        if taken is not None and taken.files[0].sha256 != digest:
            raise ModelError(
                f"Another network was imported as {name}.",
                f"Choose another name, or run `knownface models remove {name}` first.",
            )
        target = copy_in(path, self._cached(entry, file), lambda part: try_entry(entry, part))
        self._write_contract(name, f"{contract.read_text(encoding='utf-8')}\n{files_table(file)}")
        return target

    def add_variant(self, base: str, name: str, network: Path, *, title: str, per_item: bool = False) -> Path:
        """Take a network that was made of another into the cache, as a model of the user's own.

        Args:
            base: Whose contract it has: crop, size, thresholds, licence.
            name: Of the new model; a variant of the same name is replaced.
            network: The ONNX file.
            title: For people.
            per_item: Whether it must be run one face at a time.

        Returns:
            The copy.

        Raises:
            ModelError: The name is a shipped model's, or the network does not fit the contract.
            OutputError: The cache cannot be written.
        """
        entry = self.entry(base)
        if name in self.catalog and not self.catalog[name].own:
            raise ModelError(f"{name} is a model of the catalogue already.", "Choose another name.")
        file = WeightFile(names=(f"{name}.onnx",), sha256=sha256_of(network), byte_count=network.stat().st_size)
        target = copy_in(network, self.folder / name / file.names[0], lambda part: try_entry(entry, part))
        others = [files_table(other) for other in entry.files[1:]]
        flags = "[input]\nper_item = true\n" if per_item else ""
        head = f"like = {json.dumps(base)}\ntitle = {json.dumps(title)}\n"
        self._write_contract(name, "".join([head, files_table(file), *others, flags]))
        return target

    def remove(self, name: str) -> int:
        """Delete what was fetched or imported of a model, and forget a model of the user's own.

        What lies in the user's own models folder, or comes with a package, is left alone.

        Returns:
            Bytes freed.

        Raises:
            UnknownModelError: The catalogue holds no such name.
            ModelError: Nothing of it was fetched or imported, or other models of the user's own are made of it.
            OutputError: The cache refuses.
        """
        entry = self.entry(name)
        folder = self.folder / name
        if not folder.is_dir():
            raise ModelError(f"Nothing of {name} was fetched or imported.", self._where_it_is(entry))
        if made_of_it := [other for other, base in own_bases(self.folder).items() if entry.own and base == name]:
            raise ModelError(
                f"{' and '.join(made_of_it)} cannot be used without {name}: the contract says like = {name!r}.",
                f"Run `knownface models remove {' '.join([*made_of_it, name])}`.",
            )
        freed = remove_folder(folder)
        self._catalog = None
        return freed

    def _where_it_is(self, entry: ModelEntry) -> str:
        path = next((path for file in entry.files for path in self._places(entry, file)), None)
        if path is None:
            return "`knownface models list` shows what is on this machine."
        package = entry.files[0].package
        if package is not None and path == packaged_file(package):
            return f"It comes with a package: pip uninstall {package.distribution}"
        return f"{path} lies in your own models folder: delete it there."

    def _import_known(self, path: Path, entry: ModelEntry, digest: str) -> Path:
        for file in entry.files:
            if file.sha256 == digest:
                return copy_in(path, self._cached(entry, file))
        raise ModelAlteredError(
            f"{path} is not the file of {entry.name} that the catalogue knows: its SHA-256 is {digest}, "
            f"expected {entry.files[0].sha256}.",
            'For a network of your own give a new name and contract="FILE.toml".',
        )

    def _cached(self, entry: ModelEntry, file: WeightFile) -> Path:
        return self.folder / entry.name / file.names[0]

    def _find(self, entry: ModelEntry, file: WeightFile) -> Path | None:
        altered: Path | None = None
        for path in self._places(entry, file):
            digest = self._digest(path, file)
            if digest is not None and digest == file.sha256:
                return path
            if path.name in file.generic_names:
                log.info("%s is passed over: it is not the catalogue's file of %s", path, entry.name)
            elif not self._is_another_models(digest):
                altered = altered or path
        if altered is not None:
            raise ModelAlteredError(f"{altered} is not the file of {entry.name} that the catalogue knows.")
        return None

    def _places(self, entry: ModelEntry, file: WeightFile) -> Iterator[Path]:
        """Existing files that may be the one looked for, best first."""
        if self.models is not None and self.models.is_dir():
            for name in (*file.names, *file.generic_names):
                yield from (
                    path for path in (self.models / name, *sorted(self.models.glob(f"*/{name}"))) if path.is_file()
                )
        if (cached := self._cached(entry, file)).is_file():
            yield cached
        if file.package is not None and (packaged := packaged_file(file.package)) is not None:
            yield packaged

    def _digest(self, path: Path, file: WeightFile) -> str | None:
        """SHA-256 of the file; None where its size alone shows that it is another."""
        try:
            if file.byte_count is not None and path.stat().st_size != file.byte_count:
                return None
            return weights_sha256(path)
        except OSError as error:
            raise ModelUnavailableError(
                f"{path} cannot be read: {error.strerror}.", "Check its permissions."
            ) from error

    def _is_another_models(self, digest: str | None) -> bool:
        return digest is not None and any(
            digest == file.sha256 for entry in self.catalog.values() for file in entry.files
        )

    def _write_contract(self, name: str, text: str) -> None:
        target = self.folder / name / CONTRACT_FILE
        part = target.with_name(target.name + ".import")
        try:
            part.write_text(text, encoding="utf-8")
            put_in_place(part, target)
        except OSError as error:
            raise unwritable(target, error) from error
        finally:
            part.unlink(missing_ok=True)
        self._catalog = None
