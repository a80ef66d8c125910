"""Who the tracks are, decided together on the evidence of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from knownface.tracking.identity import Standing, displaced, settle
from knownface.tracking.reidentification import rejoin_by_name
from knownface.tracking.track import Track
from knownface.tracking.tracks import Tracks
from knownface.tracking.values import Sample
from knownface.types import Decision, Embeddings

_SHARE = 1 / 3
"""Share of a track's pictures that must name somebody one by one, where together they name nobody."""

_DARK = 0.07
"""Mean brightness of a face, 0 to 1, below which only a clear answer names it: there is hardly anything to see."""

Decide: TypeAlias = Callable[[Embeddings], list[Decision]]
"""Decides faces of one picture together; float32 of shape (n, dim) in, n decisions out."""
NewNumber: TypeAlias = Callable[[], int | None]
"""Gives the number of another Unknown, or None as long as it has none at hand; it is asked again then."""


class Naming:
    """Answers for tracks.

    Args:
        presence: The tracks.
        decide: The gallery's decision.
        new_number: Gives the number of another Unknown; None as long as it has none at hand.

    Attributes:
        owing: Whether a face waits for its number.
    """

    def __init__(self, presence: Tracks, decide: Decide, new_number: NewNumber) -> None:
        self._presence = presence
        self._options = presence.options
        self._decide = decide
        self._new_number = new_number
        self.owing = False
        self._away: set[int | None] = set()

    def decide(self, fresh: Collection[int], time: float, threshold: float, *, at_once: bool = False) -> None:
        """Decide all faces in the picture together, and those of the fresh that are not there one by one.

        Args:
            fresh: Numbers of the tracks with new evidence.
            time: Stream seconds now.
            threshold: Within which ``decide`` names.
            at_once: Whether answers follow without waiting for more pictures to agree.
        """
        self.owing = False
        tracks = self._presence.tracks
        self._away = {t.standing.person_id for t in tracks.values() if not t.shown}
        together = [t for t in tracks.values() if t.shown and t.embedding is not None]
        rest = (*tracks.values(), *self._presence.leaving)
        alone = [t for t in rest if t.track_id in fresh and not t.shown and t.embedding is not None]
        for group in (together, *([t] for t in alone)):
            if group:
                decisions = self._decide(np.stack([t.embedding for t in group if t.embedding is not None]))
                claimed = {decision.person_id for decision in decisions}
                for track, decision in zip(group, decisions, strict=True):
                    if at_once:
                        track.opinions = {}
                    track.decision, track.singly = decision, 0
                    track.far = decision.distance > self._options.far * threshold
                    if decision.reason == "too far":
                        track.decision = self._by_single_pictures(track, claimed) or decision
                        claimed.add(track.decision.person_id)
                    clear = track.decision.distance <= self._options.clear * threshold
                    standing = self._standing(track, fresh=track.track_id in fresh, clear=clear, at_once=at_once)
                    self._set(track, standing, time, threshold)
        self._one_each(together, time, threshold)
        rejoin_by_name(self._presence)

    def opinion(self, track: Track, sample: Sample) -> Decision:
        """What one picture says by itself."""
        if sample.time not in track.opinions:
            [track.opinions[sample.time]] = self._decide(sample.embedding[None])
        return track.opinions[sample.time]

    def _by_single_pictures(self, track: Track, claimed: Collection[int | None]) -> Decision | None:
        """What a share of the pictures say one by one, where together they name nobody; None if they say nothing.

        Of a face that is blurred or dark most of the time many pictures are like nobody at all. They say little, and
        must not outvote the few that are good: but two at least of these must name the same person, and none another.
        """
        opinions = [self.opinion(track, sample) for sample in track.samples]
        named = [opinion for opinion in opinions if opinion.person_id is not None]
        people = {opinion.person_id for opinion in named}
        if len(people) != 1 or people & set(claimed):
            return None
        if len(named) < max(self._options.agreeing, math.ceil(_SHARE * len(opinions))):
            return None
        track.singly = len(named)
        return min(named, key=lambda opinion: opinion.distance)

    def conclude(self, track: Track, time: float, threshold: float) -> bool:
        """The last word on a track that left: Unknown, if what was seen of it named nobody.

        Returns:
            False if there is no number for it yet: it has to be asked for again.
        """
        waited = track.standing.state == "pending" and track.standing.claim is None
        if waited and track.decision is not None and len(track.samples) >= self._options.agreeing:
            self._set(track, Standing("unknown", None, None, track.standing.rounds), time, threshold)
            return track.standing.state != "pending"
        return True

    def _standing(self, track: Track, *, fresh: bool, clear: bool, at_once: bool) -> Standing:
        claim = None if track.decision is None else track.decision.person_id
        before = track.standing
        if claim is not None and not clear and _too_dark(track):
            claim = None
        # A track that parted from another one begins with several pictures that agree.
        clear |= before.rounds == 0 and len(track.samples) >= self._options.agreeing
        # Who was here a moment ago is the likeliest to come back.
        clear |= claim in self._away
        if at_once and before.state != "pending" and (claim is not None or before.state == "named"):
            return Standing("unknown" if claim is None else "named", claim, claim, 1)
        looked = sum(sample.quality.score for sample in track.samples)
        enough = track.far and looked >= self._options.unknown_after
        enough |= len(track.samples) >= self._options.most_samples
        return settle(
            before,
            claim,
            fresh=fresh,
            clear=clear and claim is not None,
            enough=enough and self._presence.is_real(track),
            agreeing=self._options.agreeing,
        )

    def _set(self, track: Track, standing: Standing, time: float, threshold: float) -> None:
        decision = track.decision
        claims = decision is not None and decision.person_id == standing.person_id
        name, unknown = None, None
        if standing.state == "named":
            name = decision.name if decision is not None and claims else track.name
        elif standing.state == "unknown":
            unknown = track.unknown or self._number(track, time, threshold)
            if unknown is None:
                self.owing, standing = True, replace(standing, state="pending")
        track.answer(standing, name, unknown)
        if decision is not None and claims and standing.state != "pending":
            track.note(decision.distance)

    def _number(self, track: Track, time: float, threshold: float) -> int | None:
        tracks = self._presence.tracks.values()
        present = {t.unknown for t in tracks if t.unknown is not None}
        known = None
        if track.embedding is not None:
            within = self._options.alike * threshold
            known = self._presence.unknowns.recall(track.embedding, track.first_time, time, within, present)
        return self._new_number() if known is None else known

    def _one_each(self, tracks: Sequence[Track], time: float, threshold: float) -> None:
        """Leave a person to the track that the last decision gave them to: the others kept them from before."""
        holders: dict[int, list[Track]] = {}
        for track in tracks:
            if track.standing.person_id is not None:
                holders.setdefault(track.standing.person_id, []).append(track)
        for person, rivals in holders.items():
            keeper = next((t for t in rivals if t.standing.claim == person), rivals[0])
            for track in rivals:
                if track is not keeper:
                    self._set(track, displaced(track.standing), time, threshold)


def _too_dark(track: Track) -> bool:
    return float(np.mean([sample.quality.brightness for sample in track.samples])) < _DARK
