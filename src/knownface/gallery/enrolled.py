"""Everything enrolled as arrays: what calibration measures, and what a researcher takes away as a NumPy file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from knownface.files import replacing
from knownface.gallery.consents import permitted
from knownface.gallery.templates import read_vectors
from knownface.storage.schema import people, templates
from knownface.types import EmbedderContract, Embeddings, Ids

Strings = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True, eq=False)
class EnrolledFaces:
    """Every template of a gallery in the order of their ids; counter-examples aside.

    Attributes:
        embeddings: Float32, shape (n, dim), unit vectors.
        templates: Int64, shape (n,): ids.
        people: Int64, shape (n,): ids of those whom they show.
        names: Shape (n,): their names.
        sources: Shape (n,): the file that each comes from, as it was named at enrolment.
        source_sha256: Shape (n,): hex digest of that file's content.
        frame_times: Float64, shape (n,): seconds from the start of a video; NaN for a still photo.
        contract: Of the embedder that made them; None for an empty gallery.
    """

    embeddings: Embeddings
    templates: Ids
    people: Ids
    names: Strings
    sources: Strings
    source_sha256: Strings
    frame_times: npt.NDArray[np.float64]
    contract: EmbedderContract | None

    def __len__(self) -> int:
        return len(self.templates)

    def save(self, path: Path) -> None:
        """Write a NumPy ``.npz`` file with these arrays and the contract as JSON; read it with :func:`numpy.load`.

        Only the owner may read it: embeddings of faces are personal data.

        Raises:
            OutputError: It cannot be written.
        """
        contract = "" if self.contract is None else json.dumps(asdict(self.contract), ensure_ascii=False)
        with replacing(path, private=True) as part, part.open("wb") as file:
            np.savez(
                file,
                embeddings=self.embeddings,
                templates=self.templates,
                people=self.people,
                names=self.names,
                sources=self.sources,
                source_sha256=self.source_sha256,
                frame_times=self.frame_times,
                contract=np.array(contract),
            )


def read_enrolled(connection: Connection, contract: EmbedderContract | None) -> EnrolledFaces:
    """Everything enrolled; of those who may be named, where the gallery demands consent.

    Raises:
        GalleryDamagedError: A vector cannot be read.
    """
    vectors, ids, whose = read_vectors(connection, contract.dim if contract else 0)
    query = (
        select(people.c.name, templates.c.source, templates.c.source_sha256, templates.c.frame_time)
        .join(people, people.c.id == templates.c.person_id)
        .where(templates.c.negative.is_(False))
        .order_by(templates.c.id)
    )
    rows = connection.execute(query).all()
    names, sources, digests = (np.array([row[i] for row in rows], dtype=np.str_) for i in range(3))
    times = np.array([np.nan if row[3] is None else row[3] for row in rows], dtype=np.float64)
    keep = np.isin(whose, connection.scalars(select(people.c.id).where(permitted(connection, people.c.id))).all())
    texts = names[keep], sources[keep], digests[keep]
    return EnrolledFaces(vectors[keep], ids[keep], whose[keep], *texts, times[keep], contract)
