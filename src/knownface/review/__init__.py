"""The review of pictures before a person is enrolled from them: which face is meant, good enough, and this person's."""

from knownface.review.enrolling import EnrolledTemplates, ReviewedTemplates, review_templates
from knownface.review.person import Offer, Opinion, PersonReview, ReviewMode, compare
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
    "EnrolledTemplates",
    "FacePolicy",
    "Offer",
    "Opinion",
    "PersonReview",
    "PoorPictureError",
    "ReviewMode",
    "ReviewRules",
    "ReviewedTemplates",
    "candidates",
    "compare",
    "review",
    "review_people",
    "review_templates",
    "select_faces",
]
