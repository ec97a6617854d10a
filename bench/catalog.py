"""A catalog of a million products: `python -m bench.catalog [N]` makes a file, imports it, and says how that went."""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHOPS = ("Harbor", "Moth", "Keeper", "Rowan", "Wren", "Ridge", "Saffron", "Fir", "Low Tide", "Inkwell")
THINGS = ("Mug", "Lamp", "Lantern", "Blanket", "Chair", "Backpack", "Cushion", "Candle", "Teapot", "Vase")


def make(path: Path, count: int) -> None:
    """Write a CSV of so many products."""
    chance = random.Random(3)
    with path.open("w", encoding="utf-8") as file:
        file.write("sku,name,price,currency,category,brand,url,image_url,availability,stock\n")
        for number in range(count):
            name = f"{chance.choice(SHOPS)} {chance.choice(THINGS)} {number}"
            file.write(
                f"SKU-{number},{name},{chance.randrange(500, 90_000) / 100},EUR,Category {number % 300},"
                f"Brand {number % 90},https://shop.example/p/{number},https://shop.example/p/{number}.jpg,"
                f"in_stock,{chance.randrange(200)}\n"
            )


def main(count: int = 1_000_000) -> None:
    """Import the file into an empty folder, then again with nothing new; print rates and the peak of memory."""
    with tempfile.TemporaryDirectory(prefix="wetink-bench-", dir=".build") as place:
        file, data = Path(place) / "catalog.csv", Path(place) / "data"
        make(file, count)
        for which in ("new", "the same again"):
            begun = time.perf_counter()
            command = [sys.executable, "-m", "wetink", "catalog", "import", str(file), "--data", str(data)]
            process = subprocess.Popen(command)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - begun
            size = (data / "wetink.db").stat().st_size / 1e6
            print(
                f"{which}: {count:,} products in {seconds:.0f} s, {count / seconds:,.0f}/s, "
                f"at most {usage.ru_maxrss / 1024:.0f} MB of memory, {size:.0f} MB on the disk, status {status}"
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
