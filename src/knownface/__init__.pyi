"""The public names of knownface: the one list, read by type checkers and by `__init__.py`."""

from . import errors as errors
from .answers import Identification as Identification
from .answers import PictureReview as PictureReview
from .answers import Verification as Verification
from .detection import FaceDetector as FaceDetector
from .detection import FunctionDetector as FunctionDetector
from .detection import choose_detector as choose_detector
from .embedding import FaceEmbedder as FaceEmbedder
from .embedding import FunctionEmbedder as FunctionEmbedder
from .embedding import load_embedder as load_embedder
from .enrolment import EnrolmentReport as EnrolmentReport
from .enrolment import FileReview as FileReview
from .errors import KnownFaceError as KnownFaceError
from .gallery import Gallery as Gallery
from .gallery import Person as Person
from .live import FrameResult as FrameResult
from .live import LiveEvent as LiveEvent
from .live import SessionOptions as SessionOptions
from .live import Sink as Sink
from .live import Watcher as Watcher
from .live import WatchOptions as WatchOptions
from .media import VideoInfo as VideoInfo
from .media import read_image as read_image
from .media import read_video as read_video
from .quality import FaceQuality as FaceQuality
from .quality import QualityLimits as QualityLimits
from .recognizer import FaceRecognizer as FaceRecognizer
from .search import VectorIndex as VectorIndex
from .settings import Settings as Settings
from .settings import load_settings as load_settings
from .types import Box as Box
from .types import Candidate as Candidate
from .types import Decision as Decision
from .types import DecisionRule as DecisionRule
from .types import EmbedderContract as EmbedderContract
from .types import Face as Face
from .types import Frame as Frame

__version__: str
