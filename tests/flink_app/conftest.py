import importlib.util
import sys
from types import ModuleType

import pytest

from tests.support.account import PROJECT


@pytest.fixture(scope="session")
def application() -> ModuleType:
    """The application's file as a module; its name is not one Python can import."""
    path = PROJECT / "flink_app" / "SlidingWindows" / "sliding-windows.py"
    spec = importlib.util.spec_from_file_location("sliding_windows", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["sliding_windows"] = module
    spec.loader.exec_module(module)
    return module
