"""Which embedder filled a gallery, as statements over an open transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Connection, delete, exists, select

from knownface.errors import ContractMismatchError
from knownface.storage import insert_one
from knownface.storage.failures import UnplacedError
from knownface.storage.schema import contracts, templates
from knownface.types import CropPolicy, DecisionRule, EmbedderContract


def read_contract(connection: Connection) -> EmbedderContract | None:
    """The contract of the embedder that filled the gallery, or None before the first template.

    Its rule is the one of the day it was stored; a newer catalogue may know a better one.
    """
    row = connection.execute(select(contracts)).one_or_none()
    if row is None:
        return None
    return EmbedderContract(
        name=row.name,
        dim=row.dim,
        crop=cast("CropPolicy", row.crop),
        fingerprint=row.fingerprint,
        licence=row.licence,
        rule=DecisionRule(row.k1, row.k2, row.threshold, row.margin),
        calibrated=row.calibrated,
    )


def check_same(stored: EmbedderContract | None, given: EmbedderContract) -> None:
    """Raise if embeddings of these two must not be compared.

    Raises:
        UnplacedError: A ContractMismatchError; their fingerprints differ.
    """
    if stored is not None and stored.fingerprint != given.fingerprint:
        raise UnplacedError(
            ContractMismatchError,
            f"The gallery {{place}} was filled by {stored.name} (fingerprint {stored.fingerprint[:12]}), "
            f"not by {given.name} (fingerprint {given.fingerprint[:12]}).",
            f'Choose embedder="{stored.name}", or enrol into a new gallery.'
            if stored.name != given.name
            else "Use the weights that filled the gallery, or enrol into a new one.",
        )


def check_fingerprint(stored: EmbedderContract | None, fingerprint: str) -> None:
    """Raise if what was measured on one embedder's templates is not about the gallery's.

    Raises:
        UnplacedError: A ContractMismatchError; the gallery was emptied or filled by another embedder.
    """
    if stored is None or stored.fingerprint != fingerprint:
        filled = (
            "was emptied" if stored is None else f"was filled by {stored.name} (fingerprint {stored.fingerprint[:12]})"
        )
        raise UnplacedError(
            ContractMismatchError,
            f"The gallery {{place}} {filled}, which is not what was measured (fingerprint {fingerprint[:12]}).",
            "Calibrate it again.",
        )


def store_contract(connection: Connection, contract: EmbedderContract) -> int:
    """The id of the contract, stored if this is the first fill; a gallery has one contract at a time.

    Raises:
        UnplacedError: A ContractMismatchError; the gallery holds templates of another embedder.
    """
    row = connection.execute(select(contracts.c.id, contracts.c.fingerprint)).one_or_none()
    if row is not None and row.fingerprint == contract.fingerprint:
        return int(row.id)
    if row is not None:
        if connection.scalar(select(exists().where(templates.c.id > 0))):
            check_same(read_contract(connection), contract)
        connection.execute(delete(contracts))
    values = {
        "name": contract.name,
        "dim": contract.dim,
        "crop": contract.crop,
        "fingerprint": contract.fingerprint,
        "licence": contract.licence,
        "k1": contract.rule.k1,
        "k2": contract.rule.k2,
        "threshold": contract.rule.threshold,
        "margin": contract.rule.margin,
        "calibrated": contract.calibrated,
        "created": datetime.now(UTC),
    }
    return insert_one(connection, contracts, values)
