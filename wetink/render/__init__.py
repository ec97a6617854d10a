"""Draws decided scenes: Liquid makes HTML, an engine makes pixels, an encoder makes the bytes of the picture."""

from wetink.render.blank import blank as blank
from wetink.render.engines.chromium import Chromium as Chromium
from wetink.render.studio import Studio as Studio
