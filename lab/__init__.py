"""Offer the notebooks what would distract from the lesson: waiting, reading, the reference, charts and checks.

The AWS calls that are the lesson stay in the notebooks; the package knows the account only by its endpoint. `import
lab` loads nothing: a name such as `lab.read_stream` imports its module when it is first used. `__init__.pyi` lists the
names and their modules, for the editor and for this file alike.
"""

import sys

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

if "IPython" in sys.modules:  # in a kernel an error is shown as its sentence, from the first cell on
    from lab.core.error_hook import install

    install()
    del install
