"""Runs an AWS emulator without most of Python's garbage collection.

Usage: python3 tools/emulator.py EMULATOR.py [ARGUMENTS]

The emulator holds descriptions of all of AWS. Each full collection walks them
and finds nothing: a third of the emulator's time. What it leaves uncollected in
the minutes that a lane takes fits into memory.
"""

import gc
import os
import runpy
import sys

gc.set_threshold(100_000, 100, 1_000)
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
