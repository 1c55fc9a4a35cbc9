"""Registries filled by the files of a folder: a new variant is a new file."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cached_property
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

T = TypeVar("T")


class Registry(Generic[T]):
    """The variants in a package, by name; each module is imported when it is first asked for.

    A module ``spend_limit.py`` holds the variant ``spend-limit``: one class that derives from the
    package's base and is defined there. ``base.py`` and modules that begin with ``_`` are not variants.
    """

    def __init__(self, package: str, base: str) -> None:
        """Name the package, and the base class as the name of an attribute of ``<package>.base``."""
        self._package = package
        self._base = base
        self._loaded: dict[str, type[T]] = {}

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Every variant's name, sorted; nothing is imported for it but the package."""
        path = importlib.import_module(self._package).__path__
        modules = (module.name for module in pkgutil.iter_modules(path))
        return tuple(
            sorted(name.replace("_", "-") for name in modules if name != "base" and not name.startswith("_"))
        )

    def __contains__(self, name: object) -> bool:
        return name in self.names

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __getitem__(self, name: str) -> type[T]:
        """The variant's class.

        Raises:
            KeyError: if there is no such variant.
        """
        if name not in self.names:
            raise KeyError(name)
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> type[T]:
        module = importlib.import_module(f"{self._package}.{name.replace('-', '_')}")
        base = getattr(importlib.import_module(f"{self._package}.base"), self._base)
        (found,) = (
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, base) and value.__module__ == module.__name__
        )
        variant: type[T] = found
        return variant
