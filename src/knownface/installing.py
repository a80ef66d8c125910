"""What is installed, and how optional parts of knownface are, in words that fit how knownface itself was."""

from __future__ import annotations

import importlib.metadata
import json
from urllib.parse import urlsplit


def installed_version(package: str) -> str | None:
    """Returns the version of an installed package; None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def install_command(extra: str) -> str:
    """Returns the pip command that adds an extra to this installation.

    A package from an index is asked for by its name. One from a clone, a repository or a file is asked for by its
    address, which installers store as ``direct_url.json`` (PEP 610): it need not be on any index. Double quotes, since
    Windows' command prompt does not know single ones.

    Args:
        extra: Name of the extra, such as ``server``.

    Example:
        >>> install_command("server")  # doctest: +SKIP
        'pip install --editable "/home/ada/knownface[server]"'
    """
    from urllib.request import url2pathname

    try:
        text = importlib.metadata.distribution("knownface").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        text = None
    origin = json.loads(text) if text else {}
    url = origin.get("url", "")
    if "dir_info" in origin:
        editable = "--editable " if origin["dir_info"].get("editable") else ""
        return f'pip install {editable}"{url2pathname(urlsplit(url).path)}[{extra}]"'
    if "vcs_info" in origin:
        url = f"{origin['vcs_info']['vcs']}+{url}@{origin['vcs_info']['commit_id']}"
    return f'pip install "knownface[{extra}] @ {url}"' if url else f'pip install "knownface[{extra}]"'
