"""The tables of the benchmark with made videos."""

from __future__ import annotations

import itertools
import resource
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from live_score import SIZES, Result, Score

_COLUMNS = (
    "variant",
    "right",
    "right, frames compared",
    "right, by frame",
    "right in hindsight, from the first frame",
    "wrong",
    "unknown",
    "undecided",
    "missed",
    "stranger named",
    "by frame",
    "visits named",
    "changes/min",
    "by frame",
    "tracks/visit",
    "to name p50/p95 s",
    "frames/s",
    "embeddings/s",
)


def shares(counts: Mapping[str, int]) -> dict[str, float]:
    """Each outcome's share of all face-frames."""
    total = max(1, sum(counts.values()))
    kinds = ("right", "wrong", "unknown", "undecided", "missed")
    return {kind: counts.get(kind, 0) / total for kind in kinds}


def measures(result: Result) -> dict[str, Any]:
    """A variant's figures."""
    tracks, frames = result.tracks, result.frames
    to_name = list(tracks.to_name.values())
    visits = max(1, len(tracks.tracks))
    strangers = [visit for visit, known in tracks.visits.items() if not known]
    return {
        "variant": result.variant.name,
        "about": result.variant.about,
        "tracks": {"known": shares(tracks.known), "strangers": shares(tracks.strangers)},
        "compared": {"known": shares(result.compared.known), "strangers": shares(result.compared.strangers)},
        "frames": {"known": shares(frames.known), "strangers": shares(frames.strangers)},
        "hindsight": {
            "known": shares(result.hindsight.known),
            "strangers": shares(result.hindsight.strangers),
            "changes_per_minute": _changes(result.hindsight),
        },
        "stranger_visits": len(strangers),
        "stranger_visits_named": len(tracks.wrong_visits),
        "face_frames": {"known": sum(tracks.known.values()), "strangers": sum(tracks.strangers.values())},
        "person_minutes": sum(tracks.known.values()) * tracks.step / 60,
        "changes_per_minute": _changes(tracks),
        "changes_per_minute_by_frame": _changes(frames),
        "false_boxes_per_frame": tracks.false_boxes / max(1, result.count),
        "tracks_per_visit": sum(len(ids) for ids in tracks.tracks.values()) / visits,
        "seconds_to_name": {"p50": _quantile(to_name, 0.5), "p95": _quantile(to_name, 0.95)},
        "frames_per_second": result.count / max(1e-9, sum(result.times)),
        "frame_ms": {"p50": 1000 * _quantile(result.times, 0.5), "p95": 1000 * _quantile(result.times, 0.95)},
        "observe_ms": {"mean": 1000 * float(np.mean(result.follow_times or [0]))},
        "processors": result.cpu / max(1e-9, sum(result.times)),
        "embeddings_per_second_of_video": result.embedded * tracks.step**-1 / max(1, result.count),
        "by_size": sizes([tracks]),
    }


def sizes(scores: Sequence[Score]) -> dict[str, dict[str, float]]:
    """Found and rightly named face-frames of people enrolled, by the size of the face in pixels."""
    table = {}
    for span, (low, high) in enumerate(itertools.pairwise(SIZES)):
        total = sum(score.by_size[span, "all"] for score in scores)
        if total:
            table[f"{low}-{high}"] = {
                "face_frames": total,
                "found": sum(score.by_size[span, "found"] for score in scores) / total,
                "right": sum(score.by_size[span, "right"] for score in scores) / total,
            }
    return table


def as_markdown(results: Sequence[Result], *, heading: bool) -> str:
    """One row a variant; after several, their faces by size."""
    lines = [f"| {' | '.join(_COLUMNS)} |", f"|{' --- |' * len(_COLUMNS)}"] if heading else []
    lines += [_row(measures(result)) for result in results]
    if len(results) > 1:
        lines += ["", "| face, px | face-frames | found | right |", "| --- | --- | --- | --- |"]
        for span, row in sizes([result.tracks for result in results]).items():
            lines.append(f"| {span} | {row['face_frames']} | {row['found']:.4f} | {row['right']:.4f} |")
        minutes = sum(measures(result)["person_minutes"] for result in results)
        strangers = sum(measures(result)["stranger_visits"] for result in results)
        lines += ["", f"{minutes:.1f} person-minutes, {strangers} visits of strangers."]
    return "\n".join(lines)


def as_json(results: Sequence[Result], about: Mapping[str, Any]) -> dict[str, Any]:
    """All figures."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {**about, "peak_memory_mib": peak, "variants": [measures(result) for result in results]}


def _row(row: Mapping[str, Any]) -> str:
    known, by_frame = row["tracks"]["known"], row["frames"]["known"]
    cells = (
        row["variant"],
        f"{known['right']:.4f}",
        f"{row['compared']['known']['right']:.4f}",
        f"{by_frame['right']:.4f}",
        f"{row['hindsight']['known']['right']:.4f}",
        *(f"{known[kind]:.4f}" for kind in ("wrong", "unknown", "undecided", "missed")),
        f"{row['tracks']['strangers']['wrong']:.4f}",
        f"{row['frames']['strangers']['wrong']:.4f}",
        f"{row['stranger_visits_named']}/{row['stranger_visits']}",
        f"{row['changes_per_minute']:.2f}",
        f"{row['changes_per_minute_by_frame']:.2f}",
        f"{row['tracks_per_visit']:.2f}",
        f"{row['seconds_to_name']['p50']:.2f} / {row['seconds_to_name']['p95']:.2f}",
        f"{row['frames_per_second']:.0f}",
        f"{row['embeddings_per_second_of_video']:.1f}",
    )
    return f"| {' | '.join(cells)} |"


def _changes(score: Score) -> float:
    return 60 * sum(score.changes.values()) / max(1e-9, score.seconds)


def _quantile(values: Sequence[float], share: float) -> float:
    return float(np.quantile(values, share)) if values else float("nan")
