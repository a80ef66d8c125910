"""Photos and video files as images and frames; drawing and writing them."""

from knownface.media.draw import Label, draw_labels
from knownface.media.files import IMAGE_SUFFIXES, VIDEO_SUFFIXES, expand_paths, is_clutter, kind_of, natural_key
from knownface.media.images import read_image
from knownface.media.video import VideoInfo, read_video, video_info
from knownface.media.write import WRITABLE_SUFFIXES, VideoWriter, write_image

__all__ = [
    "IMAGE_SUFFIXES",
    "VIDEO_SUFFIXES",
    "WRITABLE_SUFFIXES",
    "Label",
    "VideoInfo",
    "VideoWriter",
    "draw_labels",
    "expand_paths",
    "is_clutter",
    "kind_of",
    "natural_key",
    "read_image",
    "read_video",
    "video_info",
    "write_image",
]
