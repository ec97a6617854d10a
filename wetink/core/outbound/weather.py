"""Weather: the sky of a weather feed in one word, and its temperature in degrees Celsius."""

SKIES = {
    "clear": (0, 1), "cloudy": (2, 3), "fog": (45, 48), "rain": (*range(51, 68), 80, 81, 82),
    "snow": (*range(71, 78), 85, 86), "storm": (95, 96, 99),
}  # fmt: skip
"""The sky by weather code of the World Meteorological Organization (its code table 4677, as reduced in forecasts)."""
WORDS = {
    "storm": ("thunder", "storm"), "snow": ("snow", "sleet", "blizzard", "ice"),
    "rain": ("rain", "drizzle", "shower"), "fog": ("fog", "mist", "haze"), "cloudy": ("cloud", "overcast"),
    "clear": ("clear", "sun", "fair"),
}  # fmt: skip
"""The sky by words in a forecast's text, for forecasts without a code."""
COLDEST, HOTTEST = -90.0, 60.0
"""Limits in degrees Celsius: no place on earth has been colder or hotter."""


def sky_of(given: object) -> str:
    """Return the sky in one word, empty if unknown.

    >>> sky_of(61), sky_of("Light rain shower"), sky_of(4), sky_of(None)
    ('rain', 'rain', '', '')
    """
    if isinstance(given, str):
        words = given.lower()
        if not words.strip().isdecimal():
            return next((sky for sky, signs in WORDS.items() if any(sign in words for sign in signs)), "")
        given = int(words) if len(words) < 4 else -1
    if isinstance(given, bool) or not isinstance(given, int | float):
        return ""
    return next((sky for sky, codes in SKIES.items() if given in codes), "")


def celsius(given: object, degrees: str = "C") -> float | None:
    """Return a temperature in degrees Celsius, None if it is not one. `degrees` is the unit of the input: C or F.

    >>> celsius("50", "F"), celsius("warm")
    (10.0, None)
    """
    try:
        warm = float(given) if isinstance(given, int | float | str) and not isinstance(given, bool) else None
    except ValueError:
        return None
    if warm is not None and degrees == "F":
        warm = (warm - 32) / 1.8
    return warm if warm is not None and COLDEST <= warm <= HOTTEST else None
