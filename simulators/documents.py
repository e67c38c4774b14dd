"""Documents in files: JSON is read with suspicion, and written in one piece or not at all.

What a document may hold is said by a class. `structured` makes one from plain data, and
refuses in one line that names the place, what is there and what is wanted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache, partial
from pathlib import Path
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    NoReturn,
    TypeAlias,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

import numpy as np

from simulators.regular_files import read_regular, replacing

if TYPE_CHECKING:
    from cattrs import Converter

__all__ = [
    "DocumentError",
    "Schema1",
    "Wanted",
    "plain",
    "read_json",
    "require_fields",
    "structured",
    "write_json",
]

T = TypeVar("T")
#: What makes a value of a type, called with plain data and that type.
_Hook: TypeAlias = Callable[..., object]
#: Whole numbers of more digits than Python turns into numbers are beyond all floats, too.
_MOST_DIGITS = 4000
_LONGEST = 60


class DocumentError(ValueError):
    """A document is not what it should be; one line says where, what is there and what is wanted.

    Example:
        >>> structured({"seed": "1"}, dict[str, int])
        Traceback (most recent call last):
        simulators.documents.DocumentError: seed is '1'; want a whole number
    """


@dataclass(frozen=True)
class Wanted:
    """What a value must be beyond its type, for ``Annotated[type, Wanted(words, test)]``.

    - ``words``: what is wanted, as the refusal says
    - ``test``: true for a value of the type that is right

    Example:
        >>> structured([0.5, 2], list[Annotated[float, Wanted("a share", lambda x: x <= 1)]], "p")
        Traceback (most recent call last):
        simulators.documents.DocumentError: p[1] is 2; want a share
    """

    words: str
    test: Callable[[Any], bool] = lambda _: True


#: The field ``schema`` of a document that is as it was from the first on.
Schema1 = Annotated[int, Wanted("1", lambda schema: schema == 1)]


class _MisfitError(ValueError):
    """A value that is not what is wanted; the place is known to whoever asked for it."""

    def __init__(self, found: object, want: str) -> None:
        super().__init__(want)
        self.found, self.want = found, want


# --- reading --------------------------------------------------------------------------------------


def read_json(path: Path | str, most: int) -> object:
    """The JSON value in the file ``path`` of at most ``most`` bytes: no NaN, no name given twice.

    Raises ``UnreadableFileError`` for what is no regular file, and `DocumentError`, which
    leaves the file's name to the caller, for what is not JSON.

    ``most`` are bytes. Cost: the file is held once as text.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     _ = Path(folder, "run.json").write_text('{"seed": 1}')
        ...     read_json(Path(folder, "run.json"), 100)
        {'seed': 1}
    """
    try:
        return json.loads(
            read_regular(path, most).decode("utf-8"),
            parse_int=_whole,
            parse_constant=_no_constant,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError:
        raise DocumentError("not JSON: not UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise DocumentError(f"not JSON, or truncated, at line {error.lineno}") from None
    except RecursionError:
        raise DocumentError("not JSON: nested too deeply") from None


def _whole(text: str) -> int | float:
    return int(text) if len(text) <= _MOST_DIGITS else math.inf


def _no_constant(word: str) -> NoReturn:
    raise DocumentError(f"not JSON: {word} is no number")


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object; a merge that kept two entries of one name has not been resolved."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise DocumentError(f"{twice!r} is given twice")
    return found


def structured(value: object, kind: type[T], whole: str = "the document") -> T:
    """``value``, plain data, as a ``kind``: a dataclass, a collection, text, a number, an enum.

    Nothing is converted: a number in quotes is text. Keys beyond a dataclass's fields are allowed,
    fields with a default may be missing. ``whole`` says what ``value`` is.

    Raises `DocumentError` for the first place that does not fit, and what a class raises
    that finds its fields at odds.

    Example:
        >>> structured({"widths": [8, 16]}, dict[str, tuple[int, ...]])
        {'widths': (8, 16)}
        >>> structured(3, list[int], "the grid")
        Traceback (most recent call last):
        simulators.documents.DocumentError: the grid is 3; want a list
    """
    return _structured(value, kind, "", whole)


def require_fields(record: object) -> None:
    """Refuse a dataclass with a field that is not of the type it is declared with.

    Raises `DocumentError`, naming the field.

    Example:
        >>> @dataclass
        ... class Settings:
        ...     seed: int
        >>> require_fields(Settings("1"))
        Traceback (most recent call last):
        simulators.documents.DocumentError: seed is '1'; want a whole number
    """
    for name, kind in get_type_hints(type(record), include_extras=True).items():
        _structured(getattr(record, name), kind, name, "")


def _structured(value: object, kind: type[T], path: str, whole: str) -> T:
    from cattrs import BaseValidationError

    try:
        return _converter().structure(value, kind)
    except (_MisfitError, BaseValidationError) as error:
        raise DocumentError(_refusal(error, path, whole)) from None


def _refusal(error: BaseException, path: str, whole: str) -> str:
    """One line about the first leaf of what cattrs found, with the way to it."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
        if not (notes := getattr(error, "__notes__", ())):
            break
        step = getattr(notes[-1], "name", None) or getattr(notes[-1], "index", "")
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    place = path[1:] if path.startswith(".") else whole + path
    if isinstance(error, KeyError):
        return f"{place}: missing"
    if not isinstance(error, _MisfitError):
        raise error
    # names in the document are part of the place, and may hold line ends
    return " ".join(f"{place} is {_shown(error.found)}; want {error.want}".split())


