"""The data sets that are known: how each lies on disk, who publishes it, under which licence.

None is downloaded unless `animatte data download` is asked to. Counts and layouts are the
publisher's where the data set's page, readme or programs say them; `Dataset.confirmed` says what
rests on that, and what on other people's programs, papers or copies; `docs/data.md` links those.
"""

from __future__ import annotations

from collections.abc import Mapping

from animatte.data.adobe import composition_1k, foregrounds, train_composites
from animatte.data.layouts import Layout, first_of
from animatte.data.published import Dataset, Split, pets, plain

NOT_STATED = "not stated"
_P3M = "validation/P3M-500-"

DATASETS: Mapping[str, Dataset] = {
    known.name: known
    for known in (
        Dataset(
            name="am2k",
            title="AM-2k (Li et al. 2022)",
            link="https://github.com/JizhiziLi/GFM",
            licence="MIT, by its release agreement",
            truth="alpha",
            splits={
                "train": Split(
                    Layout(
                        "train/original",
                        "train/mask",
                        foreground="train/fg",
                        background="train/bg",
                    ),
                    "train",
                    1800,
                ),
                "validation": Split(
                    Layout("validation/original", "validation/mask", "validation/trimap"),
                    "test",
                    200,
                ),
                "train_denoise": Split(
                    Layout(
                        "train/original_denoise",
                        "train/mask",
                        foreground="train/fg_denoise",
                        background="train/bg",
                    ),
                    "train",
                    1800,
                    is_extra=True,
                ),
            },
            confirmed="folders and counts by the publisher's program and paper",
        ),
        Dataset(
            name="bg20k",
            title="BG-20k (Li et al. 2022)",
            link="https://github.com/JizhiziLi/GFM",
            licence="MIT, by its release agreement",
            truth="none",
            splits={
                "train": Split(Layout("train"), "train", 15000),
                "testval": Split(Layout("testval"), "test", 5000),
                "train_denoise": Split(Layout("train_denoise"), "train", 15000, is_extra=True),
            },
            confirmed="folders and the sum of 20,000 by the publisher, its two parts by a copy",
        ),
        Dataset(
            name="coco",
            title="COCO, pictures only, as backgrounds (Lin et al. 2014)",
            link="https://cocodataset.org",
            licence="Flickr's terms of use; the publisher does not own the pictures",
            truth="none",
            splits={
                "train2017": Split(Layout("train2017"), "train", 118287, is_extra=True),
                "val2017": Split(Layout("val2017"), "test", 5000, is_extra=True),
                "train2014": Split(Layout("train2014"), "train", 82783, is_extra=True),
                "val2014": Split(Layout("val2014"), "test", 40504, is_extra=True),
            },
            confirmed="folders and counts of 2017 by programs that read it, counts of 2014 by "
            "other people's notes, licence by programs that quote the publisher's terms",
        ),
        Dataset(
            name="dim",
            title="Adobe Deep Image Matting and Composition-1k (Xu et al. 2017)",
            link="https://sites.google.com/view/deepimagematting",
            licence="Adobe's agreement, non-commercial; `Other`: Creative Commons, each its own",
            truth="alpha",
            splits={
                "train": Split(foregrounds, "train", 431),
                "test": Split(composition_1k, "test", 1000),
                "train_composites": Split(train_composites, "train", 43100, is_extra=True),
            },
            confirmed="lists and counts by the publisher's readme, folders by programs that read "
            "it; backgrounds go into Training_set/bg (COCO) and Test_set/bg (PASCAL VOC)",
        ),
        Dataset(
            name="p3m10k",
            title="P3M-10k, faces blurred (Li et al. 2021)",
            link="https://github.com/JizhiziLi/P3M",
            licence="MIT, by its release agreement",
            truth="alpha",
            splits={
                "train": Split(Layout("train/blurred_image", "train/mask"), "train", 9421),
                "P3M-500-P": Split(
                    Layout(f"{_P3M}P/blurred_image", f"{_P3M}P/mask", f"{_P3M}P/trimap"),
                    "test",
                    500,
                ),
                "P3M-500-NP": Split(
                    Layout(f"{_P3M}NP/original_image", f"{_P3M}NP/mask", f"{_P3M}NP/trimap"),
                    "test",
                    500,
                ),
            },
            confirmed="counts by the publisher, folders by programs that read it",
        ),
        Dataset(
            name="aim500",
            title="AIM-500 (Li, Zhang and Tao 2021)",
            link="https://github.com/JizhiziLi/AIM",
            licence="not stated for the pictures; the repository is under MIT",
            truth="alpha",
            splits={"test": Split(Layout("original", "mask", "trimap"), "test", 500)},
            confirmed="count by the publisher, folders by programs that read it",
        ),
        Dataset(
            name="ppm100",
            title="PPM-100 (Ke et al. 2022)",
            link="https://github.com/ZHKKKe/PPM",
            licence="mattes CC BY-NC-SA 4.0; photos under Flickr's Creative Commons licences",
            truth="alpha",
            splits={
                "test": Split(
                    first_of(Layout("image", "matte"), Layout("val/fg", "val/alpha")),
                    "test",
                    100,
                )
            },
            confirmed="count and licence by the publisher, folders by programs that read it "
            "(val/fg and val/alpha are PaddleSeg's copy)",
        ),
        Dataset(
            name="alphamatting",
            title="alphamatting.com, training set in low resolution (Rhemann et al. 2009)",
            link="http://www.alphamatting.com",
            licence=NOT_STATED,
            truth="alpha",
            splits={
                "train": Split(
                    Layout(
                        "input_training_lowres",
                        "gt_training_lowres",
                        "trimap_training_lowres/Trimap1",
                    ),
                    "train",
                    27,
                ),
                "train_trimap2": Split(
                    Layout(
                        "input_training_lowres",
                        "gt_training_lowres",
                        "trimap_training_lowres/Trimap2",
                    ),
                    "train",
                    27,
                ),
            },
            confirmed="folders by programs that read it, count by a paper that describes it",
        ),
        Dataset(
            name="pets",
            title="Oxford-IIIT Pet (Parkhi et al. 2012)",
            link="https://www.robots.ox.ac.uk/~vgg/data/pets/",
            licence="CC BY-SA 4.0; photos remain their owners'",
            truth="trimap",
            splits={
                "trainval": Split(pets("trainval.txt"), "train", 3680),
                "test": Split(pets("test.txt"), "test", 3669),
            },
            confirmed="layout and labels by the publisher's readme, counts by torchvision",
        ),
        Dataset(
            name="duts",
            title="DUTS, salient objects (Wang et al. 2017)",
            link="http://saliencydetection.net/duts/",
            licence=NOT_STATED,
            truth="mask",
            splits={
                "train": Split(
                    Layout("DUTS-TR/DUTS-TR-Image", "DUTS-TR/DUTS-TR-Mask"), "train", 10553
                ),
                "test": Split(
                    Layout("DUTS-TE/DUTS-TE-Image", "DUTS-TE/DUTS-TE-Mask"), "test", 5019
                ),
            },
            confirmed="folders by programs that read it, counts by a copy's description",
        ),
        Dataset(
            name="ecssd",
            title="ECSSD, salient objects (Shi et al. 2016)",
            link="http://www.cse.cuhk.edu.hk/leojia/projects/hsaliency/dataset.html",
            licence=NOT_STATED,
            truth="mask",
            splits={"test": Split(Layout("images", "ground_truth_mask"), "test", 1000)},
            confirmed="folders and count by programs that read it",
        ),
        Dataset(
            name="pascal-s",
            title="PASCAL-S, salient objects (Li et al. 2014)",
            link="http://cbs.ic.gatech.edu/salobj/",
            licence=NOT_STATED,
            truth="mask",
            splits={
                "test": Split(Layout("datasets/imgs/pascal", "datasets/masks/pascal"), "test", 850)
            },
            confirmed="folders by programs that read it, count by a list of such data sets",
        ),
        Dataset(
            name="folders",
            title="your own: image/ and alpha/ (or trimap/), at the root or in train/ and so on",
            link="",
            licence="yours to know",
            truth="alpha",
            splits={
                "all": Split(plain(""), "train", is_extra=True),
                "train": Split(plain("train/"), "train", is_extra=True),
                "validation": Split(plain("validation/"), "test", is_extra=True),
                "test": Split(plain("test/"), "test", is_extra=True),
            },
            confirmed="our own layout",
        ),
    )
}


def named_dataset(name: str) -> Dataset:
    """Return a known data set.

    Raises:
        ValueError: naming those that there are.
    """
    if name not in DATASETS:
        raise ValueError(f"data set {name!r} is unknown; choose one of {', '.join(DATASETS)}")
    return DATASETS[name]
