"""Pictures: the same on every machine, however images are batched, and fully legible."""

import hashlib
import itertools
import json
import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from xbench_toybirds.concepts.catalogue import catalogue
from xbench_toybirds.dataset import Toybirds
from xbench_toybirds.drawing.parts import masks, plain_scene, visibility
from xbench_toybirds.drawing.render import CHUNK, GAP, render, render_regions
from xbench_toybirds.drawing.scene import FRAME, SHIFTED, USUAL, draw_scenes
from xbench_toybirds.splits import SPAN
from xbench_toybirds.world import ATTRIBUTES

IDS = [0, 1, 2, 3, SPAN + 4, 2 * SPAN + 5, 3 * SPAN + 6, 3 * SPAN + 7]


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def scenes_of(birds, ids, conditions=USUAL):
    ids = np.asarray(ids)
    return draw_scenes(birds.world(), ids, ids % 20, conditions)


def digests(birds):
    """Digests of what is drawn and drawn by lot."""
    return {
        "images": digest(birds.images(IDS).numpy()),
        "points": digest(birds.part_points(IDS).numpy()),
        "masks": digest(birds.part_masks(IDS).numpy()),
        "values": digest(birds.attribute_values(range(1000)).numpy().astype("<i8")),
        "labels": digest(birds.label_counts(IDS).numpy().astype("<i8")),
        "concepts": digest(
            np.concatenate(
                [
                    depiction.images(birds.world(), np.array([1 << 62]), present=present)
                    for depiction in catalogue().values()
                    for present in (True, False)
                ]
            )
        ),
    }


# Change them, and `RENDERING`, only together with what toybirds are meant to look like.
FIXED = {
    "images": "48102f993118e9494e45cc52c35a00fa662213acf97c9ac68ad9529ccd3e5e70",
    "points": "27485f9b0057f9a9e3c3d07e26d70f9d1ca5d719c6333c06821fbac7e1e91013",
    "masks": "f864505df0a5097139b05fd75aac472fe4e5aa8e91aa6c2feb57cff5fe72533a",
    "values": "b45d7b39e1fde5375174e8a1d3e9d70d21a458bee57799483f6bb0306b312474",
    "labels": "98af2b8b290a95330792963ca96d3774eced2a07a35a74ba0b8d992221a09c2a",
    "concepts": "7dde0327933dd0d6e56845ec3fe5f025a574566c8315869cdce3d47f74bd8521",
}


def test_what_is_drawn_is_the_same_on_every_machine(birds):
    assert digests(birds) == FIXED


def test_it_is_the_same_without_the_vector_instructions_of_this_machine():
    disabled = "SSE41 POPCNT SSE42 AVX F16C FMA3 AVX2 AVX512F AVX512CD AVX512_SKX AVX512_CLX"
    disabled += " AVX512_CNL AVX512_ICL AVX512_SPR X86_V3 X86_V4 ASIMDHP ASIMDFHM SVE"
    program = (
        "import json, runpy, sys; names = runpy.run_path(sys.argv[1]); "
        "print(json.dumps(names['digests'](names['Toybirds']())))"
    )
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, __file__],
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": disabled},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(process.stdout) == FIXED


def test_images_do_not_depend_on_how_ids_are_batched(birds):
    ids = list(range(CHUNK + 5))
    together = birds.images(ids)
    assert torch.equal(torch.cat([birds.images(ids[:7]), birds.images(ids[7:])]), together)
    assert torch.equal(birds.images(ids[::-1]).flip(0), together)
    mixed = [3 * SPAN, 5, 2 * SPAN]
    alone = torch.cat([birds.images([i]) for i in mixed])
    assert torch.equal(birds.images(mixed), alone)


def test_no_ids_give_no_images(birds):
    assert birds.images([]).shape == (0, 3, FRAME, FRAME)
    assert birds.part_points([]).shape == (0, 12, 3)
    assert birds.class_posterior([]).shape == (0, 20)
    assert birds.label_counts([]).shape == (0, 20)


def test_images_do_not_depend_on_the_sizes_of_splits(birds):
    assert torch.equal(
        Toybirds(train=40, test=9).images([7, 2 * SPAN]), birds.images([7, 2 * SPAN])
    )


def test_another_seed_shows_other_images(birds):
    assert not torch.equal(Toybirds(seed=1).images([0]), birds.images([0]))


def test_regions_are_those_of_the_picture(birds):
    scenes = scenes_of(birds, range(40))
    assert (render_regions(scenes) == render(scenes).regions).all()


def test_regions_and_visibility_say_nothing_of_the_values(birds):
    scenes = scenes_of(birds, range(40))
    others = scenes._replace(values=scenes.values[::-1].copy())
    a, b = render_regions(scenes), render_regions(others)
    assert (visibility(a, scenes) == visibility(b, others)).all()
    differs = a != b
    assert (np.minimum(a, b)[differs] >= GAP).all()
    assert (a[differs] % GAP == b[differs] % GAP).all()


@pytest.mark.parametrize(("conditions", "least"), [(USUAL, 15), (SHIFTED, 8)])
def test_every_two_values_of_a_visible_part_look_different(birds, conditions, least):
    scenes = scenes_of(birds, range(30), conditions)
    regions = render_regions(scenes)
    visible = visibility(regions, scenes)
    for colours in (True, False):
        columns = [c for c, a in enumerate(ATTRIBUTES) if (a.name == "colour") == colours]
        most = max(len(ATTRIBUTES[column].values) for column in columns)
        pictures = np.stack([pictured(scenes, columns, k) for k in range(most)])
        for column in columns:
            attribute = ATTRIBUTES[column]
            mask = (regions % GAP == attribute.part) & (regions >= 0)
            mask &= visible[:, attribute.part, None, None]
            image = np.nonzero(mask)[0]
            looks = pictures[:, mask].astype(int)
            for a, b in itertools.combinations(range(len(attribute.values)), 2):
                apart = np.abs(looks[a] - looks[b]).max(1) >= 25
                pixels = np.bincount(image, apart)[np.unique(image)]
                assert pixels.min() >= least, (attribute, a, b)


def pictured(scenes, columns, value):
    values = scenes.values.copy()
    for column in columns:
        values[:, column] = value % len(ATTRIBUTES[column].values)
    return render(scenes._replace(values=values)).pixels


def test_a_flipped_bird_is_the_mirror_image():
    scene = plain_scene(24.0)
    mirrored = scene._replace(facing=-scene.facing)
    part_map = masks(render_regions(scene))
    assert (masks(render_regions(mirrored))[:, :, ::-1] == part_map).mean() > 0.995


def test_all_parts_of_an_uncovered_bird_show():
    scene = plain_scene(24.0)
    assert visibility(render_regions(scene), scene).all()
    assert set(np.unique(masks(render_regions(scene)))) == set(range(-1, 12))


def test_an_empty_scene_shows_no_part():
    scene = plain_scene(24.0)
    empty = scene._replace(scale=scene.scale * 0)
    assert (render_regions(empty) == -1).all()
