"""Exit codes, and errors as sentences for people who type commands."""

import errno
import os
from enum import IntEnum

from skpneumo.cli._wording import in_typed_words


class ExitCode(IntEnum):
    """How a command ended; the user guide lists them."""

    ERROR = 1
    USAGE = 2  # typer's own
    LEFT_OUT = 3  # predict and explain: no frontal chest X-ray
    LABELS_WANTED = 4  # certify
    INTERRUPTED = 130  # 128 + SIGINT, as shells have it
    CLOSED_PIPE = 141  # 128 + SIGPIPE


# Cause and remedy by error of the operating system.
_CAUSES = {
    errno.ENOENT: "there is no such file or folder. Check the name",
    errno.EACCES: "permission denied. Change its permissions or those of its folder, or choose "
    "another place",
    errno.EPERM: "permission denied. Change its permissions or those of its folder, or choose "
    "another place",
    errno.EISDIR: "this is a folder, not a file. Name a file",
    errno.ENOTDIR: "a part of this path is a file, not a folder. Check the name",
    errno.EEXIST: "this exists already and is not a folder. Choose another name",
    errno.EROFS: "this place is read-only. Choose another one",
    errno.ENOSPC: "no space is left on the device. Free some, or choose another place",
    errno.EDQUOT: "the disk quota is used up. Free some space, or choose another place",
    errno.ENAMETOOLONG: "the name is too long. Choose a shorter one",
    errno.ELOOP: "links lead in a circle. Name the file itself",
    errno.ENXIO: "there is no such device. Name a file",
}


def os_error_cause(error):
    """Describe the cause of an error of the operating system, and what to do, without the file.

    Parameters
    ----------
    error : OSError
        Raised by the operating system.

    Returns
    -------
    str
        It begins in lower case and ends in a full stop.
    """
    return f"{_CAUSES.get(error.errno) or error.strerror or os.strerror(error.errno)}."


def describe_os_error(error):
    """Describe an error of the operating system in a plain sentence.

    Parameters
    ----------
    error : OSError
        Raised by the operating system, or by a library with a text of its own.

    Returns
    -------
    str
        The file, the cause, and what to do; the text of the error if it is no error of the
        operating system.
    """
    if error.errno is None:
        return str(error)
    cause = os_error_cause(error)
    if error.filename is None:
        return f"{cause[0].upper()}{cause[1:]}"
    return f"{os.fsdecode(error.filename)}: {cause}"


def describe_error(error):
    """Describe any error that a command expects, as a sentence for people."""
    if isinstance(error, OSError):
        return in_typed_words(describe_os_error(error))
    if isinstance(error, MemoryError):
        return (
            f"Out of memory ({error or 'no more is known'}). Use a smaller "
            "--image-size or --subset, or fewer files at once."
        )
    return in_typed_words(str(error))
