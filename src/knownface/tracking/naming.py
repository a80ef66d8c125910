"""Who the tracks are, decided together on the evidence of each."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from knownface.liveness import NOT_CHECKED, LivenessRule
from knownface.tracking.identity import Estimate, displaced, settle
from knownface.tracking.reidentification import merge_by_name
from knownface.tracking.track import Track
from knownface.tracking.tracks import Tracks
from knownface.tracking.values import Sample
from knownface.types import NOT_LIVE, Decision, Embeddings

_SHARE = 1 / 3
"""Share of a track's pictures that must name somebody one by one, where together they name nobody."""

_DARK = 0.07
"""Mean brightness of a face, 0 to 1, below which only a clear answer names it: there is hardly anything to see."""

Decide: TypeAlias = Callable[[Embeddings, Sequence[float]], list[Decision]]
"""Decides faces of one picture together: float32 of shape (n, dim) in, and how long each was as a mean of pictures
before it was scaled to 1; n decisions out."""
NewNumber: TypeAlias = Callable[[], int | None]
"""Gives the number of another Unknown, or None as long as it has none at hand; it is asked again then."""


class Naming:
    """Decides who the tracks are.

    Args:
        tracks: All of the stream.
        decide: The gallery's decision.
        new_number: Gives the number of another Unknown; None as long as it has none at hand.
        liveness: Who may get a name.
        withholds: Whether a track of a number may get no answer yet.

    Attributes:
        liveness: As given; may be set anew.
        awaits_number: Whether a face waits for its number.
    """

    def __init__(
        self,
        tracks: Tracks,
        decide: Decide,
        new_number: NewNumber,
        liveness: LivenessRule = NOT_CHECKED,
        withholds: Callable[[int], bool] | None = None,
    ) -> None:
        self._tracks = tracks
        self._options = tracks.options
        self._decide = decide
        self._new_number = new_number
        self.liveness = liveness
        self._withholds = withholds
        self.awaits_number = False
        self._away: set[int | None] = set()

    def decide(self, fresh: Collection[int], time: float, threshold: float, *, at_once: bool = False) -> None:
        """Decides all faces in the picture together, and those of the fresh that are not there one by one.

        Args:
            fresh: Numbers of the tracks with new evidence.
            time: Stream seconds now.
            threshold: Within which ``decide`` names.
            at_once: Whether answers follow without waiting for more pictures to agree.
        """
        self.awaits_number = False
        tracks = self._tracks
        self._away = {t.answer.identity.person_id for t in tracks if not t.motion.visible}
        rest = (*tracks, *tracks.ending)
        self._check_liveness(rest)
        may = [t for t in rest if t.evidence.embedding is not None and not self._is_barred(t)]
        together = [t for t in may if t.motion.visible]
        alone = [t for t in may if t.track_id in fresh and not t.motion.visible]
        for group in (together, *([t] for t in alone)):
            if group:
                embeddings = [t.evidence.embedding for t in group if t.evidence.embedding is not None]
                decisions = self._decide(np.stack(embeddings), [t.evidence.length for t in group])
                claimed = {decision.person_id for decision in decisions}
                for track, decision in zip(group, decisions, strict=True):
                    if at_once:
                        track.evidence.opinions = {}
                    accepted = self._accept(track, decision, claimed, threshold)
                    claimed.add(accepted.person_id)
                    clear = accepted.distance <= self._options.clear * threshold
                    is_fresh = track.track_id in fresh
                    estimate = self._estimate(track, accepted, fresh=is_fresh, clear=clear, at_once=at_once)
                    self._give(track, estimate, time, threshold)
        self._one_each(together, time, threshold)
        merge_by_name(tracks)

    def _is_barred(self, track: Track) -> bool:
        """Whether a track may get no name: withheld, not alive by its looks, or too little was seen of it."""
        rule, evidence = self.liveness, track.evidence
        if self._withholds is not None and self._withholds(track.track_id):
            return True
        return rule.required and (rule.bars(evidence.live) or len(evidence.scored) < rule.pictures)

    def _check_liveness(self, tracks: Sequence[Track]) -> None:
        """Takes the answer from those who may have none: they are nobody, not even an Unknown."""
        for track in tracks:
            live = track.evidence.live
            track.answer.liveness = self.liveness.of(live)
            if self._is_barred(track):
                track.answer.decision = NOT_LIVE if live is not None and self.liveness.bars(live) else None
                track.answer.give(Estimate(), None, None)

    def opinion(self, track: Track, sample: Sample) -> Decision:
        """What one picture says by itself."""
        opinions = track.evidence.opinions
        if sample.time not in opinions:
            [opinions[sample.time]] = self._decide(sample.embedding[None], [1.0])
        return opinions[sample.time]

    def conclude(self, track: Track, time: float, threshold: float) -> bool:
        """Gives the last answer of a track that ended undecided: Unknown, if what was seen of it named nobody.

        Returns:
            False if there is no number for it yet: it has to be asked for again.
        """
        answer = track.answer
        if self._is_barred(track):
            return True
        person, pictures = answer.estimate.hypothesis, len(track.evidence.samples)
        if answer.estimate.state != "pending" or answer.decision is None or pictures < self._options.agreeing:
            return True
        if person is None:
            self._give(track, Estimate("unknown", None, None, answer.estimate.streak), time, threshold)
            return answer.identity.state != "pending"
        if self._options.named_at_end and answer.decision.person_id == person:
            self._give(track, Estimate("named", person, person, answer.estimate.streak), time, threshold)
        return True

    def _accept(self, track: Track, decision: Decision, claimed: Collection[int | None], threshold: float) -> Decision:
        """Keeps a decision on a track's evidence; where it names nobody, what single pictures say may replace it."""
        answer = track.answer
        answer.decision, answer.singly = decision, 0
        answer.far = decision.distance > self._options.far * threshold
        if decision.reason == "too far":
            named = self._named_singly(track, claimed)
            if named:
                answer.decision, answer.singly = min(named, key=lambda opinion: opinion.distance), len(named)
        return answer.decision

    def _named_singly(self, track: Track, claimed: Collection[int | None]) -> list[Decision]:
        """The pictures that name a person one by one, where together they name nobody; none if they say nothing.

        Of a face that is blurred or dark most of the time many pictures are like nobody at all. They say little, and
        must not outvote the few that are good: but two at least of these must name the same person, and none another.
        Covered faces are like each other by what covers them, so of these single pictures say nothing.
        """
        if 2 * sum(sample.covered is not None for sample in track.evidence.samples) >= len(track.evidence.samples):
            return []
        opinions = [self.opinion(track, sample) for sample in track.evidence.samples]
        named = [opinion for opinion in opinions if opinion.person_id is not None]
        people = {opinion.person_id for opinion in named}
        if len(people) != 1 or people & set(claimed):
            return []
        return named if len(named) >= max(self._options.agreeing, math.ceil(_SHARE * len(opinions))) else []

    def _estimate(self, track: Track, decision: Decision, *, fresh: bool, clear: bool, at_once: bool) -> Estimate:
        before, samples = track.answer.estimate, track.evidence.samples
        hypothesis = decision.person_id
        if hypothesis is not None and not clear and _too_dark(samples):
            hypothesis = None
        # A track that was split from another one begins with several pictures that agree.
        clear |= before.streak == 0 and len(samples) >= self._options.agreeing
        # Who was here a moment ago is the likeliest to come back.
        clear |= hypothesis in self._away
        if at_once and before.state != "pending" and (hypothesis is not None or before.state == "named"):
            return Estimate("unknown" if hypothesis is None else "named", hypothesis, hypothesis, 1)
        seen = sum(sample.quality.score for sample in samples)
        enough = track.answer.far and seen >= self._options.unknown_after
        enough |= len(samples) >= self._options.most_samples
        return settle(
            before,
            hypothesis,
            fresh=fresh,
            clear=clear and hypothesis is not None,
            enough=enough and self._tracks.is_confirmed(track),
            agreeing=self._options.agreeing,
            parting=self._options.taking_back,
        )

    def _give(self, track: Track, estimate: Estimate, time: float, threshold: float) -> None:
        answer = track.answer
        decision = answer.decision
        claims = decision is not None and decision.person_id == estimate.person_id
        name, unknown = None, None
        if estimate.state == "named":
            name = decision.name if decision is not None and claims else answer.identity.name
        elif estimate.state == "unknown":
            unknown = answer.identity.unknown or self._number(track, time, threshold)
            if unknown is None:
                self.awaits_number, estimate = True, replace(estimate, state="pending")
        answer.give(estimate, name, unknown)
        if decision is not None and claims and estimate.state != "pending":
            answer.note(decision.distance)

    def _number(self, track: Track, time: float, threshold: float) -> int | None:
        numbers = {t.answer.identity.unknown for t in self._tracks}
        present = {number for number in numbers if number is not None}
        known = None
        if track.evidence.embedding is not None:
            within, began = self._options.alike * threshold, track.motion.first_time
            known = self._tracks.unknowns.recall(track.evidence.embedding, began, time, within, present)
        return self._new_number() if known is None else known

    def _one_each(self, tracks: Sequence[Track], time: float, threshold: float) -> None:
        """Leaves a person to the track that the last decision gave them to: the others kept them from before."""
        holders: dict[int, list[Track]] = {}
        for track in tracks:
            if track.answer.identity.person_id is not None:
                holders.setdefault(track.answer.identity.person_id, []).append(track)
        for person, rivals in holders.items():
            keeper = next((t for t in rivals if t.answer.estimate.hypothesis == person), rivals[0])
            for track in rivals:
                if track is not keeper:
                    self._give(track, displaced(track.answer.estimate), time, threshold)


def _too_dark(samples: Sequence[Sample]) -> bool:
    return float(np.mean([sample.quality.brightness for sample in samples])) < _DARK
