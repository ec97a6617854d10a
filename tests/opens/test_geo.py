"""Places: the operator's GeoIP files are read whoever made them; what they do not tell is empty, never an error."""

import logging
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.opens.maxmind import MARK, database
from wetink.core.errors import BadSettings
from wetink.opens.geo import NOWHERE, Place, Places

BERLIN = {
    "country": {"iso_code": "DE", "names": {"en": "Germany", "de": "Deutschland"}},
    "subdivisions": [{"iso_code": "BE", "names": {"en": "Land Berlin"}}, {"names": {"en": "Mitte"}}],
    "city": {"names": {"de": "Berlin", "en": "Berlin"}, "geoname_id": 2_950_159},
    "location": {"latitude": 52.5, "longitude": 13.4, "time_zone": "Europe/Berlin", "accuracy_radius": 20},
    "traits": {"is_anycast": True},
}
FLAT = {"country_code": "ca", "state1": "Québec", "city": "Montréal", "latitude": "45.5", "longitude": "-73.6",
        "timezone": "America/Toronto"}  # fmt: skip
TELEKOM = {"autonomous_system_number": 3320, "autonomous_system_organization": "Deutsche Telekom AG"}

CITY = database({"81.2.69.0/24": BERLIN, "8.8.4.0/22": FLAT, "2a02:908::/32": BERLIN, "10.0.0.0/8": BERLIN})
ASN = database({"81.2.0.0/16": TELEKOM, "9.9.9.9/32": {"as_name": "Quad9"}})

IN_BERLIN = Place("DE", "Land Berlin", "Berlin", 52.5, 13.4, "Europe/Berlin")


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    city, asn = tmp_path / "city.mmdb", tmp_path / "asn.mmdb"
    city.write_bytes(CITY)
    asn.write_bytes(ASN)
    return city, asn


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("81.2.69.142", msgspec.structs.replace(IN_BERLIN, owner="Deutsche Telekom AG")),
        ("::ffff:81.2.69.142", msgspec.structs.replace(IN_BERLIN, owner="Deutsche Telekom AG")),
        ("81.2.70.1", Place(owner="Deutsche Telekom AG")),
        ("9.9.9.9", Place(owner="Quad9")),
        ("8.8.7.7", Place("CA", "Québec", "Montréal", 45.5, -73.6, "America/Toronto")),
        (" 2a02:908:1::7 ", IN_BERLIN),
        ("9.9.9.8", NOWHERE),
        ("2a03::1", NOWHERE),
    ],
)  # fmt: skip
def test_an_address_is_looked_up_in_both_files(files: tuple[Path, Path], address: str, place: Place) -> None:
    assert Places(*files).of(address) == place


@pytest.mark.parametrize(
    "address",
    ["10.1.2.3", "127.0.0.1", "192.168.0.1", "100.64.0.1", "169.254.169.254", "::1", "fe80::1%eth0", "fd00::1",
     "::ffff:10.1.2.3", "0.0.0.0", "224.0.0.1", "", "unknown", "81.2.69.142:443", "81.2.69", "[::1]", "jane\x00"],
)  # fmt: skip
def test_a_private_address_has_no_place(files: tuple[Path, Path], address: str) -> None:
    assert Places(*files).of(address) == NOWHERE


def test_without_files_no_address_has_a_place(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert Places(None, None).of("81.2.69.142") == NOWHERE
    assert not caplog.records
    assert Places(tmp_path / "city.mmdb", None).of("81.2.69.142") == NOWHERE
    assert [record.getMessage() for record in caplog.records] == [
        f"there is no GeoIP file {tmp_path / 'city.mmdb'}: places stay empty"
    ]


def test_either_file_alone_tells_what_it_has(files: tuple[Path, Path]) -> None:
    city, asn = files
    assert Places(city, None).of("81.2.69.142") == IN_BERLIN
    assert Places(None, asn).of("81.2.69.142") == Place(owner="Deutsche Telekom AG")
    assert Places(asn, city).of("81.2.69.142") == Places(city, asn).of("81.2.69.142")


def test_an_ipv4_file_knows_no_ipv6_address(tmp_path: Path) -> None:
    (tmp_path / "v4.mmdb").write_bytes(database({"81.2.69.0/24": BERLIN}, ip_version=4))
    places = Places(tmp_path / "v4.mmdb", None)
    assert places.of("81.2.69.142") == IN_BERLIN
    assert places.of("2a02:908::1") == NOWHERE


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"<!doctype html><title>Sign in to download</title>",
        CITY[:-40],
        CITY[: CITY.index(MARK)],
        CITY.replace(b"record_size", b"record_sise"),
        CITY[CITY.index(MARK) :],
    ],
    ids=["empty", "a page", "cut short", "without metadata", "misspelt", "without its tree"],
)
def test_a_file_that_cannot_be_read_is_named_at_the_start(tmp_path: Path, broken: bytes) -> None:
    path = tmp_path / "city.mmdb"
    path.write_bytes(broken)
    with pytest.raises(BadSettings, match=r"city\.mmdb is ") as caught:
        Places(path, None)
    assert caught.value.where == str(path)
    assert "download it again" in caught.value.hint


def test_a_folder_in_place_of_a_file_is_named_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="is not a MaxMind DB file"):
        Places(None, tmp_path)


@pytest.mark.parametrize(
    "record",
    [
        "Berlin",
        7,
        [BERLIN],
        {},
        {"country": "Germany", "city": 7, "location": [], "subdivisions": {}, "latitude": "north"},
        {"country": {"iso_code": 49}, "subdivisions": [], "city": {"names": {}}, "location": {"latitude": 1e9}},
        {"subdivisions": ["Berlin"], "latitude": float("nan"), "longitude": True, "timezone": ""},
    ],
)
def test_a_record_of_another_shape_tells_nothing(tmp_path: Path, record: Any) -> None:
    (tmp_path / "odd.mmdb").write_bytes(database({"81.2.69.0/24": record}))
    assert Places(tmp_path / "odd.mmdb", None).of("81.2.69.142") == NOWHERE


def test_damage_met_at_a_look_up_is_told_once_and_without_the_address(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    raw = database({"81.2.69.0/24": {"city": "Berlin"}})
    (tmp_path / "hurt.mmdb").write_bytes(raw.replace(b"\x44city", b"\x5dcity"))
    places = Places(tmp_path / "hurt.mmdb", None)
    with caplog.at_level(logging.WARNING):
        assert places.of("81.2.69.142") == NOWHERE
        assert places.of("81.2.69.143") == NOWHERE
    [record] = caplog.records
    assert "hurt.mmdb is damaged" in record.getMessage()
    assert "81.2.69" not in record.getMessage()


def test_closed_places_are_empty(files: tuple[Path, Path]) -> None:
    places = Places(*files)
    places.close()
    assert places.of("81.2.69.142") == NOWHERE


@given(st.text(max_size=60) | st.ip_addresses().map(str))
def test_any_text_has_a_place_or_none(tmp_path_factory: pytest.TempPathFactory, address: str) -> None:
    path = tmp_path_factory.getbasetemp() / "any.mmdb"
    if not path.exists():
        path.write_bytes(CITY)
    assert isinstance(Places(path, None).of(address), Place)
