"""Photos, videos and live sources as images and frames; drawing and writing them."""

from knownface.media.draw import Label, draw_labels
from knownface.media.files import IMAGE_SUFFIXES, VIDEO_SUFFIXES, expand_paths, is_clutter, kind_of, natural_key
from knownface.media.images import read_image
from knownface.media.metadata import keep_date
from knownface.media.sources import FOLDER_FPS, Source, SourceKind, parse_source, read_source
from knownface.media.video import VideoInfo, read_video, video_info
from knownface.media.write import WRITABLE_SUFFIXES, VideoWriter, write_image

__all__ = [
    "FOLDER_FPS",
    "IMAGE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "WRITABLE_SUFFIXES",
    "Label",
    "Source",
    "SourceKind",
    "VideoInfo",
    "VideoWriter",
    "draw_labels",
    "expand_paths",
    "is_clutter",
    "keep_date",
    "kind_of",
    "natural_key",
    "parse_source",
    "read_image",
    "read_source",
    "read_video",
    "video_info",
    "write_image",
]
