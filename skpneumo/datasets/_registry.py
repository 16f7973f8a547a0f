"""Files that can be downloaded: addresses and checksums."""

from typing import NamedTuple


class RemoteFile(NamedTuple):
    """A file on a server.

    Parameters
    ----------
    name : str
        Name on disk.
    url : str
        Address.
    checksum : str
        As "sha256:..." or "md5:...", in lower case.
    max_bytes : int
        Size, or an upper bound of it.
    n_images : int
        Images in it.
    """

    name: str
    url: str
    checksum: str
    max_bytes: int
    n_images: int


def _pneumoniamnist(size, suffix, md5):
    name = f"pneumoniamnist{suffix}.npz"
    return RemoteFile(
        name=name,
        url=f"https://zenodo.org/records/10519652/files/{name}",
        checksum=f"md5:{md5}",
        # Compressed, it cannot be much larger than the pixels themselves.
        max_bytes=5_856 * size**2 + 2**20,
        n_images=5_856,
    )


KERMANY = RemoteFile(
    name="ChestXRay2017.zip",
    url=(
        "https://data.mendeley.com/public-files/datasets/rscbjbr9sj/files/"
        "f12eaf6d-6023-432f-acc9-80c9d7393433/file_downloaded"
    ),
    checksum="sha256:13efc055629733dbab07877f8b3c9f81097840dbcdaa326a8542322c2281ce36",
    max_bytes=1_235_512_464,
    n_images=5_856,
)

PNEUMONIAMNIST = {
    28: _pneumoniamnist(28, "", "28209eda62fecd6e6a2d98b1501bb15f"),
    64: _pneumoniamnist(64, "_64", "8f4eceb4ccffa70c672198ea285246c6"),
    128: _pneumoniamnist(128, "_128", "05b46931834c231683c68f40c47b2971"),
    224: _pneumoniamnist(224, "_224", "d6a3c71de1b945ea11211b03746c1fe1"),
}

LICENCE = "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/"

KERMANY_CITATION = """\
Kermany D, Zhang K, Goldbaum M. Labeled Optical Coherence Tomography (OCT) and Chest X-Ray Images
for Classification. Mendeley Data, V2, 2018. https://doi.org/10.17632/rscbjbr9sj.2

Kermany DS, Goldbaum M, Cai W, et al. Identifying Medical Diagnoses and Treatable Diseases by
Image-Based Deep Learning. Cell 172(5), 1122-1131, 2018. https://doi.org/10.1016/j.cell.2018.02.010
"""

PNEUMONIAMNIST_CITATION = f"""\
Yang J, Shi R, Wei D, Liu Z, Zhao L, Ke B, Pfister H, Ni B. MedMNIST v2 - A large-scale lightweight
benchmark for 2D and 3D biomedical image classification. Scientific Data 10, 41, 2023.
https://doi.org/10.1038/s41597-022-01721-8

{KERMANY_CITATION}"""
