"""Which embedder filled a gallery, as statements over an open transaction."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Connection, delete, exists, select, update

from knownface.errors import ContractMismatchError
from knownface.storage import insert_one
from knownface.storage.failures import UnplacedError
from knownface.storage.schema import contracts, former_thresholds, set_aside_templates, template_vectors, templates
from knownface.types import CropPolicy, DecisionRule, EmbedderContract


def read_contract(connection: Connection) -> EmbedderContract | None:
    """The contract of the embedder that filled the gallery, or None before the first template.

    Its rule is the one of the day it was stored; a newer catalogue may know a better one.
    """
    row = connection.execute(select(contracts).where(contracts.c.in_use)).one_or_none()
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
            f'Choose embedder="{stored.name}", or bring the gallery over by `knownface gallery migrate`.'
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
    """The id of the contract that is in use from now on; one contract is in use at a time.

    Raises:
        UnplacedError: A ContractMismatchError; the gallery holds templates of another embedder.
    """
    row = connection.execute(select(contracts.c.id, contracts.c.fingerprint).where(contracts.c.in_use)).one_or_none()
    if row is not None and row.fingerprint == contract.fingerprint:
        return int(row.id)
    if row is not None and connection.scalar(select(exists().where(templates.c.id > 0))):
        check_same(read_contract(connection), contract)
    contract_id = add_contract(connection, contract)
    use_contract(connection, contract_id)
    return contract_id


def add_contract(connection: Connection, contract: EmbedderContract) -> int:
    """The id of a contract, which is added, not in use, where the gallery does not know it."""
    known = connection.scalar(select(contracts.c.id).where(contracts.c.fingerprint == contract.fingerprint))
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
    if known is None:
        return insert_one(connection, contracts, {**values, "in_use": False})
    connection.execute(update(contracts).where(contracts.c.id == known).values(values))
    return int(known)


def use_contract(connection: Connection, contract_id: int) -> None:
    """Have a contract in use, and no other; those that nothing refers to any more go."""
    connection.execute(update(contracts).values(in_use=contracts.c.id == contract_id))
    drop_unused_contracts(connection)


def drop_unused_contracts(connection: Connection) -> None:
    """Delete the contracts that are not in use and of which nothing is kept."""
    referring = (
        template_vectors.c.contract_id,
        set_aside_templates.c.contract_id,
        set_aside_templates.c.new_contract_id,
        former_thresholds.c.contract_id,
    )
    unused = [~exists().where(column == contracts.c.id) for column in referring]
    connection.execute(delete(contracts).where(~contracts.c.in_use, *unused))
