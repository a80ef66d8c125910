"""The comparison of what is offered for several people at once with a gallery."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from knownface.deciding import decide_embeddings
from knownface.gallery import Gallery, PersonKey
from knownface.gallery.people import list_people
from knownface.review.person import Offer, Opinion, PersonReview, Rival, compare
from knownface.types import Embeddings


def review_people(
    gallery: Gallery, how: PersonReview, people: Sequence[tuple[PersonKey | None, Sequence[Offer]]]
) -> list[list[Opinion]]:
    """Opinions on files that are offered for people, as of :func:`compare`.

    Who comes first counts as enrolled for those who come after.

    Args:
        gallery: Whose people they are compared with.
        how: The parameters in force.
        people: Who, by the name or id, and the files offered; None is somebody new without a name yet.
    """
    faces = [offer.embeddings for _, offers in people for offer in offers]
    if not faces or not sum(map(len, faces)):
        return [[Opinion(()) for _ in offers] for _, offers in people]
    decisions = iter(decide_embeddings(gallery, how.rule, np.concatenate(faces), allow_repeats=True))
    names: list[str] = []
    accepted: list[Embeddings] = []
    opinions = []
    for person, offers in people:
        person_id, name, own = _known(gallery, person)
        rivals = [
            [
                Rival(found.name, found.distance) if found.name is not None and found.person_id != person_id else None
                for found in (next(decisions) for _ in offer.embeddings)
            ]
            for offer in offers
        ]
        if accepted:
            before = np.concatenate(accepted)
            rivals = [
                _nearer(of_file, offer.embeddings, before, names, how.rule.threshold)
                for of_file, offer in zip(rivals, offers, strict=True)
            ]
        found = compare(name, offers, own, rivals, how)
        opinions.append(found)
        for offer, opinion in zip(offers, found, strict=True):
            if opinion.faces and opinion.doubt is None:
                accepted.append(offer.embeddings[list(opinion.faces)])
                names += [name] * len(opinion.faces)
    return opinions


def _known(gallery: Gallery, person: PersonKey | None) -> tuple[int | None, str, Offer]:
    nobody = Offer("", np.empty((0, 0), np.float32))
    if person is None:
        return None, "this person", nobody
    with gallery.database.reading() as connection:
        found = list_people(connection, person=person)
    if not found:
        return None, str(person), nobody
    own = gallery.vectors(found[0].id).embeddings if found[0].templates else nobody.embeddings
    return found[0].id, found[0].name, Offer("", own)


def _nearer(
    rivals: Sequence[Rival | None], faces: Embeddings, before: Embeddings, names: Sequence[str], threshold: float
) -> list[Rival | None]:
    """For each face the nearer of somebody enrolled and of those who came before."""
    cosines = faces @ before.T
    nearest = cosines.argmax(axis=1)
    distances = np.sqrt(np.maximum(0.0, 2 - 2 * cosines.max(axis=1)))
    return [
        Rival(names[place], float(distance))
        if distance <= threshold and (rival is None or distance < rival.distance)
        else rival
        for rival, place, distance in zip(rivals, nearest, distances, strict=True)
    ]
