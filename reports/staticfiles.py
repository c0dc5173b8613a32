"""Serves the chart script that the plotly package brings as a static file, without a copy in the tree.

Only the one file: the package's other bundles and datasets are megabytes that no page asks for.
"""

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal, overload

from django.contrib.staticfiles.finders import BaseFinder
from django.core.checks import CheckMessage
from django.core.files.storage import FileSystemStorage, Storage

SCRIPT: Final = "plotly.min.js"
PREFIX: Final = "plotly"


def package_data() -> Path:
    """The folder of plotly's scripts; found without importing plotly, which takes most of a second."""
    spec = find_spec("plotly")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("the plotly package is not installed")
    return Path(spec.submodule_search_locations[0]) / "package_data"


class PlotlyFinder(BaseFinder):
    """Finds `plotly/plotly.min.js` and nothing else."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.storage = FileSystemStorage(location=str(package_data()))
        self.storage.prefix = PREFIX  # type: ignore[attr-defined]  # what collectstatic reads

    def check(self, **kwargs: Any) -> list[CheckMessage]:
        return []

    @overload
    def find(self, path: str, find_all: Literal[False] = ...) -> str | None: ...

    @overload
    def find(self, path: str, find_all: Literal[True]) -> list[str]: ...

    def find(self, path: str, find_all: bool = False) -> str | list[str] | None:
        found = [self.storage.path(SCRIPT)] if Path(path).as_posix() == f"{PREFIX}/{SCRIPT}" else []
        # Nothing found is an empty list in either case: Django adds the answer to a list of its own.
        return found[0] if found and not find_all else found

    def list(self, ignore_patterns: Iterable[str] | None) -> Iterator[tuple[str, Storage]]:
        yield SCRIPT, self.storage
