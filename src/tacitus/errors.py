"""The project's own errors: one line that says what is wrong, where, and how to mend it."""

from __future__ import annotations

import difflib
import importlib.util
import re
from collections.abc import Iterable

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class TacitusError(Exception):
    """Base of every error a user can mend; the command line prints it as one line and exits 2."""


class OntologyError(TacitusError):
    """An ontology file, or a label that the ontology does not know."""


class RecordError(TacitusError):
    """An annotated sentence that breaks the format."""


class InputError(TacitusError):
    """A report file or table that cannot be read."""


class OutputError(TacitusError):
    """An output that cannot be written."""


class RecipeError(TacitusError):
    """A training recipe with an unknown key or an impossible value."""


class CheckpointError(TacitusError):
    """A checkpoint folder that is missing, incomplete or of another kind."""


class ServerError(TacitusError):
    """An annotation server that cannot be reached, refuses, or holds something else than expected."""


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: a lone surrogate, which JSON can smuggle in, cannot."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def require(package: str, extra: str) -> None:
    """Checks that an optional package is there.

    Raises:
        TacitusError: it is not; names the extra to install.
    """
    if importlib.util.find_spec(package) is None:
        raise TacitusError(
            f"this needs the package {package!r}; install the extra {extra!r}: pip install '.[{extra}]' in the checkout"
        )


def suggest(value: str, options: Iterable[str]) -> str:
    """Gives `` (did you mean 'x'?)`` for the nearest of ``options``, or an empty string."""
    near = difflib.get_close_matches(value, list(options), n=1, cutoff=0.6)
    return f" (did you mean {near[0]!r}?)" if near else ""


def one_line(error: BaseException) -> str:
    """The error's text as it is printed by the command line; see :func:`plain`."""
    return plain(str(error))


def plain(text: str) -> str:
    """White space folded and control characters replaced, so that a terminal shows a text and obeys nothing in it."""
    return _CONTROL.sub("\N{REPLACEMENT CHARACTER}", " ".join(text.split()))


def reason(error: OSError) -> str:
    """Why the system refused, in its words; some libraries raise the error without them."""
    return error.strerror or one_line(error) or type(error).__name__
