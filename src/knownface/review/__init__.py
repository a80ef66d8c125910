"""The review of pictures before a person is enrolled from them: which face is meant, good enough, and this person's."""

from knownface.review.person import Offer, Opinion, ReviewMode, compare
from knownface.review.picture import (
    FacePolicy,
    PoorPictureError,
    ReviewRules,
    candidates,
    review,
    select_faces,
)
from knownface.review.together import review_people

__all__ = [
    "FacePolicy",
    "Offer",
    "Opinion",
    "PoorPictureError",
    "ReviewMode",
    "ReviewRules",
    "candidates",
    "compare",
    "review",
    "review_people",
    "select_faces",
]
