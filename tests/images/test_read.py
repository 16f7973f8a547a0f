import io
import os
import struct
import sys
import threading
import warnings
import zlib

import numpy as np
import pytest
from PIL import Image, ImageDraw

from skpneumo.exceptions import BitDepthWarning, ImageReadError
from skpneumo.images import read_xray, resize_xray


@pytest.fixture
def scene():
    """A smooth grey picture of odd sides with no symmetry, so that JPEG keeps it."""
    rows, columns = np.mgrid[0:97, 0:131]
    waves = 110 + 60 * np.sin(rows / 9) + 50 * np.cos(columns / 13 + rows / 31)
    return np.clip(waves, 0, 255).astype(np.uint8)


def saved(path, image, **options):
    image.save(path, **options)
    return path


def luma(red, green, blue):
    """ITU-R 601, in floats."""
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_a_grey_png_comes_back_as_it_is_and_may_be_changed(tmp_path, scene):
    image = read_xray(saved(tmp_path / "a.png", Image.fromarray(scene)))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, scene)
    image[0, 0] = 0


@pytest.mark.parametrize("convert", [str, lambda p: p, lambda p: p.read_bytes()])
def test_sources(tmp_path, scene, convert):
    path = saved(tmp_path / "a.png", Image.fromarray(scene))
    np.testing.assert_array_equal(read_xray(convert(path)), scene)


def test_an_open_file_is_read_and_left_open(tmp_path, scene):
    with open(saved(tmp_path / "a.png", Image.fromarray(scene)), "rb") as file:
        np.testing.assert_array_equal(read_xray(file), scene)
        assert not file.closed


def test_the_content_decides_the_format_not_the_name(tmp_path, scene):
    path = saved(tmp_path / "a.jpeg", Image.fromarray(scene), format="PNG")
    np.testing.assert_array_equal(read_xray(path), scene)


def test_colours_become_luma(tmp_path):
    colours = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[9, 99, 199]] * 3], np.uint8)
    expected = luma(*np.moveaxis(colours.astype(float), -1, 0))
    image = Image.fromarray(colours)
    for name in ("rgb.png", "palette.png"):
        if name == "palette.png":
            image = image.convert("P", palette=Image.Palette.ADAPTIVE)
        np.testing.assert_allclose(read_xray(saved(tmp_path / name, image)), expected, atol=1)


def test_three_equal_channels_are_the_grey_image(tmp_path, scene):
    path = saved(tmp_path / "a.png", Image.fromarray(np.dstack([scene] * 3)))
    np.testing.assert_array_equal(read_xray(path), scene)


def test_one_bit_becomes_black_and_white(tmp_path, scene):
    bits = scene > 128
    image = read_xray(saved(tmp_path / "a.png", Image.fromarray(bits)))
    np.testing.assert_array_equal(image, np.where(bits, 255, 0))


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_becomes_black(tmp_path, scene, mode):
    alpha = np.full_like(scene, 255)
    alpha[:40] = 0
    alpha[40:60] = 128
    image = Image.fromarray(scene).convert(mode)
    image.putalpha(Image.fromarray(alpha))
    expected = scene.astype(float) * alpha / 255
    read = read_xray(saved(tmp_path / "a.png", image))
    np.testing.assert_allclose(read, expected, atol=1.5)
    assert not read[:40].any()


@pytest.mark.parametrize("mode", ["P", "L", "RGB", "1"])
def test_a_transparent_colour_becomes_black(tmp_path, mode):
    image = Image.new("L", (31, 22), 255).convert(mode)
    ImageDraw.Draw(image).rectangle((0, 0, 30, 5), fill=0)
    transparent = {"P": 255, "L": 255, "RGB": (255, 255, 255), "1": 255}[mode]
    path = saved(tmp_path / "a.png", image, transparency=transparent)
    assert not read_xray(path).any()
    assert read_xray(saved(tmp_path / "opaque.png", image))[6:].min() == 255


def test_sixteen_bits_are_scaled_by_the_full_range(tmp_path):
    samples = np.linspace(0, 65535, 41 * 29).astype(np.uint16).reshape(41, 29)
    image = read_xray(saved(tmp_path / "a.png", Image.fromarray(samples)))
    np.testing.assert_array_equal(image, np.rint(samples / 257))


def png_with_significant_bits(samples, bits):
    """A grey PNG of 16 bits with an sBIT chunk."""
    file = io.BytesIO()
    Image.fromarray(samples).save(file, "PNG")
    data, end_of_header = file.getvalue(), 8 + 25
    chunk = b"sBIT" + bytes([bits])
    checksum = struct.pack(">I", zlib.crc32(chunk))
    chunk = struct.pack(">I", 1) + chunk + checksum
    return data[:end_of_header] + chunk + data[end_of_header:]