def _shown(value: object) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return "a number beyond all floats"
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


@cache
def _converter() -> Converter:
    """cattrs, told to convert nothing, and to say in words what it wants."""
    from cattrs import Converter
    from cattrs.cols import homogenous_tuple_structure_factory as tuples
    from cattrs.cols import is_mapping, list_structure_factory, mapping_structure_factory
    from cattrs.gen import make_dict_structure_fn

    converter = Converter()

    def guarded(applies: Callable[[type], bool], build: Callable[..., _Hook], source: type) -> None:
        def hook(kind: type) -> _Hook:
            inner = build(kind, converter)
            return lambda value, _: inner(_of_type(value, source), kind)

        converter.register_structure_hook_factory(applies, hook)

    def record(kind: type, converter: Converter) -> _Hook:
        # left to cattrs, names would be resolved without what Annotated adds
        hints = get_type_hints(kind, include_extras=True)
        for each in fields(kind):
            each.type = hints[each.name]
        return make_dict_structure_fn(kind, converter)

    def annotated(kind: type) -> _Hook:
        inner, *wanted = get_args(kind)
        return lambda value, _: _wanted(partial(converter.structure, cl=inner), value, wanted)

    for leaf in (str, int, bool):
        converter.register_structure_hook(leaf, _leaf)
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook_func(lambda kind: kind is object, lambda value, _: value)
    converter.register_structure_hook(Enum, _member)
    guarded(is_dataclass, record, Mapping)
    guarded(is_mapping, mapping_structure_factory, Mapping)
    guarded(lambda kind: get_origin(kind) is list, list_structure_factory, Sequence)
    guarded(lambda kind: get_origin(kind) is tuple, tuples, Sequence)
    converter.register_structure_hook_factory(_is_annotated, annotated)
    return converter


def _is_annotated(kind: object) -> bool:
    return get_origin(kind) is Annotated


_WORDS: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    bool: "true or false",
    Sequence: "a list",
    Mapping: "an object",
}


def _leaf(value: object, kind: type) -> object:
    # cattrs sends an enum of texts or numbers here, too
    return _member(value, kind) if issubclass(kind, Enum) else _of_type(value, kind)


def _of_type(value: object, kind: type) -> object:
    own = isinstance(value, str) == (kind is str) and isinstance(value, bool) == (kind is bool)
    if not own or not isinstance(value, kind):
        raise _MisfitError(value, _WORDS[kind])
    if isinstance(value, str) and value.encode("utf-8", "replace").decode() != value:
        raise _MisfitError(value, "Unicode text")
    return value


def _number(value: object, _: type) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _MisfitError(value, "a number")
    try:
        found = float(value)
    except OverflowError:
        found = math.inf
    if not math.isfinite(found):  # JSON has no infinity, but 1e999 is read as one
        raise _MisfitError(found, "a number")
    return found


def _member(value: object, kind: type[Enum]) -> Enum:
    try:
        return kind(value)
    except ValueError:
        names = ", ".join(str(member.value) for member in kind)
        raise _MisfitError(value, f"one of {names}") from None


def _wanted(
    structure: Callable[[object], object], value: object, wanted: Iterable[Wanted]
) -> object:
    try:
        found = structure(value)
    except _MisfitError as error:
        raise _MisfitError(error.found, next(iter(wanted)).words) from None
    for each in wanted:
        if not each.test(found):
            raise _MisfitError(value, each.words)
    return found


# --- writing --------------------------------------------------------------------------------------


def plain(value: object) -> Any:
    """``value`` as JSON has it: NaN and infinities null, arrays lists, anything else it has no word
    for text.

    Example:
        >>> plain({"gap": np.array([0.5, math.nan]), 3: (True, None)})
        {'gap': [0.5, None], '3': [True, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool | int):
        return value
    # a byte of a file's name that is no text is no character of a JSON file either
    return str(value).encode("utf-8", "backslashreplace").decode()


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Write ``value`` to ``path``, replacing it in one step. Raises ``OSError``, leaving ``path``
    as it was.

    ``value`` is plain data, see `plain`.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     write_json(Path(folder, "run.json"), {"seed": 1})
        ...     read_json(Path(folder, "run.json"), 100)
        {'seed': 1}
    """
    with replacing(path) as draft, open(draft, "x", encoding="utf-8") as stream:
        json.dump(value, stream, ensure_ascii=False, allow_nan=False, indent=1)
        stream.write("\n")
