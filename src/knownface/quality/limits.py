"""When a face picture is too poor to enrol a person from."""

from __future__ import annotations

from dataclasses import dataclass

from knownface.quality.measure import FaceQuality


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """What an enrolment picture must reach. The defaults refuse only what would harm a gallery.

    Size, light and contrast end about where half of the faces are no longer recognised (MobileFaceNet, 184 photos made
    worse and worse); sharpness where one in eight is not.

    Attributes:
        size: Smallest shorter side of a face in pixels.
        sharpness: Smallest sharpness; see :class:`FaceQuality`.
        darkest: Smallest brightness, 0 to 1.
        brightest: Largest brightness, 0 to 1.
        contrast: Smallest contrast, 0 to 0.5.
        cut_off: Largest share of the face outside the picture.
        turn: How far a face may be turned aside; see :class:`FaceQuality`. At 0.7 it is a profile: of 2,000 photos of
            well-known people two lie beyond.
        score: Smallest score altogether; of 3,100 photos one lies below.
    """

    size: float = 24.0
    sharpness: float = 0.02
    darkest: float = 0.08
    brightest: float = 0.97
    contrast: float = 0.03
    cut_off: float = 0.35
    turn: float = 0.7
    score: float = 0.15


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """One way in which a face picture falls short.

    Attributes:
        code: Stable word: ``too-small``, ``too-blurred``, ``too-dark``, ``too-bright``, ``no-contrast``, ``cut-off``,
            ``turned-away``, ``too-poor``.
        text: The sentence a user reads, with the figure measured and the figure asked.
    """

    code: str
    text: str


def shortcomings(quality: FaceQuality, limits: QualityLimits) -> list[Shortcoming]:
    """Every way in which a face falls short of the limits; an empty list if it is good enough.

    That it is poor altogether is told only where nothing else is.
    """
    checks = [
        (
            quality.size < limits.size,
            "too-small",
            f"the face is {quality.size:.0f} pixels, {limits.size:.0f} are needed",
        ),
        (
            quality.cut_off > limits.cut_off,
            "cut-off",
            f"{quality.cut_off:.0%} of the face lies outside the picture, at most {limits.cut_off:.0%} may",
        ),
        (
            quality.brightness < limits.darkest,
            "too-dark",
            f"the face is too dark (brightness {quality.brightness:.2f}, {limits.darkest:.2f} is needed)",
        ),
        (
            quality.brightness > limits.brightest,
            "too-bright",
            f"the face is too bright (brightness {quality.brightness:.2f}, at most {limits.brightest:.2f})",
        ),
        (
            quality.contrast < limits.contrast,
            "no-contrast",
            f"the face has no contrast ({quality.contrast:.3f}, {limits.contrast:.3f} is needed)",
        ),
        (
            quality.sharpness < limits.sharpness,
            "too-blurred",
            f"the face is too blurred (sharpness {quality.sharpness:.3f}, {limits.sharpness:.3f} is needed)",
        ),
        (
            quality.turn > limits.turn,  # false where the turn is not known
            "turned-away",
            f"the face is turned too far aside ({quality.turn:.2f}, at most {limits.turn:.2f})",
        ),
    ]
    found = [Shortcoming(code, text) for fails, code, text in checks if fails]
    if not found and quality.score < limits.score:
        asked = f"{limits.score:.2f} is needed"
        return [Shortcoming("too-poor", f"the picture is too poor (quality {quality.score:.2f}, {asked})")]
    return found
