"""Published data sets, each on a small tree in the published layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from animatte.data.adobe import background_under
from animatte.data.registry import DATASETS, named_dataset

Draw: TypeAlias = Callable[..., None]
SOFT = -1

# Data set and split; then each folder with its suffix and what its pictures are.
TREES: dict[tuple[str, str], dict[str, tuple[str, int | None]]] = {
    ("am2k", "train"): {
        "train/original": (".jpg", None),
        "train/mask": (".png", SOFT),
        "train/fg": (".jpg", None),
        "train/bg": (".jpg", None),
    },
    ("am2k", "train_denoise"): {
        "train/original_denoise": (".jpg", None),
        "train/mask": (".png", SOFT),
        "train/fg_denoise": (".jpg", None),
    },
    ("am2k", "validation"): {
        "validation/original": (".jpg", None),
        "validation/mask": (".png", SOFT),
        "validation/trimap": (".png", 128),
    },
    ("bg20k", "train"): {"train": (".jpg", None)},
    ("bg20k", "train_denoise"): {"train_denoise": (".jpg", None)},
    ("bg20k", "testval"): {"testval": (".jpg", None)},
    ("coco", "train2017"): {"train2017": (".jpg", None)},
    ("coco", "val2014"): {"val2014": (".jpg", None)},
    ("p3m10k", "train"): {
        "train/blurred_image": (".jpg", None),
        "train/mask": (".png", SOFT),
    },
    ("p3m10k", "P3M-500-P"): {
        "validation/P3M-500-P/blurred_image": (".jpg", None),
        "validation/P3M-500-P/mask": (".png", SOFT),
        "validation/P3M-500-P/trimap": (".png", 128),
    },
    ("p3m10k", "P3M-500-NP"): {
        "validation/P3M-500-NP/original_image": (".jpg", None),
        "validation/P3M-500-NP/mask": (".png", SOFT),
        "validation/P3M-500-NP/trimap": (".png", 128),
    },
    ("aim500", "test"): {
        "original": (".jpg", None),
        "mask": (".png", SOFT),
        "trimap": (".png", 128),
    },
    ("ppm100", "test"): {"image": (".jpg", None), "matte": (".jpg", SOFT)},
    ("alphamatting", "train"): {
        "input_training_lowres": (".png", None),
        "gt_training_lowres": (".png", SOFT),
        "trimap_training_lowres/Trimap1": (".png", 128),
    },
    ("alphamatting", "train_trimap2"): {
        "input_training_lowres": (".png", None),
        "gt_training_lowres": (".png", SOFT),
        "trimap_training_lowres/Trimap2": (".png", 128),
    },
    ("duts", "train"): {
        "DUTS-TR/DUTS-TR-Image": (".jpg", None),
        "DUTS-TR/DUTS-TR-Mask": (".png", 255),
    },
    ("duts", "test"): {
        "DUTS-TE/DUTS-TE-Image": (".jpg", None),
        "DUTS-TE/DUTS-TE-Mask": (".png", 255),
    },
    ("ecssd", "test"): {"images": (".jpg", None), "ground_truth_mask": (".png", 255)},
    ("pascal-s", "test"): {
        "datasets/imgs/pascal": (".jpg", None),
        "datasets/masks/pascal": (".png", 255),
    },
    ("folders", "all"): {
        "image": (".webp", None),
        "alpha": (".png", SOFT),
        "trimap": (".png", 128),
        "foreground": (".png", None),
        "background": (".jpg", None),
    },
    ("folders", "validation"): {
        "validation/image": (".jpg", None),
        "validation/alpha": (".png", SOFT),
    },
}
# What the parts of a pair are, by the folder's place in the trees above.
PARTS = {
    "trimap": ("trimap", "Trimap1", "Trimap2"),
    "foreground": ("fg", "fg_denoise", "foreground"),
    "background": ("bg", "background"),
}


def grown(root: Path, tree: dict[str, tuple[str, int | None]], draw: Draw) -> None:
    for folder, (suffix, value) in tree.items():
        for number, name in enumerate(("m_1", "m_0", "m_2")):
            draw(root / folder / f"{name}{suffix}", value, seed=number)


@pytest.mark.parametrize(("name", "split"), TREES)
def test_a_data_set_is_read_as_published(name: str, split: str, tmp_path: Path, draw: Draw) -> None:
    tree = TREES[name, split]
    grown(tmp_path, tree, draw)
    pairs = named_dataset(name).pairs(tmp_path, split)
    assert [pair.name for pair in pairs] == ["m_0", "m_1", "m_2"]
    folders = list(tree)
    assert pairs[0].image.parent == tmp_path / folders[0]
    assert (pairs[0].alpha is None) == (len(folders) == 1)
    for part, names in PARTS.items():
        expected = [folder for folder in folders if Path(folder).name in names]
        path = getattr(pairs[0], part)
        assert [path.parent] == [tmp_path / expected[0]] if expected else path is None
    sample = pairs[0].read("trimap", "foreground", "background")
    assert sample.image.shape == (48, 64, 3)
    assert sample.alpha.any() == (len(folders) > 1)


def test_every_split_is_covered_by_a_test() -> None:
    special = {("dim", "*"), ("pets", "*"), ("folders", "*")}
    splits = {(name, split) for name, known in DATASETS.items() for split in known.splits}
    left = {each for each in splits - set(TREES) if (each[0], "*") not in special}
    assert left == {("coco", "val2017"), ("coco", "train2014")}  # alike but for the name


def test_every_data_set_states_its_link_its_licence_and_what_was_confirmed() -> None:
    for known in DATASETS.values():
        assert known.link.startswith("http") or known.name == "folders"
        assert known.licence
        assert known.confirmed


def test_paddleseg_s_copy_of_ppm100_is_read_too(tmp_path: Path, draw: Draw) -> None:
    grown(tmp_path, {"val/fg": (".jpg", None), "val/alpha": (".jpg", SOFT)}, draw)
    pairs = named_dataset("ppm100").pairs(tmp_path)
    assert [pair.alpha for pair in pairs] == [
        tmp_path / f"val/alpha/m_{number}.jpg" for number in range(3)
    ]


def test_folders_may_hold_trimaps_instead_of_alphas(tmp_path: Path, draw: Draw) -> None:
    grown(tmp_path, {"image": (".jpg", None), "trimap": (".png", 128)}, draw)
    (pair, *_) = named_dataset("folders").pairs(tmp_path)
    assert pair.alpha is None
    assert not pair.truth().known.any()
    assert (pair.read().alpha == 128).all()


def pets_tree(root: Path, draw: Draw) -> None:
    draw(root / "images/Abyssinian_1.jpg")
    draw(root / "images/saint_bernard_20.jpg")
    for number, name in enumerate(("Abyssinian_1", "saint_bernard_20")):
        draw(root / f"annotations/trimaps/{name}.png", 2 + number)
        draw(root / f"annotations/trimaps/._{name}.png", 0)
    lists = root / "annotations"
    (lists / "trainval.txt").write_text("# Image CLASS-ID\nsaint_bernard_20 29 2 20\n")
    (lists / "test.txt").write_text("Abyssinian_1 1 1 1\n")


def test_pets_have_breeds_and_trimaps_of_their_own_labels(tmp_path: Path, draw: Draw) -> None:
    pets_tree(tmp_path, draw)
    (dog,) = named_dataset("pets").pairs(tmp_path, "trainval")
    (cat,) = named_dataset("pets").pairs(tmp_path, "test")
    assert (dog.subject, cat.subject) == ("saint_bernard", "Abyssinian")
    assert (dog.read().alpha == 128).all()  # 3: not classified
    assert (cat.read().alpha == 0).all()  # 2: background
    assert not dog.truth().known.any()
    draw(cat.trimap, 1)
    assert cat.read().subject == "Abyssinian"
    assert (cat.truth().alpha == 1).all()
    draw(cat.trimap, 7)
    with pytest.raises(ValueError, match=r"Abyssinian_1\.png holds 7; .* 3 \(transition\)"):
        cat.read()


def adobe_tree(root: Path, draw: Draw) -> None:
    test, train = root / "Test_set", root / "Training_set"
    for number, name in enumerate(("b", "a")):
        draw(test / f"Adobe-licensed images/fg/{name}.png", seed=number)
        draw(test / f"Adobe-licensed images/alpha/{name}.png", 255 * number)
        for background in range(20):
            draw(test / f"Adobe-licensed images/trimaps/{name}_{background}.png", 128)
    voc = [f"2008_{number:06}.jpg" for number in range(40)]
    for number, name in enumerate(voc):
        draw(test / "bg" / name, shape=(30, 90), seed=number)
    (test / "test_fg_names.txt").write_text("b.png\na.png\n")
    (test / "test_bg_names.txt").write_text("\n".join(voc))
    draw(train / "Adobe-licensed images/fg/z.jpg")
    draw(train / "Adobe-licensed images/alpha/z.jpg", SOFT)
    draw(train / "Other/fg/y.jpg")
    draw(train / "Other/alpha/y.jpg", SOFT)
    coco = [f"COCO_train2014_{number:012}.jpg" for number in range(200)]
    for name in coco:
        draw(train / "bg" / name)
    (train / "training_fg_names.txt").write_text("z.jpg\ny.jpg\n")
    (train / "training_bg_names.txt").write_text("\n".join(coco))


def test_composition_1k_goes_by_its_lists(tmp_path: Path, draw: Draw) -> None:
    adobe_tree(tmp_path, draw)
    dim = named_dataset("dim")
    pairs = dim.pairs(tmp_path, "test")
    assert [pair.name for pair in pairs] == [f"{fg}_{n}" for fg in "ba" for n in range(20)]
    assert pairs[21].background == tmp_path / "Test_set/bg/2008_000021.jpg"
    assert pairs[21].trimap is not None
    assert pairs[21].trimap.name == "a_1.png"
    foregrounds = dim.pairs(tmp_path, "train")
    assert [pair.name for pair in foregrounds] == ["z", "y"]
    assert foregrounds[0].foreground == foregrounds[0].image
    composites = dim.pairs(tmp_path, "train_composites")
    assert len(composites) == 200
    assert composites[100].image.stem == "y"


def test_a_composite_is_its_background_where_alpha_is_0_and_its_foreground_where_1(
    tmp_path: Path, draw: Draw
) -> None:
    adobe_tree(tmp_path, draw)
    pairs = named_dataset("dim").pairs(tmp_path, "test")
    clear, opaque = (pair.read("foreground", "background") for pair in (pairs[3], pairs[23]))
    assert clear.background is not None
    assert opaque.foreground is not None
    assert np.array_equal(clear.image, clear.background)
    assert np.array_equal(opaque.image, opaque.foreground)
    assert not np.array_equal(clear.image, opaque.image)


def test_a_small_background_is_enlarged_to_cover_and_a_large_one_cropped() -> None:
    large = np.random.default_rng(0).random((50, 70, 3), np.float32)
    assert np.array_equal(background_under(large, (40, 60)), large[:40, :60])
    ramp = np.linspace(0, 1, 20, dtype=np.float32)[None, :, None] * np.ones((10, 1, 3), np.float32)
    covered = background_under(ramp, (40, 40))
    assert covered.shape == (40, 40, 3)
    # Enlarged by 4 to 40×80: the left half of the ramp remains.
    assert covered[20, 39, 0] == pytest.approx(0.5, abs=0.05)


def test_what_is_missing_is_named_with_the_remedy(tmp_path: Path, draw: Draw) -> None:
    adobe_tree(tmp_path, draw)
    (tmp_path / "Test_set/bg/2008_000007.jpg").unlink()
    with pytest.raises(ValueError, match=r"2008_000007.* animatte data verify dim"):
        named_dataset("dim").pairs(tmp_path, "test")
    (tmp_path / "Test_set/test_bg_names.txt").write_text("2008_000001.jpg")
    with pytest.raises(ValueError, match="each foreground has 20"):
        named_dataset("dim").pairs(tmp_path, "test")
    with pytest.raises(ValueError, match=r"train/original is no folder"):
        named_dataset("am2k").pairs(tmp_path)
    with pytest.raises(ValueError, match=r"trainval\.txt is missing"):
        named_dataset("pets").pairs(tmp_path)


def test_an_unpaired_picture_is_named(tmp_path: Path, draw: Draw) -> None:
    grown(tmp_path, TREES["aim500", "test"], draw)
    (tmp_path / "mask/m_1.png").unlink()
    draw(tmp_path / "trimap/stray.png", 128)
    with pytest.raises(ValueError, match=r"m_1\.jpg has no partner in mask \(and 1 more\)"):
        named_dataset("aim500").pairs(tmp_path)


def test_unknown_names_are_refused_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"'am3k' is unknown; choose one of am2k, "):
        named_dataset("am3k")
    with pytest.raises(ValueError, match=r"no split 'test'; choose one of train, validation"):
        named_dataset("am2k").pairs(tmp_path, "test")