@pytest.mark.parametrize("bits", [8, 10, 12, 14])
@pytest.mark.parametrize("size", [None, (20, 15)])
def test_fewer_bits_in_a_sixteen_bit_file_are_all_used(tmp_path, bits, size):
    samples = np.linspace(0, 2**bits - 1, 41 * 29).astype(np.uint16).reshape(41, 29)
    expected = np.rint(samples / (2**bits - 1) * 255).astype(np.uint8)
    if size is not None:
        expected = resize_xray(expected, size)
    path = saved(tmp_path / "a.png", Image.fromarray(samples))
    np.testing.assert_array_equal(read_xray(path, size=size), expected)
    np.testing.assert_array_equal(read_xray(path.read_bytes(), size=size), expected)


@pytest.mark.parametrize(
    ("largest", "depth"), [(100, 8), (300, 10), (1900, 12), (4095 + 200, 14), (8191, 14)]
)
def test_a_number_of_bits_that_is_a_guess_is_warned_of(tmp_path, largest, depth):
    samples = np.linspace(0, largest, 41 * 29).astype(np.uint16).reshape(41, 29)
    path = saved(tmp_path / "a.png", Image.fromarray(samples))
    message = rf"a\.png: 16-bit samples of at most {largest} .* of {depth} bits.*sBIT"
    with pytest.warns(BitDepthWarning, match=message) as caught:
        image = read_xray(path)
    assert caught[0].filename == __file__
    np.testing.assert_array_equal(image, np.rint(samples / (2**depth - 1) * 255))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BitDepthWarning):
            read_xray(path)


@pytest.mark.parametrize("largest", [16384, 20000, 32767, 65535])
def test_the_upper_bits_of_sixteen_are_the_full_range(tmp_path, largest):
    samples = np.linspace(0, largest, 41 * 29).astype(np.uint16).reshape(41, 29)
    image = read_xray(saved(tmp_path / "a.png", Image.fromarray(samples)))
    np.testing.assert_array_equal(image, np.rint(samples / 257))


@pytest.mark.parametrize("bits", [9, 10, 11, 12, 13, 14, 15])
@pytest.mark.parametrize("brightest", [1.0, 0.3])
def test_the_file_declares_how_many_bits_are_significant(bits, brightest):
    samples = np.linspace(0, int((2**bits - 1) * brightest), 41 * 29).astype(np.uint16)
    samples = samples.reshape(41, 29)
    expected = np.rint(samples / (2**bits - 1) * 255)
    np.testing.assert_array_equal(read_xray(png_with_significant_bits(samples, bits)), expected)
    at_the_top = (samples << (16 - bits)) | (samples >> (2 * bits - 16)) * (bits > 8)
    image = read_xray(png_with_significant_bits(at_the_top.astype(np.uint16), bits))
    np.testing.assert_allclose(image, expected, atol=1)


def test_sixteen_significant_bits_of_which_a_quarter_is_used_may_be_dark():
    samples = np.linspace(0, 16400, 41 * 29).astype(np.uint16).reshape(41, 29)
    image = read_xray(png_with_significant_bits(samples, 16))
    np.testing.assert_array_equal(image, np.rint(samples / 257))


def test_a_transparent_sample_of_sixteen_bits_becomes_black(tmp_path):
    samples = np.linspace(0, 4095, 41 * 29).astype(np.uint16).reshape(41, 29)
    samples[:5] = 65535
    path = saved(tmp_path / "a.png", Image.fromarray(samples), transparency=65535)
    image = read_xray(path)
    assert not image[:5].any()
    np.testing.assert_array_equal(image[5:], np.rint(samples[5:] / 4095 * 255))


