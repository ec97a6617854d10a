"""Tests. They start hundreds of processes of ours: without bytecode, each of them compiles four hundred files."""

import os
import sys

sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
