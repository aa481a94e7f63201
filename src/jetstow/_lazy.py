"""Names of a package that are imported on first use (PEP 562), as `import jetstow` must be fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module


def lazy_names(
    namespace: dict[str, object],
    names: Mapping[str, Sequence[str]],
    submodules: Sequence[str] = (),
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` of the package whose globals are `namespace`.

    `names` has the names of each module. `submodules` are those of the package that it offers as
    attributes. The package defines both functions only at run time: with a `__getattr__`, a type
    checker would accept every name.
    """
    package = namespace["__name__"]
    modules = {name: module for module, group in names.items() for name in group}

    def module_getattr(name: str) -> object:
        if name in submodules:
            return import_module(f"{package}.{name}")
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = namespace[name] = getattr(import_module(modules[name]), name)
        return value

    def module_dir() -> list[str]:
        return sorted({*namespace, *modules, *submodules} - {"TYPE_CHECKING", "lazy_names"})

    return module_getattr, module_dir