def colour_png(samples, colour_type):
    """A PNG of 16-bit colours, which Pillow cannot write."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width = samples.shape[:2]
    header = struct.pack(">2I5B", width, height, 16, colour_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


@pytest.mark.parametrize("colour_type", [2, 4, 6])
def test_colours_of_sixteen_bits(colour_type):
    samples = np.linspace(0, 65535, 41 * 29).astype(np.uint16).reshape(41, 29)
    opaque = np.full_like(samples, 65535)
    for scale, message in ((1, None), (16, "lower 12 only"), (64, "lower 10"), (4, "lower 14")):
        grey = samples // scale
        channels = {2: [grey] * 3, 4: [grey, opaque], 6: [grey] * 3 + [opaque]}[colour_type]
        data = colour_png(np.dstack(channels), colour_type)
        if message is None:
            np.testing.assert_allclose(read_xray(data), samples / 257, atol=1)
        else:
            with pytest.raises(ImageReadError, match=f"colours have 16 bits .*{message}.*grey PNG"):
                read_xray(data)


def test_a_blank_sixteen_bit_file_is_not_stretched(tmp_path):
    samples = np.full((7, 9), 4095, np.uint16)
    image = read_xray(saved(tmp_path / "a.png", Image.fromarray(samples)), size=(5, 4))
    np.testing.assert_array_equal(image, np.full((5, 4), 16))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("size", [None, (61, 43)])
@pytest.mark.parametrize("suffix", ["jpeg", "png"])
def test_exif_orientation_is_applied(tmp_path, scene, orientation, size, suffix):
    stored_as = {
        1: scene,
        2: scene[:, ::-1],
        3: scene[::-1, ::-1],
        4: scene[::-1],
        5: scene.T,
        6: scene.T[::-1],
        7: scene.T[::-1, ::-1],
        8: scene.T[:, ::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(np.ascontiguousarray(stored_as)).save(path, exif=exif, quality=95)
    upright = scene if size is None else resize_xray(scene, size)
    difference = np.abs(read_xray(path, size=size) - upright.astype(float))
    assert difference.max() < 25
    assert difference.mean() < 2


@pytest.mark.parametrize("aspect", ["stretch", "crop", "pad"])
@pytest.mark.parametrize("size", [(120, 83), (60, 100), (31, 31), (500, 411)])
@pytest.mark.parametrize("colour", [False, True])
def test_reduced_scale_is_close_to_full_decoding(tmp_path, aspect, size, colour):
    rows, columns = np.mgrid[0:431, 0:577]
    scene = 120 + 60 * np.sin(rows / 41) + 50 * np.cos(columns / 53 + rows / 97)
    channels = [scene, scene - 10, scene + 10] if colour else [scene] * 3
    image = Image.fromarray(np.clip(np.dstack(channels), 0, 255).astype(np.uint8))
    path = saved(tmp_path / "a.jpeg", image if colour else image.convert("L"), quality=92)
    reduced = read_xray(path, size=size, aspect=aspect)
    full = resize_xray(read_xray(path), size, aspect)
    difference = np.abs(reduced.astype(float) - full)
    assert reduced.shape == size
    assert difference.max() <= 6
    assert difference.mean() < 1


def test_a_jpeg_stored_as_rgb_or_cmyk_has_the_same_grey(tmp_path, scene):
    image = Image.fromarray(np.dstack([scene] * 3))
    plain = saved(tmp_path / "rgb.jpeg", image, quality=95, keep_rgb=True)
    cmyk = saved(tmp_path / "cmyk.jpeg", image.convert("CMYK"), quality=95)
    for path in (plain, cmyk):
        assert np.abs(read_xray(path).astype(float) - scene).mean() < 2
        small = read_xray(path, size=(24, 30)).astype(float)
        assert np.abs(small - resize_xray(scene, (24, 30))).mean() < 2


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1)])
def test_tiny_images(tmp_path, shape):
    path = saved(tmp_path / "a.jpeg", Image.new("L", shape[::-1], 77))
    assert read_xray(path).shape == shape
    for aspect in ("stretch", "crop", "pad"):
        assert read_xray(path, size=(9, 7), aspect=aspect).shape == (9, 7)


def jpeg_bytes(scene):
    file = io.BytesIO()
    Image.fromarray(scene).save(file, "JPEG")
    return file.getvalue()


@pytest.mark.parametrize("size", [None, (20, 30)])
@pytest.mark.parametrize(
    ("name", "damage", "cause"),
    [
        ("truncated.jpeg", lambda data: data[: len(data) // 2], "truncated"),
        ("head.jpeg", lambda data: data[:20], "cannot be read|not a JPEG, PNG, TIFF"),
        ("empty.jpeg", lambda data: b"", "not a JPEG, PNG, TIFF"),
        ("text.jpeg", lambda data: b"patient,age\n12,3\n", "not a JPEG, PNG, TIFF"),
        ("behind.jpeg", lambda data: b"\0\0" + data, "not a JPEG, PNG, TIFF"),
    ],
)
def test_damaged_files(tmp_path, scene, size, name, damage, cause):
    path = tmp_path / name
    path.write_bytes(damage(jpeg_bytes(scene)))
    with pytest.raises(ImageReadError, match=cause) as caught:
        read_xray(path, size=size)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_damaged_png(tmp_path, scene):
    path = saved(tmp_path / "a.png", Image.fromarray(scene))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 :] = b"\xff" * (len(data) - len(data) // 2)
    path.write_bytes(data)
    with pytest.raises(ImageReadError, match=r"a\.png: cannot be read as an image \(.+\)"):
        read_xray(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(ImageReadError, match=r"nowhere\.png: there is no such file"):
        read_xray(tmp_path / "nowhere.png")


def test_a_folder(tmp_path):
    with pytest.raises(ImageReadError, match=f"{tmp_path.name}: this is a folder"):
        read_xray(tmp_path)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may read all")
def test_a_file_without_permission(tmp_path, scene):
    path = saved(tmp_path / "a.png", Image.fromarray(scene))
    path.chmod(0)
    with pytest.raises(ImageReadError, match=r"a\.png: .*[Pp]ermission"):
        read_xray(path)


def test_bytes_have_a_name_too():
    with pytest.raises(ImageReadError, match="<bytes in memory>: this is not a JPEG, PNG, TIFF"):
        read_xray(b"no image")


@pytest.mark.parametrize("sides", [(10_001, 5_000), (20_000, 10_000)])
def test_a_decompression_bomb_is_not_decoded(tmp_path, sides):
    path = saved(tmp_path / "bomb.png", Image.new("1", sides))
    with pytest.raises(ImageReadError, match=r"bomb\.png: .*pixels.*limit"):
        read_xray(path, size=(10, 10))


@pytest.mark.parametrize("parameters", [{"size": 10}, {"size": (0, 4)}, {"aspect": "zoom"}])
def test_wrong_parameters_are_no_fault_of_the_file(tmp_path, parameters):
    with pytest.raises(ValueError, match=r"size|aspect") as caught:
        read_xray(tmp_path / "nowhere.png", **parameters)
    assert not isinstance(caught.value, ImageReadError)


class Slow(io.BytesIO):
    """A file that waits until the test lets it be read."""

    def __init__(self, data):
        super().__init__(data)
        self.opened, self.go = threading.Event(), threading.Event()

    def read(self, *args):
        self.opened.set()
        assert self.go.wait(10)
        return super().read(*args)


def test_threads_leave_the_warning_filters_as_they_were(scene):
    before = list(warnings.filters)
    files = [Slow(jpeg_bytes(scene)), Slow(jpeg_bytes(scene))]
    threads = [threading.Thread(target=read_xray, args=(file,)) for file in files]
    for thread, file in zip(threads, files, strict=True):
        thread.start()
        assert file.opened.wait(10)
    for thread, file in zip(threads, files, strict=True):  # first in, first out
        file.go.set()
        thread.join()
    assert warnings.filters == before


def being_read(data):
    """A thread that reads a file, and the file that it waits for."""
    file = Slow(data)
    thread = threading.Thread(target=read_xray, args=(file,))
    thread.start()
    assert file.opened.wait(10)
    return thread, file


def test_what_others_warn_of_while_a_thread_reads_is_shown(scene):
    before = list(warnings.filters)
    thread, file = being_read(jpeg_bytes(scene))
    with pytest.raises(UserWarning, match="of mine"):  # as pytest is configured
        warnings.warn("of mine", stacklevel=1)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        warnings.warn("first", stacklevel=1)
        file.go.set()
        thread.join()
        read_xray(jpeg_bytes(scene))
        warnings.warn("second", stacklevel=1)
    assert [str(warning.message) for warning in shown] == ["first", "second"]
    assert warnings.filters == before


def test_odd_metadata_does_not_warn_under_any_filter(scene):
    file = io.BytesIO()
    Image.fromarray(scene).save(file, "JPEG", exif=ODD_EXIF)
    thread, slow = being_read(jpeg_bytes(scene))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_xray(file.getvalue()).shape == scene.shape
        slow.go.set()
        thread.join()
        with pytest.raises(UserWarning, match="Corrupt EXIF"), Image.open(file) as image:
            image.getexif().get(0x0112)


ODD_EXIF = b"Exif\0\0II*\0\x08\0\0\0\xff\x7f" + b"\x12\x01\x03\0\x01\0"


def test_odd_metadata_does_not_warn(tmp_path, scene):
    path = saved(tmp_path / "a.jpeg", Image.fromarray(scene), exif=ODD_EXIF)
    with pytest.warns(UserWarning, match="Corrupt EXIF"), Image.open(path) as image:
        image.getexif().get(0x0112)
    assert read_xray(path).shape == scene.shape


def test_real_xrays_read_at_reduced_scale_like_in_full(xray_data):
    paths = sorted((xray_data / "originals").rglob("*.jpeg"))
    assert len(paths) > 100
    for path in paths[::9]:
        reduced = read_xray(path, size=(224, 192)).astype(float)
        difference = np.abs(reduced - resize_xray(read_xray(path), (224, 192)))
        assert difference.mean() < 1
        assert np.percentile(difference, 99) <= 5
