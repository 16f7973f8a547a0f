"""Every public function and method is annotated: type checkers read only what is."""

import inspect
from types import ModuleType

import pytest

import skpneumo


def list_public_functions():
    """Public functions, and the public methods and properties of public classes, by name."""
    packages = [getattr(skpneumo, name) for name in skpneumo.__all__]
    packages = [package for package in packages if isinstance(package, ModuleType)]
    found = {}
    for package in (skpneumo, *packages):
        for name in getattr(package, "__all__", ()):
            value = getattr(package, name)
            if inspect.isclass(value):
                found |= list_methods(value)
            elif inspect.isfunction(inspect.unwrap(value)):
                found[f"{package.__name__}.{name}"] = inspect.unwrap(value)
    return found


def list_methods(kind):
    return {
        f"{base.__name__}.{name}": function
        for base in kind.__mro__
        for name, member in vars(base).items()
        if name == "__init__" or not name.startswith("_")
        if inspect.isfunction(function := inspect.unwrap(get_function(member)))
        and function.__module__.startswith("skpneumo")
    }


def get_function(member):
    return getattr(member, "fget", None) or getattr(member, "__func__", member)


@pytest.mark.parametrize(("name", "function"), sorted(list_public_functions().items()))
def test_parameters_and_result_are_annotated(name, function):
    parameters = [*inspect.signature(function).parameters.values()]
    if parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    missing = [one.name for one in parameters if one.annotation is inspect.Parameter.empty]
    assert not missing
    assert "return" in function.__annotations__
