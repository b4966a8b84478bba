"""How much of an image the ambiguity maps of a benchmark's entries speak of.

python benchmarks/analysis/support.py STORE BENCHMARK SEED [IMAGES]

prints for every entry, over the hardest images of the first repeat and their three strongest
insecurities, the share of pixels where the map is above zero: beyond that coverage a region
is filled by the fixed order of pixels. And the share of visible parts that lie on such pixels.
"""

import sys
from pathlib import Path

import torch

from xbench import LocalWorkplace, Provider, Registry, Store, load_benchmark, prepared_entry
from xbench_deliberative.kernels.saliency import pixel_columns, pixel_rows


def main(url: str, name: str, seed: str, images: str = "200") -> None:
    """Print one line for each entry."""
    benchmark = load_benchmark(
        name, Registry(third_party=False), changes={"seed": int(seed), "weights": "", "repeats": 3}
    )
    provider = Provider(Store(url), LocalWorkplace(torch.device("cpu"), 32, Path(url) / "scratch"))
    for line in benchmark.lines:
        if line.role == "entry":
            entry = next(benchmark.entries(line))
            artefacts = provider.all(benchmark.protocol.artefacts(entry))
            cases = benchmark.protocol.cases(entry, artefacts)[: int(images)]
            ids = [case.id for case in cases]
            pixels, parts = support(prepared_entry(entry, provider.store, provider.workplace), ids)
            print(f"{line.label:36} {100 * pixels:5.1f} % of pixels, {100 * parts:5.1f} % of parts")


def support(ready, ids: list[int]) -> tuple[float, float]:
    """Mean shares over images of pixels, and of visible parts, where maps are above zero."""
    test, pixels, parts = ready.entry.datasets["test"], [], []
    for start in range(0, len(ids), 32):
        some = ids[start : start + 32]
        points = test.part_points(some)
        for found, of_image in zip(ready.explain(test.batch(some)), points, strict=True):
            if len(found):
                above = found.strongest(3).maps() > 0
                seen = of_image[of_image[:, 2] > 0]
                rows, columns = (f(seen[:, :2], found.size) for f in (pixel_rows, pixel_columns))
                pixels.append(above.double().mean())
                parts.append(above[:, rows, columns].double().mean())
    return float(torch.stack(pixels).mean()), float(torch.stack(parts).mean())


if __name__ == "__main__":
    main(*sys.argv[1:])
