from pathlib import Path

import pytest

from skpneumo._utils.filenames import parse_filename


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("person12_bacteria_46.jpeg", ("bacteria-12", "person-12", "bacteria")),
        ("person12_virus_47.jpeg", ("virus-12", "person-12", "virus")),
        ("person447_virus_921_1.jpeg", ("virus-447", "person-447", "virus")),
        ("IM-0115-0001.jpeg", ("IM-115", "IM-115", "")),
        ("IM-0683-0001-0002.jpeg", ("IM-683", "IM-683", "")),
        ("NORMAL2-IM-0927-0001.jpeg", ("NORMAL2-IM-927", "NORMAL2-IM-927", "")),
        ("NORMAL2-IM-1102-0001-0002.jpeg", ("NORMAL2-IM-1102", "NORMAL2-IM-1102", "")),
        ("BACTERIA-213622-0001.jpeg", ("child-213622", "child-213622", "bacteria")),
        ("VIRUS-0213622-0002.jpeg", ("child-213622", "child-213622", "virus")),
        ("NORMAL-213622-0003.jpeg", ("child-213622", "child-213622", "")),
    ],
)
def test_known_patterns(name, expected):
    parsed = parse_filename(name)
    assert (parsed.patient, parsed.group, parsed.subtype) == expected


@pytest.mark.parametrize(
    "names",
    [
        ("person12_bacteria_46.jpeg", "person12_bacteria_47.jpeg", "person12_bacteria_46_1.png"),
        ("IM-0115-0001.jpeg", "IM-0115-0002.jpeg", "IM-0115-0001-0002.jpeg", "im-115-0001.PNG"),
        ("NORMAL2-IM-0115-0001.jpeg", "normal2-im-0115-0001-0001.jpeg"),
    ],
)
def test_images_of_one_patient_have_equal_keys(names):
    assert len({parse_filename(name) for name in names}) == 1


KERMANY = (
    "person12_bacteria_46",
    "IM-0115-0001",
    "NORMAL2-IM-0115-0001",
    "BACTERIA-213622-0001",
    "NORMAL-28501-0001",
)


@pytest.mark.parametrize("stem", KERMANY)
@pytest.mark.parametrize(
    "copy",
    [
        *("{} (1)", "{}(2)", "{} - Copy", "{} - Copy (2)", "{}-Kopie", "{} copy 2", "{}_1", "{}~"),
        *("{}_jpeg.rf.0a1b2c3d", "{}_flip", "{}-hflip", "{}_aug_1", "{}_rot90", "{}.jpeg", "{}a"),
        *("{}_0_5312", "copy of {}", "Copy (2) of {}", "Kopie von {}", "augmented_0_{}", "aug-{}"),
        *("aug_{}", "resized_{}", "flipped {}", "hflip_{}", "rotated_15_{}", "clahe-{}", "0003-{}"),
        *("train_{}", "PNEUMONIA-{}", "test_normal_{}", "horizontal_flip_{}", "gaussian_noise_{}"),
    ],
)
def test_a_copy_belongs_to_its_patient(stem, copy):
    expected = parse_filename(f"{stem}.jpeg")
    assert expected is not None
    assert parse_filename(f"{copy.format(stem)}.jpg") == expected


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("person12-bacteria-46.png", "person12_bacteria_46.jpeg"),
        ("PERSON 12 BACTERIA 46.png", "person12_bacteria_46.jpeg"),
        ("IM_0115_0001.png", "IM-0115-0001.jpeg"),
        ("normal2_im_0115_0001.png", "NORMAL2-IM-0115-0001.jpeg"),
        ("site B person12_virus_3.png", "person12_virus_3.jpeg"),
        ("mixed-VIRUS-12-0001.png", "VIRUS-12-0001.jpeg"),
    ],
)
def test_other_separators_and_words_before_a_specific_name(name, same):
    assert parse_filename(name) == parse_filename(same)


def test_each_prefix_and_pathogen_numbers_its_own_patients():
    names = [
        "person115_bacteria_1.jpeg",
        "person115_virus_1.jpeg",
        "IM-0115-0001.jpeg",
        "NORMAL2-IM-0115-0001.jpeg",
    ]
    parsed = [parse_filename(name) for name in names]
    assert len({xray.patient for xray in parsed}) == 4
    assert parsed[0].group == parsed[1].group
    assert len({xray.group for xray in parsed}) == 3


def test_numbers_are_not_prefixes_of_one_another():
    numbers = [1, 11, 110, 1100, 10]
    for name in ("person{}_virus_1.jpeg", "IM-{:04}-0001.jpeg"):
        parsed = [parse_filename(name.format(number)) for number in numbers]
        assert len({xray.patient for xray in parsed}) == len(numbers)
        assert len({xray.group for xray in parsed}) == len(numbers)


@pytest.mark.parametrize(
    "name", ["person12_bacteria_46.jpeg", "IM-0115-0001.jpeg", "NORMAL2-IM-0115-0001-0002.jpeg"]
)
def test_case_extension_and_folders_do_not_matter(name):
    expected = parse_filename(name)
    stem = name.removesuffix(".jpeg")
    for same in (name.upper(), name.lower(), stem, f"{stem}.DCM", f"{stem}.png"):
        assert parse_filename(same) == expected
    assert parse_filename(f"train/person9_virus_1/{name}") == expected
    assert parse_filename(Path("train") / name) == expected


@pytest.mark.parametrize(
    "stem",
    [
        "scan 01",
        "person12",
        "person12_fungus_3",
        "person_virus_3",
        "person12_virus",
        "xperson12_virus_3",
        "superperson12_virus_3",
        "person12_virusx_3",
        "DOE_JANE_IM-0001-0001",
        "siteB-IM-0001-0001",
        "DIM-0115-0001",
        "my-NORMAL2-IM-0115-0001",
        "XNORMAL2-IM-0115-0001",
        "abnormal-28501-0001",
        "not normal-28501-0001",
        "NORMAL-2020-05-01-001",
        "NORMAL-12",
        "Viral Pneumonia-12",
        "BACTERIA-12",
        "BACTERIA-x12-0001",
        "IM-0115",
        "NORMAL3-IM-0115-0001",
        "Röntgen.2024",
    ],
)
def test_a_name_of_another_pattern_identifies_nobody(stem):
    assert parse_filename(f"{stem}.jpeg") is None


def test_every_name_of_the_real_collection_is_known(xray_data):
    for path in (xray_data / "chest_xray").rglob("*.jpeg"):
        parsed = parse_filename(path)
        assert parsed.patient != path.stem
        assert (parsed.subtype == "") == (path.parent.name == "NORMAL")
