"""Runs an AWS emulator, and spares it what it does again and again for nothing.

Usage: python3 tools/emulator.py EMULATOR.py [ARGUMENTS]

The emulator holds descriptions of all of AWS. Each full collection of garbage
walks them and finds none: a third of the emulator's time. What it leaves
uncollected in the minutes that a lane takes fits into memory. For each request
moto looks through its own folders, twice, and through the methods of a service:
a fifth of what is left. And nobody reads a line for each request.
"""

import functools
import gc
import logging
import os
import runpy
import sys

gc.set_threshold(100_000, 100, 1_000)
logging.getLogger("werkzeug").setLevel(logging.ERROR)
try:
    from moto import backends
    from moto.core import responses

    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    responses.method_names_from_class = functools.cache(responses.method_names_from_class)
except (ImportError, AttributeError):
    pass  # it is another emulator, or another moto

sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
