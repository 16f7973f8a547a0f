"""The addresses of the repository, in what PyPI and ``pip show`` tell about the package.

They are those of the repository that publishes it, which .github/workflows/release.yml names in
SKPNEUMO_REPOSITORY, and of the documentation that it published, in SKPNEUMO_DOCUMENTATION. A wheel
that is built from the sdist keeps them. Without the former, as in a checkout, links stay relative.
"""

import os
import re
from pathlib import Path

from hatchling.metadata.plugin.interface import MetadataHookInterface

_LINK = re.compile(r"(?P<image>!?)\[(?P<text>[^\]]*)\]\((?!https?:|mailto:|#)(?P<path>[^)\s]+)\)")


def make_links_absolute(text, repository, tag):
    """Let relative links and pictures of a Markdown text point into a repository.

    Parameters
    ----------
    text : str
        The text.
    repository : str
        Address of the repository.
    tag : str
        Tag of the version whose files are meant.

    Returns
    -------
    str
    """

    def absolute(match):
        kind = "raw" if match["image"] else "blob"
        return f"{match['image']}[{match['text']}]({repository}/{kind}/{tag}/{match['path']})"

    return _LINK.sub(absolute, text)


def project_urls(repository, documentation, tag):
    """Addresses by the names that PyPI and ``pip show`` know.

    Parameters
    ----------
    repository, documentation : str
        Address of the repository, and of its documentation, or "" for the folder in the repository.
    tag : str
        Tag of the version.

    Returns
    -------
    dict of str to str
    """
    return {
        "Homepage": repository,
        "Documentation": documentation or f"{repository}/tree/{tag}/docs",
        "Source": repository,
        "Changelog": f"{repository}/blob/{tag}/CHANGELOG.md",
        "Issues": f"{repository}/issues",
    }


class RepositoryLinks(MetadataHookInterface):
    """Set ``readme`` and ``urls`` of the project."""

    def update(self, metadata):
        """Set them in ``metadata``, the table ``project`` of pyproject.toml."""
        repository = os.environ.get("SKPNEUMO_REPOSITORY", "").rstrip("/")
        documentation = os.environ.get("SKPNEUMO_DOCUMENTATION", "")
        text = Path(self.root, "README.md").read_text("utf-8")
        urls, tag = {}, f"v{metadata['version']}"
        if repository:
            text = make_links_absolute(text, repository, tag)
            urls = project_urls(repository, documentation, tag)
        metadata["readme"] = {"content-type": "text/markdown", "text": text}
        metadata["urls"] = urls
