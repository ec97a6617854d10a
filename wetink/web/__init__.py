"""The doors to the world: parse, call, answer. They read the clock and pass `now` on."""

from wetink.web.convertor import register

register()
