"""Formats of files, recognised by their first bytes."""

import re
import zlib

from skpneumo.images._dicom import is_dicom

EXTENSIONS = (
    *(".jpeg", ".jpg", ".png", ".tif", ".tiff", ".bmp", ".webp"),
    *(".jp2", ".j2k", ".j2c", ".jpc", ".jpx", ".jpf", ".dcm", ".dicom"),
)
READABLE_FORMATS = "JPEG, PNG, TIFF, BMP, WebP, JPEG 2000 or DICOM"
# The formats have the names that Pillow gives them.
_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",  # BigTIFF
    b"MM\0+": "TIFF",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG2000",
    b"\xff\x4f\xff\x51": "JPEG2000",
}
# "BM" alone may start a text.
_BMP_HEADER_SIZES = (12, 16, 40, 52, 56, 64, 108, 124)

_TO_PNG = "Convert it to PNG, with 16 bits where it has more than 8"
_ONE_SLICE = f"If it holds an X-ray and no volume: {_TO_PNG[0].lower()}{_TO_PNG[1:]}"
_EXPORT = "Export the X-ray from it as DICOM or PNG"
_UNPACK = "Unpack it, and give the files in it"
_FRAME = "If a frame of it is an X-ray, save that as PNG"
# Longest start first if one is the start of another.
_UNREAD_STARTS = {
    b"\x93NUMPY": ("a NumPy array (NPY)", _TO_PNG),
    b"NRRD0": ("an NRRD file", _ONE_SLICE),
    b"GIF8": ("a GIF image", "Convert it to PNG"),
    b"%PDF-": ("a PDF document", _EXPORT),
    b"%!PS": ("a PostScript document", _EXPORT),
    b"{\\rtf": ("an RTF document", _EXPORT),
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": ("an Office document", _EXPORT),
    b"8BPS": ("a Photoshop file", _TO_PNG),
    b"gimp xcf": ("a GIMP file", _TO_PNG),
    b"\xff\x0a": ("a JPEG XL image", _TO_PNG),
    b"\0\0\0\x0cJXL \r\n\x87\n": ("a JPEG XL image", _TO_PNG),
    b"II\xbc\x01": ("a JPEG XR image", _TO_PNG),
    b"\x76\x2f\x31\x01": ("an OpenEXR image", _TO_PNG),
    b"SIMPLE  =": ("a FITS file", _TO_PNG),
    b"\x89HDF\r\n\x1a\n": ("an HDF5 file", _ONE_SLICE),
    b"CDF\x01": ("a NetCDF or MINC file", _ONE_SLICE),
    b"CDF\x02": ("a NetCDF or MINC file", _ONE_SLICE),
    b"MATLAB 5.0 MAT-file": ("a MATLAB file", _TO_PNG),
    b"Rar!\x1a\x07": ("a RAR archive", _UNPACK),
    b"7z\xbc\xaf\x27\x1c": ("a 7z archive", _UNPACK),
    b"BZh": ("a bzip2 archive", _UNPACK),
    b"\xfd7zXZ\0": ("an xz archive", _UNPACK),
    b"\x28\xb5\x2f\xfd": ("a Zstandard archive", _UNPACK),
    b"\x1a\x45\xdf\xa3": ("a Matroska or WebM video", _FRAME),
    b"\0\0\x01\xba": ("an MPEG video", _FRAME),
    b"\0\0\x01\xb3": ("an MPEG video", _FRAME),
    b"FLV\x01": ("a Flash video", _FRAME),
    b"\x30\x26\xb2\x75\x8e\x66\xcf\x11": ("a Windows Media video", _FRAME),
}
_HEIF = (b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1")
_AVIF = (b"avif", b"avis")
_NIFTI_MAGICS = ((344, b"n+1\0"), (344, b"ni1\0"), (4, b"n+2\0"), (4, b"ni2\0"))
_ANALYZE_SIZES = (b"\x5c\x01\0\0", b"\0\0\x01\x5c")
_METAIMAGE = re.compile(rb"^(ObjectType|NDims|DimSize|ElementType) *= *\S", re.MULTILINE)
_NETPBM = re.compile(rb"P[1-7][ \t\r\n#]")
N_BYTES_TO_NAME = 1024


def match_format(head):
    r"""Detect the format of a file that is read, by its first 132 bytes or more.

    Returns
    -------
    {"JPEG", "PNG", "TIFF", "BMP", "WEBP", "JPEG2000", "DICOM"} or None

    Examples
    --------
    >>> from skpneumo.images._formats import match_format
    >>> match_format(b"MM\0*\0\0\0\x08")
    'TIFF'
    """
    if is_dicom(head):
        return "DICOM"
    for start, name in _STARTS.items():
        if head.startswith(start):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return "BMP"
    return None


def format_name(kind):
    """Name of a format as it is written, such as "JPEG 2000" for ``"JPEG2000"``."""
    return {"WEBP": "WebP", "JPEG2000": "JPEG 2000"}.get(kind, kind)


def describe_unread_format(head):
    """Describe a format that is recognised, but not read.

    Parameters
    ----------
    head : bytes
        The first `N_BYTES_TO_NAME` bytes of the file.

    Returns
    -------
    str or None
        What the file is and what to do, without an end mark; None for anything else.

    Examples
    --------
    >>> from skpneumo.images._formats import describe_unread_format
    >>> describe_unread_format(b"GIF89a...")
    'this is a GIF image, which is not read. Convert it to PNG'
    """
    name, advice = _name_unread(head) or (None, None)
    return name and f"this is {name}, which is not read. {advice}"


def _name_unread(head):
    """Name of an unread format, with its article, and what to do."""
    for start, found in _UNREAD_STARTS.items():
        if head.startswith(start):
            return found
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _name_zip(head)
    if head.startswith(b"\x1f\x8b"):
        return _name_gzip(head)
    if head[4:8] == b"ftyp":
        return _name_media(head[8:12])
    if head[4:8] in (b"moov", b"mdat", b"wide", b"free", b"skip"):
        return "a QuickTime video", _FRAME
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return "an AVI video", _FRAME
    if head[257:262] == b"ustar":
        return "a TAR archive", _UNPACK
    if any(head[at : at + 4] == magic for at, magic in _NIFTI_MAGICS):
        return "a NIfTI file", _ONE_SLICE
    if head.startswith(_ANALYZE_SIZES) and len(head) >= 348:
        return "the header of an Analyze or NIfTI file", _ONE_SLICE
    if len(set(_METAIMAGE.findall(head))) > 1:
        return "a MetaImage file (MHA or MHD)", _ONE_SLICE
    if _NETPBM.match(head):
        return "a Netpbm image (PBM, PGM or PPM)", _TO_PNG
    return None


def _name_zip(head):
    first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
    if first.endswith(b".npy"):
        return "an archive of NumPy arrays (NPZ)", _TO_PNG
    if first == b"[Content_Types].xml" or first.startswith((b"word/", b"ppt/", b"xl/", b"_rels/")):
        return "an Office document", _EXPORT
    return "a ZIP archive", _UNPACK


def _name_gzip(head):
    try:
        inner = zlib.decompressobj(wbits=31).decompress(head, N_BYTES_TO_NAME)
    except zlib.error:
        inner = b""
    # Archives in archives are not opened.
    found = None if inner.startswith(b"\x1f\x8b") else _name_unread(inner)
    if found is None or found[1] == _UNPACK:
        return "a gzip archive", _UNPACK
    return f"{found[0]}, compressed with gzip", found[1]


def _name_media(brand):
    if brand in _HEIF:
        return "a HEIC image", _TO_PNG
    if brand in _AVIF:
        return "an AVIF image", _TO_PNG
    return "an MP4 or QuickTime video", _FRAME
