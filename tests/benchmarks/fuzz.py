"""Read mutated real files: each must give an image or ImageReadError, soon and in little memory.

python tests/benchmarks/fuzz.py [n_inputs] [seed] [folder for what fails]

The files are those of hard_files in the folder that SKPNEUMO_TEST_DATA names, and small ones of
the formats that are rare there, made here. Ends with 1 if any input crashes the process, raises
anything else, takes 5 s or 1 GB.
"""

import io
import multiprocessing
import os
import resource
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
from _measure import report
from PIL import Image

from skpneumo.exceptions import ImageReadError
from skpneumo.images import read_xray

SECONDS, BYTES = 5, 2**30
_EXTREMES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_MAX_FILE_BYTES = 2**18
_COMPRESSIONS = (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "zstd")


def mutate(data, others, rng):
    """Change bytes in one to four ways; the head, where the sizes stand, more often."""
    data = bytearray(data)
    for _ in range(rng.integers(1, 5)):
        end = min(len(data), 600) if rng.random() < 0.5 else len(data)
        if end < 8:
            break
        at = int(rng.integers(end - 4))
        length = int(rng.integers(1, 64))
        how = rng.integers(7)
        if how == 0:
            data[at] ^= 1 << int(rng.integers(8))
        elif how == 1:
            size = int(rng.choice([1, 2, 4]))
            value = int(rng.choice(_EXTREMES)) % 256**size
            data[at : at + size] = value.to_bytes(size, "little" if rng.random() < 0.5 else "big")
        elif how == 2:
            del data[at : at + length]
        elif how == 3:
            data[at:at] = data[at : at + length]
        elif how == 4:
            data[at : at + length] = rng.bytes(length)
        elif how == 5:
            other = others[rng.integers(len(others))]
            start = int(rng.integers(max(1, len(other) - length)))
            data[at : at + length] = other[start : start + length]
        else:
            del data[at if rng.random() < 0.3 else len(data) - length :]
    return bytes(data)


def small_pictures():
    """Files of TIFF, BMP, WebP and JPEG 2000, grey of 8 and 16 bits and in colour."""
    rows, columns = np.mgrid[:37, :53]
    grey = ((rows * 5 + columns * 3) % 256).astype(np.uint8)
    images = {"L": Image.fromarray(grey), "I;16": Image.fromarray(grey * np.uint16(16))}
    images |= {mode: images["L"].convert(mode) for mode in ("1", "P", "RGB", "RGBA")}
    pages = {"save_all": True, "append_images": [images["L"]] * 3}
    kinds = [("TIFF", images, {"compression": name}) for name in _COMPRESSIONS]
    kinds += [("TIFF", ["L"], {"compression": "jpeg"}), ("TIFF", ["1"], {"compression": "group4"})]
    kinds += [("TIFF", ["L", "I;16"], {"tiffinfo": {262: 0, 274: 6}}), ("TIFF", ["L"], pages)]
    kinds += [("BMP", ["1", "L", "P", "RGB", "RGBA"], {})]
    kinds += [("WEBP", ["L", "RGBA"], {"lossless": lossless}) for lossless in (False, True)]
    kinds += [("WEBP", ["RGB"], pages)]
    modes = ("L", "I;16", "RGB", "RGBA")
    kinds += [("JPEG2000", modes, {"no_jp2": bare}) for bare in (True, False)]
    kinds += [("JPEG2000", ["L"], {"tile_size": (16, 16), "irreversible": True})]
    files = []
    for kind, modes, options in kinds:
        for mode in modes:
            file = io.BytesIO()
            images[mode].save(file, kind, **options)
            files.append(file.getvalue())
    return files


def too_slow(*_):
    raise TimeoutError(f"more than {SECONDS} s")


def inputs_of(first, last, seed, files):
    """Mutated files by number: the same for the same seed."""
    for number in range(first, last):
        rng = np.random.default_rng([seed, number])
        yield number, mutate(files[rng.integers(len(files))], files, rng)


def read_all(first, last, seed, files, current, results):
    """Read some inputs; tell of each which one is being read, in case it ends the process."""
    signal.signal(signal.SIGALRM, too_slow)
    outcomes, failures = Counter(), []
    for number, data in inputs_of(first, last, seed, files):
        current.value = number
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        signal.alarm(SECONDS)
        try:
            image = read_xray(data)
            assert image.ndim == 2
            assert image.dtype == np.uint8
            assert image.size
            outcomes["read"] += 1
        except ImageReadError:
            outcomes["refused"] += 1
        except BaseException as error:
            failures.append((number, repr(error)))
        signal.alarm(0)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if peak > before and peak * 1024 > BYTES:
            failures.append((number, f"{peak / 2**20:.2f} GiB"))
    results.put((outcomes, failures))


def fuzz(n_inputs, seed, files, n_workers=2, at_once=2000):
    """Outcomes of that many inputs, and the numbers and errors of those that failed."""
    context = multiprocessing.get_context("fork")
    parts = [(i, min(i + at_once, n_inputs)) for i in range(0, n_inputs, at_once)][::-1]
    outcomes, failures, running = Counter(), [], []
    results = context.Queue()
    while parts or running:
        while parts and len(running) < n_workers:
            first, last = parts.pop()
            current = context.Value("q", first)
            process = context.Process(
                target=read_all, args=(first, last, seed, files, current, results)
            )
            process.start()
            running.append((process, current, last))
        while not results.empty():
            done, failed = results.get()
            outcomes += done
            failures += failed
        for item in [item for item in running if not item[0].is_alive()]:
            process, current, last = item
            running.remove(item)
            if process.exitcode:
                # What was read of the part before is not counted.
                failures.append((current.value, f"the process ended with {process.exitcode}"))
                parts.append((current.value + 1, last))
        time.sleep(0.02)
    while not results.empty():
        done, failed = results.get()
        outcomes += done
        failures += failed
    return outcomes, failures


if __name__ == "__main__":
    n_inputs = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    folder = Path(os.environ["SKPNEUMO_TEST_DATA"], "hard_files")
    paths = [path for path in sorted(folder.glob("*/*/*")) if path.stat().st_size < _MAX_FILE_BYTES]
    files = [path.read_bytes() for path in paths] + small_pictures()
    outcomes, failures = fuzz(n_inputs, seed, files)
    for number, error in failures:
        print(f"input {number}: {error}")
        if len(sys.argv) > 3:
            ((_, data),) = inputs_of(number, number + 1, seed, files)
            Path(sys.argv[3], f"{seed}-{number}").write_bytes(data)
    detail = ", ".join(f"{n:,} {outcome}" for outcome, n in sorted(outcomes.items()))
    detail += f", of {n_inputs:,} mutations of {len(files)} files, seed {seed}."
    report("inputs that crash, raise anything else, hang or swell", len(failures), "0", detail)
    sys.exit(bool(failures))
