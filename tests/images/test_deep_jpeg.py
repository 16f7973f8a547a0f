"""JPEG files of 12 bits, not in DICOM."""

import sys

import imagecodecs
import numpy as np
import pytest

from skpneumo.exceptions import ImageReadError
from skpneumo.images import read_xray, resize_xray

STORED = (100 + 4 * np.arange(851, dtype=np.uint16)).reshape(37, 23)


def jpeg(pixels=STORED, **options):
    return imagecodecs.jpeg8_encode(pixels, **{"level": 98, "bitspersample": 12, **options})


@pytest.mark.parametrize("lossless", [False, True])
@pytest.mark.parametrize("end", [b"", bytes(300)])
def test_twelve_bits_are_scaled_by_4095(lossless, end):
    expected = STORED * (255 / 4095)
    image = read_xray(jpeg(lossless=lossless) + end)
    assert image.dtype == np.uint8
    assert np.abs(image - expected).max() <= (0.5 if lossless else 2)


def test_sizes(tmp_path):
    path = tmp_path / "scan.jpg"
    path.write_bytes(jpeg())
    expected = resize_xray(read_xray(path), (19, 31), "crop")
    np.testing.assert_array_equal(read_xray(path, size=(19, 31), aspect="crop"), expected)


@pytest.mark.parametrize("proportion", [0.5, 0.9])
def test_cut_off(proportion):
    data = jpeg()
    with pytest.raises(ImageReadError, match="it is cut off"):
        read_xray(data[: int(proportion * len(data))])


def test_colours():
    with pytest.raises(ImageReadError, match=r"colours of 12 bits\. Save it as a grey PNG"):
        read_xray(jpeg(np.repeat(STORED[..., None], 3, axis=-1)))


def test_a_size_beyond_the_limit():
    data = bytearray(jpeg())
    frame = data.index(b"\xff\xc1")
    data[frame + 5 : frame + 9] = b"\xfd\xe8\xfd\xe8"
    with pytest.raises(ImageReadError, match="65000 x 65000 pixels are more than the limit"):
        read_xray(bytes(data))


def test_without_the_decoders(monkeypatch):
    data = jpeg()
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    with pytest.raises(ImageReadError, match=r'12 bits: .* takes pip install "skpneumo\[dicom\]"'):
        read_xray(data)


def test_what_only_starts_like_a_jpeg():
    with pytest.raises(ImageReadError, match="a JPEG file that is damaged"):
        read_xray(b"\xff\xd8\xff" + bytes(200))
