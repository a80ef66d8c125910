"""Names beside a photo: the XMP sidecar that photo managers read, ``PHOTO.jpg.xmp``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

from knownface.files import replacing, unwritable
from knownface.media.images import no_warnings, open_binary, reader_of
from knownface.media.pixels import orientation_of
from knownface.media.signatures import HEAD_BYTES, image_format
from knownface.types import Box

_TOOLKIT = "knownface"
_SPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
_SIDEWAYS = frozenset({5, 6, 7, 8})


def sidecar_of(photo: Path) -> Path:
    """Where the sidecar of a photo lies."""
    return photo.with_name(photo.name + ".xmp")


def is_foreign(sidecar: Path) -> bool:
    """Whether a sidecar was written by another program, or cannot be read: it may hold somebody's work."""
    try:
        with sidecar.open("rb") as stream:
            _, root = next(ET.iterparse(stream, events=("start",)))  # noqa: S314  (its first tag alone)
    except FileNotFoundError:
        return False
    except (OSError, ET.ParseError, StopIteration):
        return True
    return bool(root.get(_key("x:xmptk")) != _TOOLKIT)


def write_sidecar(photo: Path, named: Sequence[tuple[str, Box]], size: tuple[int, int]) -> Path | None:
    """Write who is on a photo, and where, beside it.

    Names stand in face regions (``mwg-rs:Regions``, Metadata Working Group, 2010) and in IPTC's ``PersonInImage``.
    Regions are those of the pixels as they are stored, before EXIF turns them. A sidecar of ours is replaced, and goes
    where nobody is named any more; one of another program stays as it is.

    Args:
        photo: The file.
        named: Names, and boxes in pixels of the photo as it is shown.
        size: Width and height of the photo as it is shown.

    Returns:
        The sidecar, or None where none was written.

    Raises:
        OutputError: It cannot be written.
    """
    sidecar = sidecar_of(photo)
    if is_foreign(sidecar):
        return None
    if not named:
        try:
            sidecar.unlink(missing_ok=True)
        except OSError as error:
            raise unwritable(sidecar, error) from error
        return None
    orientation = _stored_orientation(photo)
    tree = ET.ElementTree(_packet(named, size, orientation))
    ET.indent(tree, " ")
    for prefix, space in _SPACES.items():
        ET.register_namespace(prefix, space)
    with replacing(sidecar) as part:
        tree.write(part, encoding="utf-8", xml_declaration=True)
    return sidecar


def stored_area(box: Box, size: tuple[int, int], orientation: int) -> tuple[float, float, float, float]:
    """A box of a photo as it is shown in the pixels as they are stored.

    Args:
        box: In pixels of the photo as it is shown.
        size: Width and height of that.
        orientation: EXIF's, 1 to 8.

    Returns:
        Middle x, middle y, width and height, as shares of the stored picture.
    """
    left, top = (max(0.0, value) for value in (box.x, box.y))
    right, bottom = min(size[0], box.x + box.width), min(size[1], box.y + box.height)
    x, y = (left + right) / 2 / size[0], (top + bottom) / 2 / size[1]
    width, height = (right - left) / size[0], (bottom - top) / size[1]
    x, y = {
        2: (1 - x, y),
        3: (1 - x, 1 - y),
        4: (x, 1 - y),
        5: (y, x),
        6: (y, 1 - x),
        7: (1 - y, 1 - x),
        8: (1 - y, x),
    }.get(orientation, (x, y))
    return (x, y, height, width) if orientation in _SIDEWAYS else (x, y, width, height)


def _stored_orientation(photo: Path) -> int:
    with open_binary(photo) as stream:
        kind = image_format(stream.read(HEAD_BYTES))
        if kind is None:
            return 1
        stream.seek(0)
        with no_warnings(), reader_of(kind, str(photo))(stream, "") as picture:
            # HEIC is turned while it is decoded, and what the file says of it is noted there.
            return int(picture.info.get("original_orientation") or orientation_of(picture))


def _packet(named: Sequence[tuple[str, Box]], size: tuple[int, int], orientation: int) -> ET.Element:
    packet = ET.Element(_key("x:xmpmeta"), {_key("x:xmptk"): _TOOLKIT})
    described = _add(_add(packet, "rdf:RDF"), "rdf:Description", **{"rdf:about": ""})
    people = _add(_add(described, "Iptc4xmpExt:PersonInImage"), "rdf:Bag")
    for name in dict.fromkeys(name for name, _ in named):
        _add(people, "rdf:li").text = name
    regions = _add(described, "mwg-rs:Regions", **{"rdf:parseType": "Resource"})
    width, height = size[::-1] if orientation in _SIDEWAYS else size
    _add(
        regions, "mwg-rs:AppliedToDimensions", **{"stDim:w": str(width), "stDim:h": str(height), "stDim:unit": "pixel"}
    )
    faces = _add(_add(regions, "mwg-rs:RegionList"), "rdf:Bag")
    for name, box in named:
        face = _add(_add(faces, "rdf:li"), "rdf:Description", **{"mwg-rs:Name": name, "mwg-rs:Type": "Face"})
        area = zip("xywh", stored_area(box, size, orientation), strict=True)
        places = {f"stArea:{key}": f"{value:.6f}" for key, value in area}
        _add(face, "mwg-rs:Area", **places, **{"stArea:unit": "normalized"})
    return packet


def _add(parent: ET.Element, name: str, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, _key(name), {_key(key): value for key, value in attributes.items()})


def _key(name: str) -> str:
    prefix, _, local = name.partition(":")
    return f"{{{_SPACES[prefix]}}}{local}"
