"""Each setting with each wrong kind of value: the error names the setting and the value, and says what to write."""

import asyncio
from pathlib import Path

import pytest

from tests.cli.run import wetink
from wetink.core.errors import BadSettings
from wetink.settings import SETTINGS, Settings, read
from wetink.wiring import Wetink

NUMBERS = ("", "-1", "1.5", "many", "0x10", "1e3", "99999999999", "10 s")
TEXTS = ("two words", "tab\there", "naïve", "line\nbreak")
WRONG: dict[str, tuple[str, ...]] = {
    "data": ("{file}",),
    "store": ("data", "mysql://host/db", "sqlite:data", "sqlite:///"),
    "log": ("kafka://host", "host:4222", "nats://", "nats://host:port"),
    "role": ("opens", "open;ingest", ",", "ALL"),
    "host": ("http://127.0.0.1", "127.0.0.1:80", "two words", "a/b", "-x"),
    "port": (*NUMBERS, "65536"),
    "workers": ("0", "65", *NUMBERS[1:]),
    "worker_timeout": ("0", "1", "3601", *NUMBERS),
    "public_url": ("open.shop.example", "ftp://open.shop.example", "https://", "http:///path"),
    "deadline": ("49", "20001", *NUMBERS),
    "drain_seconds": NUMBERS,
    "link_hosts": ("https://shop.example", "shop.example/path", "com", "*"),
    "private_hosts": ("10.0.0.7", "http://10.0.0.7:80", "10.0.0.7:port", "10.0.0.7:80 10.0.0.8:80"),
    "geoip_city": ("{folder}",),
    "geoip_asn": ("{folder}",),
    "trusted_proxies": ("proxy", "10.0.0", "10.0.0.0/33", "10.0.0.1:80", "10.0.0.1 10.0.0.2"),
    "amp_senders": ("news", "news@", "@shop.example", "a@b c@d"),
    "chromium": ("{folder}", "{file}", "/no/such/program"),
    "archive_days": (*NUMBERS, "3651"),
    "archive_mb": ("0", "1000001", *NUMBERS),
    "columns": ("{file}",),
    "audience_seconds": ("0", "86401", *NUMBERS),
    "metrics": ("9464", "127.0.0.1", ":9464", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:http", "http://127.0.0.1:1"),
    "metrics_token": TEXTS,
    "log_format": ("JSON", "text", "logfmt"),
    "hook_write_key": TEXTS,
    "smtp_url": ("mail.shop.example", "http://mail.example", "smtp://", "smtp://host:port", "smtps://host:65536"),
    "sender": ("reports", "reports@", "<reports@shop.example", "Reports reports@shop.example>", "a@b c@d", "a@b\nc"),
}
ANY = {"placeholders"}
"""Settings that take any text."""
CASES = [(name, value) for name, values in WRONG.items() for value in values if value]


def test_every_setting_is_swept() -> None:
    assert {name for name, *_ in SETTINGS} == WRONG.keys() | ANY


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_wrong_value_is_refused_with_the_setting_the_value_and_what_to_write(
    tmp_path: Path, name: str, value: str
) -> None:
    value = _made(tmp_path, value)

    async def start(settings: Settings) -> None:
        async with Wetink(settings, draws=False):
            pass

    with pytest.raises(BadSettings) as raised:
        asyncio.run(start(read({"WETINK_DATA": str(tmp_path / "data"), f"WETINK_{name.upper()}": value})))
    error = raised.value
    assert f"WETINK_{name.upper()}" in str(error)
    assert value in str(error) or repr(value) in str(error) or value.partition(":")[0] in str(error)
    assert len(error.hint.split()) >= 2, error.hint


def test_a_password_in_a_wrong_value_is_not_shown() -> None:
    with pytest.raises(BadSettings) as raised:
        read({"WETINK_LOG": "nats://me:hunter2@host:port"})
    assert str(raised.value) == "WETINK_LOG is 'nats://…@host:port'"


def test_a_mail_server_needs_a_sender_and_its_password_is_not_shown() -> None:
    with pytest.raises(BadSettings, match="WETINK_SMTP_URL needs WETINK_SENDER"):
        read({"WETINK_SMTP_URL": "smtp://me:hunter2@mail.example"})
    with pytest.raises(BadSettings) as raised:
        read({"WETINK_SMTP_URL": "smtp://me:hunter2@mail.example:0"})
    assert "hunter2" not in f"{raised.value}{raised.value.hint}"
    for sender in ("reports@shop.example", "Our reports <reports@shop.example>", "Büro <a@b.example>"):
        assert read({"WETINK_SMTP_URL": "smtps://me:p%40@[::1]:465", "WETINK_SENDER": sender}).sender == sender


@pytest.mark.parametrize("name", ["geoip_city", "geoip_asn"])
def test_a_file_that_is_no_geoip_file_is_refused_with_its_setting(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("no MaxMind DB")
    with pytest.raises(BadSettings, match=f"WETINK_{name.upper()}: .*file is not a MaxMind DB file"):
        Wetink(read({}, data=tmp_path / "data", **{name: tmp_path / "file"}), draws=False)


@pytest.mark.parametrize("name", ["port", "workers", "host", "data", "role"])
def test_an_option_is_named_as_it_was_written(tmp_path: Path, name: str) -> None:
    value = _made(tmp_path, WRONG[name][-1])
    told = wetink("serve", f"--{name}", value, status=1)
    assert told.startswith(f"wetink: --{name} is {value!r} (write ")
    assert told.count("\n") == 1


@pytest.mark.parametrize("value", ["0.0.0.0", "::", "::1", "localhost", "wetink-0.internal", "2001:db8::1"])
def test_addresses_of_all_kinds_are_taken(value: str) -> None:
    assert read({"WETINK_HOST": value}).host == value
    shown = f"[{value}]" if ":" in value else value
    assert read({"WETINK_METRICS": f"{shown}:9464"}).metrics == (value, 9464)
    assert read({"WETINK_PRIVATE_HOSTS": f"{shown}:80, b:8080"}).private_hosts == (f"{shown}:80", "b:8080")


def test_an_address_that_is_not_this_machines_is_refused_with_its_setting(tmp_path: Path) -> None:
    told = wetink("serve", "--data", tmp_path / "data", "--host", "192.0.2.1", "--port", "0", status=1)
    assert told.startswith("wetink: --host and --port: cannot listen on 192.0.2.1:0: ")
    told = wetink("serve", "--data", tmp_path / "data", "--port", "0", status=1, WETINK_METRICS="192.0.2.1:9464")
    assert told.startswith("wetink: WETINK_METRICS: cannot listen on 192.0.2.1:9464: ")


def _made(folder: Path, value: str) -> str:
    """Return a value with the path of a file or a folder that exists."""
    (folder / "folder").mkdir(exist_ok=True)
    (folder / "file").write_text("")
    return value.format(file=folder / "file", folder=folder / "folder") if value.startswith("{") else value
