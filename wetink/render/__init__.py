"""Draws decided scenes: Liquid makes HTML, pytakumi makes pixels, an encoder makes the bytes of the picture."""

from wetink.render.encode import blank as blank
from wetink.render.takumi import Takumi as Takumi
