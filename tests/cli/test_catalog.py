"""`wetink catalog`: files of products in, and a look at what is known."""

import gzip
import json
from pathlib import Path

import pytest

from tests.cli.run import wetink

CSV = """sku,name,price,currency,url,stock
A,Moth Lamp,129,EUR,https://shop.example/a,4
B,Harbor Mug,24.50,EUR,https://shop.example/b,9
,No key,1,EUR,https://shop.example/c,1
D,Bad price,soon,EUR,https://shop.example/d,1
"""
MERCHANT = """<rss xmlns:g="http://base.google.com/ns/1.0"><channel><item><g:id>A</g:id><g:title>Moth Lamp</g:title>
<g:price>129 EUR</g:price><g:link>https://shop.example/a</g:link></item></channel></rss>"""


def imported(tmp_path: Path, name: str, body: str | bytes, *more: str) -> dict[str, object]:
    file = tmp_path / name
    file.write_bytes(body.encode() if isinstance(body, str) else body)
    found: dict[str, object] = json.loads(
        wetink("catalog", "import", file, "--data", tmp_path / "data", "--json", *more)
    )
    return found


def test_rows_come_in_and_bad_ones_are_told_with_their_line(tmp_path: Path) -> None:
    found = imported(tmp_path, "goods.csv", CSV)
    assert (found["products"], found["leftOut"]) == (2, 2)
    no_key, bad_price = found["problems"]  # type: ignore[misc]
    assert no_key.startswith("line 4")
    assert "soon" in bad_price
    data = tmp_path / "data"
    [lamp] = json.loads(wetink("catalog", "search", "moth", "--data", data, "--json"))
    assert (lamp["sku"], lamp["price"]) == ("A", 129.0)
    assert "Harbor Mug" in wetink("catalog", "search", "mug", "--data", data)
    assert "Nothing" in wetink("catalog", "search", "nothing", "--data", data)


def test_prices_that_change_stand_in_a_products_history(tmp_path: Path) -> None:
    imported(tmp_path, "goods.csv", CSV)
    imported(tmp_path, "goods.csv", CSV.replace(",129,", ",99,"))
    shown = json.loads(wetink("catalog", "show", "A", "--data", tmp_path / "data", "--json"))
    assert [change["price"] for change in shown["changes"]] == [129.0, 99.0]
    said = wetink("catalog", "show", "A", "--data", tmp_path / "data")
    assert "Moth Lamp" in said
    assert "99.00  4 in stock" in said


def test_products_missing_from_a_complete_file_are_gone_until_they_return(tmp_path: Path) -> None:
    imported(tmp_path, "goods.csv", CSV)
    rest = "\n".join(CSV.splitlines()[:2])
    assert imported(tmp_path, "rest.csv", rest)["gone"] == 0, "it does not say that it is complete"
    assert imported(tmp_path, "rest.csv", rest, "--complete")["gone"] == 1
    assert imported(tmp_path, "rest.csv", rest, "--complete")["gone"] == 0, "it has gone already"
    mug = json.loads(wetink("catalog", "show", "B", "--data", tmp_path / "data", "--json"))["product"]
    assert (mug["name"], mug["availability"]) == ("Harbor Mug", "out_of_stock")
    imported(tmp_path, "goods.csv", CSV.replace("stock\n", "stock,availability\n").replace(",9\n", ",9,in stock\n"))
    mug = json.loads(wetink("catalog", "show", "B", "--data", tmp_path / "data", "--json"))["product"]
    assert mug["availability"] == "in_stock"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("goods.jsonl", '{"sku": "A", "name": "Moth Lamp", "price": 129}\n'),
        ("goods.json", '[{"sku": "A", "name": "Moth Lamp", "price": 129}]'),
        ("goods.xml", MERCHANT),
        ("goods.tsv", "id\ttitle\tprice\nA\tMoth Lamp\t129 EUR\n"),
        ("goods.csv.gz", gzip.compress(b"sku,name,price\nA,Moth Lamp,129\n", mtime=0)),
        ("goods.csv", "sku,name,price\nA,Moth Lamp,129\n".encode("utf-16")),
    ],
    ids=["JSON lines", "JSON", "Merchant XML", "Merchant text", "packed", "UTF-16"],
)
def test_the_file_extension_tells_the_format(tmp_path: Path, name: str, body: str | bytes) -> None:
    assert imported(tmp_path, name, body)["products"] == 1
    assert "Moth Lamp" in wetink("catalog", "search", "lamp", "--data", tmp_path / "data")


@pytest.mark.parametrize(
    ("name", "body", "more", "said"),
    [
        ("goods.dat", "x", [], "goods.dat has an unknown format"),
        ("goods.csv", "", [], "it is empty"),
        ("goods.csv", "<!doctype html><p>Log in", [], "it is a web page"),
        ("goods.csv", CSV, ["--encoding", "klingon"], "'klingon' is unknown"),
        ("goods.json", "[{", [], "goods.json"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_line(
    tmp_path: Path, name: str, body: str, more: list[str], said: str
) -> None:
    file = tmp_path / name
    file.write_text(body)
    told = wetink("catalog", "import", file, "--data", tmp_path / "data", *more, status=1)
    line = told.strip().splitlines()[-1]
    assert line.startswith("wetink: ")
    assert said in line or said == name


def test_an_unknown_product_is_reported(tmp_path: Path) -> None:
    wetink("keys", "create", "shop", "--data", tmp_path / "data")
    assert "there is no product 'Z'" in wetink("catalog", "show", "Z", "--data", tmp_path / "data", status=1)
