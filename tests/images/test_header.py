"""Headers: view, body part, orientation, shutters, and raw data of detectors."""

import io
import warnings

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRLittleEndian

from skpneumo.exceptions import HeaderWarning, ImageReadError, NoXRayError
from skpneumo.images import XRayHeader, read_header, read_records, read_xray

SECRETS = ("Doe^Jane", "4711-0815", "20190203")
DX, DX_RAW = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1.1.1"
# No row and no column is like another, and sides differ.
PIXELS = (np.arange(23)[:, None] * 9 + np.arange(17)).astype(np.uint8)


def save(path, *, pixels=PIXELS, syntax=ExplicitVRLittleEndian, **elements):
    """Write a radiograph; None leaves an element out."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = DX, "1.2.3.4", "DX"
    dataset.SpecificCharacterSet = "ISO_IR 192"
    dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = SECRETS
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
    dataset.Rows, dataset.Columns = pixels.shape
    dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.itemsize
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
    dataset.PixelData = pixels.tobytes() + b"\0" * (pixels.nbytes % 2)
    dataset["PixelData"].VR = "OW"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, value in elements.items():
            if value is None:
                delattr(dataset, name)
            else:
                setattr(dataset, name, value)
        dataset.save_as(path, enforce_file_format=True)
    return path


def code(value, meaning, scheme="SCT"):
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return [item]


# How a patient stands or is held names no body part.
POSTURES = (
    *("PA em pé", "PA de pé", "AP de pie", "en pied", "in piedi", "AP a pie de cama", "debout"),
    *("au pied du lit", "AP ao pé do leito", "AP standing on feet", "feet first", "foot end"),
    *("AP ARM UP", "arms raised", "raised arms", "arms above head", "hands on hips", "C-arm"),
    *("braços elevados", "brazo arriba", "manos arriba", "bras levés", "Arme hoch", "Hand oben"),
    *("neck down AP", "face down", "shoulders rolled forward", "cabeça elevada", "Kopf hoch"),
    *("Hand-held AP", "handheld", "hand bagged", "r/o PE", "双手上举", "术前手术", "腹臥位"),
    *("arms extended", "neck flexed", "arm board", "neck collar", "hip spica", "O-arm"),
    *("held by mother's hands", "hand restraint", "on mama's lap", "con mamá", "PE protocol"),
    *("sitting", "supine", "erect", "prone", "im Stehen", "im Liegen", "sitzend", "assis"),
    *("seduto", "sentado", "acostado", "ortostatismo", "decúbito dorsal", "立位", "站立", "卧位"),
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scan.dcm"


@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_a_header_describes_the_image_and_identifies_nobody(path, syntax):
    save(
        path,
        syntax=syntax,
        ViewPosition="PA",
        BodyPartExamined="CHEST",
        ImageLaterality="U",
        PresentationIntentType="FOR PRESENTATION",
        PatientOrientation=["L", "F"],
        ImagerPixelSpacing=[0.2, 0.1],
        ManufacturerModelName="Model 7",
        BurnedInAnnotation="NO",
        SeriesDescription="Thorax p.a. Jane Doe",
    )
    header = read_header(path)
    assert header == XRayHeader(
        modality="DX",
        view="PA",
        body_part="CHEST",
        laterality="U",
        presentation_intent="FOR PRESENTATION",
        orientation=("L", "F"),
        pixel_spacing=(0.2, 0.1),
        model="Model 7",
        burned_in=False,
    )
    for secret in (*SECRETS, "Jane"):
        assert secret not in str(header)


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("Model 7", "Model 7"),
        ("  Model\t7 ", "Model 7"),
        ("x" * 100, "x" * 64),
        ("Room^Two", ""),
        ("Scanner of Jane", ""),
        ("DOE-1", ""),
        ("jane doe", ""),
        ("JaneDoe", ""),
        ("DX 4711-0815", ""),
        ("DX 47110815", ""),
        ("x" * 60 + "4711-0815", ""),
        ("Model 4711", "Model 4711"),
    ],
)
@pytest.mark.filterwarnings("ignore:The value length")
def test_the_model_is_short_and_names_no_patient(path, model, expected):
    assert read_header(save(path, ManufacturerModelName=model)).model == expected


def test_short_names_drop_only_models_that_hold_them_as_words(path):
    elements = {"PatientName": "Li^A=李^明", "PatientID": "7"}
    for model, expected in [
        *(("DR-X Alinea", "DR-X Alinea"), ("Li 3", ""), ("Model 7", ""), ("Model 77", "Model 77")),
        *(("Röntgen 李 明", ""), ("Ålesund", "Ålesund")),
    ]:
        assert read_header(save(path, ManufacturerModelName=model, **elements)).model == expected


def test_spacing_in_the_patient_comes_before_that_of_the_detector(path):
    save(path, ImagerPixelSpacing=[0.2, 0.1], PixelSpacing=[0.15, 0.05])
    assert read_header(path).pixel_spacing == (0.15, 0.05)
    save(path, ImagerPixelSpacing=[0.2, 0.1], PixelSpacing=[0, 0.05])
    assert read_header(path).pixel_spacing == (0.2, 0.1)
    assert read_header(save(path, PixelSpacing="0.2")).pixel_spacing is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_pictures_have_no_header(path, kind):
    Image.fromarray(PIXELS).save(path, kind)
    assert read_header(path) == XRayHeader()


@pytest.mark.parametrize("n_bytes", [140, 250, 330, 400])
def test_a_header_that_is_cut_off_is_an_error(path, n_bytes):
    whole = save(path, SeriesDescription="Thorax").read_bytes()
    assert whole.index(b"\x28\0\x02\0") > 410
    path.write_bytes(whole[:n_bytes])
    for read in (read_header, read_xray):
        with pytest.raises(ImageReadError, match=r"scan\.dcm") as caught:
            read(path)
        assert not isinstance(caught.value, NoXRayError)
        assert not any(secret in str(caught.value) for secret in SECRETS)


@pytest.mark.parametrize("read", [read_header, read_xray])
@pytest.mark.parametrize("source", [None, 3, ["scan.dcm"]])
def test_what_is_no_source_is_a_type_error(read, source):
    with pytest.raises(TypeError, match="Expected a path, bytes or a binary file, got an object"):
        read(source)


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(ImageReadError, match=r"gone\.dcm"):
        read_header(tmp_path / "gone.dcm")


def test_odd_values_are_unknown(path):
    save(
        path,
        Modality="ANNA",
        ViewPosition="SWIMMERS",
        BodyPartExamined="JANE DOE",
        Laterality="X",
        PresentationIntentType="FOR FUN",
        PatientOrientation=["Q", "F"],
        BurnedInAnnotation="PERHAPS",
        PixelSpacing=["1e999", "1"],
        SeriesDescription="x" * 2000,
    )
    assert read_header(path) == XRayHeader(presentation_intent="FOR PRESENTATION")


@pytest.mark.parametrize("n_bytes", [2**16, 2**20, 2**23])
def test_a_large_header_is_read_in_part(path, n_bytes):
    save(path, ViewPosition="LL", BurnedInAnnotation="YES")
    whole = path.read_bytes()
    at = whole.index(b"\x28\x00\x02\x00")
    private = b"\x21\x00\x10\x10OB\0\0" + n_bytes.to_bytes(4, "little") + bytes(n_bytes)
    path.write_bytes(whole[:at] + private + whole[at:])
    header = read_header(path)
    assert header.view == "LATERAL"
    assert header.burned_in == (True if n_bytes < 2**22 else None)
    assert read_xray(path).shape == PIXELS.shape


@pytest.mark.parametrize(
    ("elements", "view"),
    [
        ({"ViewPosition": "PA"}, "PA"),
        ({"ViewPosition": "ap "}, "AP"),
        ({"ViewPosition": "LL"}, "LATERAL"),
        ({"ViewPosition": "RL"}, "LATERAL"),
        ({"ViewPosition": "LATERAL"}, "LATERAL"),
        ({"ViewPosition": "LLO"}, "OBLIQUE"),
        ({"ViewPosition": "RAO"}, "OBLIQUE"),
        ({"ViewPosition": "LLD"}, ""),
        ({"ViewPosition": ""}, ""),
        ({"ViewCodeSequence": code("R-10206", "antero-posterior", "SRT")}, "AP"),
        ({"ViewCodeSequence": code("272479007", "projection")}, "PA"),
        ({"ViewCodeSequence": code("399173006", "projection")}, "LATERAL"),
        ({"ViewCodeSequence": code("L1", "Left lateral", "99LOCAL")}, "LATERAL"),
        ({"ViewCodeSequence": code("399135007", "projection")}, "OBLIQUE"),
        ({"PatientOrientation": ["P", "F"]}, "LATERAL"),
        ({"PatientOrientation": ["AL", "FP"]}, "LATERAL"),
        ({"PatientOrientation": ["L", "F"]}, ""),
        ({"PatientOrientation": ["L", "F"], "SeriesDescription": "Thorax ap"}, "AP"),
        ({"SeriesDescription": "Thorax p.a."}, "PA"),
        ({"SeriesDescription": "CHEST P-A"}, "PA"),
        ({"SeriesDescription": "Thorax seitlich"}, "LATERAL"),
        ({"SeriesDescription": "TÓRAX PERFIL"}, "LATERAL"),
        ({"SeriesDescription": "Thorax profil"}, "LATERAL"),
        ({"SeriesDescription": "胸部侧位"}, "LATERAL"),
        ({"SeriesDescription": "Chest_LAT"}, "LATERAL"),
        ({"SeriesDescription": "RX tórax L-L"}, "LATERAL"),
        ({"SeriesDescription": "Bilateral chest"}, ""),
        *(
            ({"SeriesDescription": text, "StudyDescription": "RX TORAX"}, "")
            for text in (
                *("双侧胸部", "雙側胸部", "两侧", "患侧", "健侧", "左侧卧位胸片", "侧卧位"),
                *("Bi-lateral chest", "left lateral recumbent", "Linksseitenlage", "L decub"),
                *("decub left lateral", "lat. dec."),
                *("正侧位", "胸部正側位", "frente e perfil", "Tórax AP/L", "Torax AP y L"),
                *("PA e L", "PA+L", "AP et L", "AP/P", "ThoraxAP/L", "ApLat", "ChestPALat"),
            )
        ),
        *(
            ({"SeriesDescription": text}, "AP")
            for text in (
                *("ThoraxAP", "ChestAP", "APChest", "THORAXAP", "胸部AP", "Chest AP1"),
                *("AP de pie", "AP ARM UP", "前后位", "AP face down", "L decub AP"),
            )
        ),
        *(
            ({"SeriesDescription": text}, "PA")
            for text in (
                "CHESTPA",
                "CXRPA",
                "TóraxPA",
                "PA em pé",
                "胸部PA位",
                "后前位",
                "Torax pA",
            )
        ),
        *(
            ({"SeriesDescription": text}, "LATERAL")
            for text in ("ChestLat", "CHESTLAT", "Thoraxseitlich", "胸部LAT", "左侧位片", "側面")
        ),
        ({"SeriesDescription": "AP left lateral decubitus"}, "AP"),
        ({"SeriesDescription": "Tórax decúbito lateral"}, ""),
        ({"SeriesDescription": "Chest PA and lateral"}, ""),
        ({"SeriesDescription": "Chest PA/LAT", "ProtocolName": "Chest LAT"}, "LATERAL"),
        ({"ProtocolName": "Thorax oblíqua"}, "OBLIQUE"),
        ({"AcquisitionDeviceProcessingDescription": "CHEST,LAT."}, "LATERAL"),
        ({"StudyDescription": "Chest lateral"}, ""),
        ({"ViewPosition": "PA", "SeriesDescription": "Chest lateral"}, "PA"),
        ({"ViewPosition": "PA", "PatientOrientation": ["A", "F"]}, ""),
        ({"ViewPosition": "PA", "ViewCodeSequence": code("399173006", "left lateral")}, ""),
    ],
)
def test_views(path, elements, view):
    assert read_header(save(path, **elements)).view == view


@pytest.mark.parametrize(
    ("elements", "part"),
    [
        *(
            ({"BodyPartExamined": name}, "CHEST")
            for name in ("CHEST", "THORAX", "Tórax", "PULMON", "CHESTABDOMEN", "LUNG", "TORACE")
        ),
        ({"BodyPartExamined": "NECKCHEST"}, "CHEST"),
        ({"BodyPartExamined": "BABYGRAM"}, "CHEST"),
        ({"BodyPartExamined": "HAND"}, "HAND"),
        ({"BodyPartExamined": "Mão"}, "HAND"),
        ({"BodyPartExamined": "MAIN"}, "HAND"),
        ({"BodyPartExamined": "TSPINE"}, "SPINE"),
        ({"BodyPartExamined": "ABDOMEN"}, "ABDOMEN"),
        ({"BodyPartExamined": "RIB"}, "RIB"),
        ({"BodyPartExamined": "UNKNOWN"}, ""),
        ({"AnatomicRegionSequence": code("51185008", "region")}, "CHEST"),
        ({"AnatomicRegionSequence": code("T-D8700", "region", "SRT")}, "HAND"),
        ({"AnatomicRegionSequence": code("1", "Elbow joint", "99LOCAL")}, "ELBOW"),
        ({"BodyPartExamined": "CHEST", "AnatomicRegionSequence": code("85562004", "Hand")}, ""),
        ({"SeriesDescription": "Columna torácica"}, "SPINE"),
        ({"SeriesDescription": "胸椎"}, "SPINE"),
        ({"SeriesDescription": "胸部正位"}, "CHEST"),
        ({"SeriesDescription": "Babythorax"}, "CHEST"),
        ({"SeriesDescription": "Handgelenk links"}, "WRIST"),
        ({"SeriesDescription": "Main series"}, ""),
        ({"SeriesDescription": "AP head up 30"}, ""),
        ({"SeriesDescription": "左手"}, "HAND"),
        ({"SeriesDescription": "pa", "StudyDescription": "RX DE TORAX"}, "CHEST"),
        ({"BodyPartExamined": "CHEST", "SeriesDescription": "Hand"}, "CHEST"),
        ({"SeriesDescription": "Thorax und Hand"}, ""),
        *(({"SeriesDescription": text}, "") for text in POSTURES),
        *(({"ProtocolName": text, "StudyDescription": "RX TORAX"}, "CHEST") for text in POSTURES),
        ({"ViewPosition": "AP", "ProtocolName": "AP de pie"}, ""),
        *(
            ({"SeriesDescription": "Foot", name: "Tórax"}, "CHEST")
            for name in (
                *("AcquisitionDeviceProcessingDescription", "ProtocolName", "StudyDescription"),
                "PerformedProcedureStepDescription",
            )
        ),
        ({"SeriesDescription": "Hand", "StudyDescription": "Thorax und Hand"}, ""),
        ({"SeriesDescription": "Hand", "StudyDescription": "Polytrauma"}, "HAND"),
        ({"BodyPartExamined": "HAND", "StudyDescription": "RX TORAX"}, "HAND"),
        ({"SeriesDescription": "Pé direito"}, "FOOT"),
        ({"SeriesDescription": "Pie izquierdo"}, "FOOT"),
        ({"SeriesDescription": "RX de pie derecho"}, "FOOT"),
        ({"SeriesDescription": "Arm left"}, "ARM"),
        ({"SeriesDescription": "ThoraxAP"}, "CHEST"),
        ({"SeriesDescription": "CXRPA"}, "CHEST"),
    ],
)
def test_body_parts(path, elements, part):
    assert read_header(save(path, **elements)).body_part == part


@pytest.mark.parametrize(
    "elements",
    [
        {"PresentationIntentType": "FOR PROCESSING"},
        {"PresentationIntentType": "for processing "},
        {"SOPClassUID": DX_RAW},
        {"SOPClassUID": DX_RAW, "PresentationIntentType": "FOR PRESENTATION"},
        {"SOPClassUID": DX_RAW, "Modality": None},
    ],
)
def test_raw_data_of_a_detector_are_refused(path, elements):
    save(path, **elements)
    assert read_header(path).presentation_intent == "FOR PROCESSING"
    with pytest.raises(NoXRayError, match=r"FOR PROCESSING.*image FOR PRESENTATION of the same"):
        read_xray(path)
    assert read_xray(save(path, PresentationIntentType="FOR PRESENTATION")).shape == PIXELS.shape


@pytest.mark.parametrize(
    "elements",
    [
        *({"Modality": name} for name in ("CT", "MR", "MG", "KO", "SEG", "RTDOSE", "XA")),
        *({"Modality": name, "PixelData": None, "Rows": None} for name in ("SR", "PR", "DOC")),
        {"NumberOfFrames": 3},
        # An encapsulated PDF, as an X-ray department sends it.
        {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1", "PixelData": None, "Rows": None},
    ],
)
@pytest.mark.parametrize("views", ["frontal", "all"])
def test_what_is_sound_but_no_x_ray(path, elements, views):
    save(path, **elements)
    with pytest.raises(NoXRayError):
        read_xray(path)
    (record,) = read_records([str(path)], views)
    assert record.reason.startswith("this DICOM file holds no X-ray: ")
    assert str(path) not in record.reason


def test_what_is_unknown_or_broken_is_not_left_out(path, tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "a.png")
    broken = tmp_path / "broken.dcm"
    broken.write_bytes(save(path).read_bytes()[:300])
    records = read_records([str(path), str(tmp_path / "a.png"), str(broken), "gone.dcm"])
    assert [record.reason for record in records] == [""] * 4


# -- orientation ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("orientation", "expected"),
    [
        ("L\\F", PIXELS),
        ("R\\F", PIXELS[:, ::-1]),
        ("L\\H", PIXELS[::-1]),
        ("R\\H", PIXELS[::-1, ::-1]),
        ("F\\L", PIXELS.T),
        ("F\\R", PIXELS.T[:, ::-1]),
        ("H\\L", PIXELS.T[::-1]),
        ("H\\R", PIXELS.T[::-1, ::-1]),
        ("RF\\FL", PIXELS[:, ::-1]),
        ("RAF\\F", PIXELS[:, ::-1]),
        ("r\\f", PIXELS[:, ::-1]),
    ],
)
@pytest.mark.parametrize("view", ["PA", "AP", ""])
def test_a_frontal_image_is_brought_upright(path, orientation, expected, view):
    # These state what was done to the detector's pixels before they were stored.
    save(
        path,
        ViewPosition=view,
        PatientOrientation=orientation.split("\\"),
        FieldOfViewRotation=90,
        FieldOfViewHorizontalFlip="YES",
    )
    image = read_xray(path)
    np.testing.assert_array_equal(image, expected)
    assert image.flags.c_contiguous


@pytest.mark.parametrize(
    "orientation", [None, ["P", "F"], ["A", "H"], ["L"], ["Q", "F"], ["LE", "V"]]
)
def test_other_orientations_change_nothing(path, orientation):
    elements = {} if orientation is None else {"PatientOrientation": orientation}
    np.testing.assert_array_equal(read_xray(save(path, **elements)), PIXELS)


@pytest.mark.parametrize("view", ["RAO", "LPO"])
def test_oblique_images_stay_as_they_are(path, view):
    save(path, ViewPosition=view, PatientOrientation=["R", "F"])
    np.testing.assert_array_equal(read_xray(path), PIXELS)


@pytest.mark.parametrize(
    ("elements", "problem"),
    [
        ({"PatientOrientation": ["L", "L"]}, "names one axis twice"),
        ({"PatientOrientation": ["L", "R"]}, "names one axis twice"),
        ({"PatientOrientation": ["A", "F"], "ViewPosition": "PA"}, "not that of its view"),
        ({"PatientOrientation": ["R", "F"], "ViewPosition": "LL"}, "not that of its view"),
        ({"PatientOrientation": ["R", "F"], "SeriesDescription": "LAT"}, "not that of its view"),
        ({"PatientOrientation": ["R", "A"], "ViewPosition": "AP"}, "not that of its view"),
    ],
)
def test_contradictory_orientations_are_not_applied(path, elements, problem):
    save(path, **elements)
    with pytest.warns(HeaderWarning, match=rf"scan\.dcm: .*{problem}") as record:
        image = read_xray(path)
    np.testing.assert_array_equal(image, PIXELS)
    assert record[0].filename == __file__


# -- shutters -------------------------------------------------------------------------------------


def edges(left, right, upper, lower, kind="Shutter"):
    return {
        f"{kind}Shape": "RECTANGULAR",
        f"{kind}LeftVerticalEdge": left,
        f"{kind}RightVerticalEdge": right,
        f"{kind}UpperHorizontalEdge": upper,
        f"{kind}LowerHorizontalEdge": lower,
    }


def framed(pixels, value):
    """White or black beyond what edges(3, 15, 5, 20) show."""
    image = np.full_like(pixels, value)
    image[4:20, 2:15] = pixels[4:20, 2:15]
    return image


@pytest.mark.parametrize("kind", ["Shutter", "Collimator"])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_rectangle_is_cropped(path, kind, photometric):
    pixels = framed(PIXELS, 255) if kind == "Collimator" else PIXELS
    save(path, pixels=pixels, **edges(3, 15, 5, 20, kind), PhotometricInterpretation=photometric)
    expected = PIXELS[4:20, 2:15]
    expected = expected if photometric == "MONOCHROME2" else 255 - expected
    np.testing.assert_array_equal(read_xray(path), expected)


def test_edges_beyond_the_image_cut_nothing_off(path):
    save(path, **edges(-30, 5000, 0, 20))
    np.testing.assert_array_equal(read_xray(path), PIXELS[:20])
    save(path, **edges(-(2**30), 2**31 - 1, 0, 20))
    np.testing.assert_array_equal(read_xray(path), PIXELS[:20])


@pytest.mark.parametrize("signed", [False, True])
def test_a_collimator_is_applied_where_the_pixels_agree(path, signed):
    # The detector was exposed beyond these edges: as often, they are those of another matrix.
    values = PIXELS.astype(np.uint16) * 10 - 1000 * signed
    edges_of = edges(3, 15, 5, 20, "Collimator")
    save(path, pixels=values, PixelRepresentation=int(signed), **edges_of)
    assert read_xray(path).shape == PIXELS.shape
    save(path, pixels=framed(values, 2000), PixelRepresentation=int(signed), **edges_of)
    assert read_xray(path).shape == (16, 13)


def test_what_is_hidden_does_not_count_for_the_grey_values(path):
    values = PIXELS.astype(np.uint16) * 10
    save(path, pixels=framed(values, 60_000), **edges(3, 15, 5, 20))
    image = read_xray(path)
    assert image.min() == 0
    assert image.max() == 255
    assert len(np.unique(image)) > 100


def test_a_circle_is_cropped_and_black_around(path):
    save(
        path,
        ShutterShape="CIRCULAR",
        CenterOfCircularShutter=[12, 9],
        RadiusOfCircularShutter=6,
        ShutterPresentationValue=65535,
    )
    rows, columns = np.ogrid[1:24, 1:18]
    inside = (rows - 12) ** 2 + (columns - 9) ** 2 <= 36
    np.testing.assert_array_equal(read_xray(path), np.where(inside, PIXELS, 0)[5:18, 2:15])


def test_a_polygon_is_cropped_and_black_around(path):
    save(
        path,
        ShutterShape="POLYGONAL",
        VerticesOfThePolygonalShutter=[3, 2, 3, 14, 18, 14],
    )
    image = read_xray(path)
    assert image.shape == (16, 13)
    np.testing.assert_array_equal(image[0], PIXELS[2, 1:14])
    np.testing.assert_array_equal(image[:, -1], PIXELS[2:18, 13])
    assert not image[-1, :-2].any()
    assert not image[8, :4].any()


def test_of_several_shapes_the_overlap_is_shown(path):
    both = edges(3, 15, 5, 20) | {"ShutterShape": ["RECTANGULAR", "CIRCULAR"]}
    save(path, **both, CenterOfCircularShutter=[1, 1], RadiusOfCircularShutter=14)
    rows, columns = np.ogrid[1:24, 1:18]
    inside = (rows - 1) ** 2 + (columns - 1) ** 2 <= 14**2
    np.testing.assert_array_equal(read_xray(path), np.where(inside, PIXELS, 0)[4:14, 2:14])
    pixels = PIXELS.copy()
    pixels[:7] = pixels[:, 10:] = 255
    save(path, pixels=pixels, **edges(3, 15, 5, 20), **edges(1, 10, 8, 23, "Collimator"))
    np.testing.assert_array_equal(read_xray(path), PIXELS[7:20, 2:10])


def test_shutters_come_before_the_orientation(path):
    save(path, **edges(3, 15, 5, 20), PatientOrientation=["R", "F"])
    np.testing.assert_array_equal(read_xray(path), PIXELS[4:20, 2:15][:, ::-1])


@pytest.mark.parametrize(
    "elements",
    [
        edges(15, 3, 5, 20),
        edges(3, 15, 20, 5),
        edges(0, 0, 0, 0),
        edges(100, 200, 5, 20),
        edges(-9, -3, 5, 20),
        edges(3, 15, 2**30, 2**31 - 1),
        {"ShutterShape": "RECTANGULAR"},
        {"ShutterShape": "CIRCULAR"},
        {"ShutterShape": "CIRCULAR", "CenterOfCircularShutter": [9, 9]},
        {
            "ShutterShape": "CIRCULAR",
            "CenterOfCircularShutter": [9, 9],
            "RadiusOfCircularShutter": 0,
        },
        {
            "ShutterShape": "CIRCULAR",
            "CenterOfCircularShutter": [500, 9],
            "RadiusOfCircularShutter": 20,
        },
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [1, 2, 3, 4, 5]},
        {"ShutterShape": "POLYGONAL", "VerticesOfThePolygonalShutter": [90, 90, 90, 99, 99, 99]},
        {"ShutterShape": "BITMAP"},
        edges(3, 15, 5, 8)
        | {
            "ShutterShape": ["RECTANGULAR", "CIRCULAR"],
            "CenterOfCircularShutter": [20, 9],
            "RadiusOfCircularShutter": 4,
        },
        edges(3, 3, 5, 5),
    ],
)
def test_shutters_that_hide_everything_are_not_applied(path, elements):
    save(path, **elements)
    with pytest.warns(HeaderWarning, match=r"scan\.dcm: .*(is|are) not applied"):
        image = read_xray(path)
    np.testing.assert_array_equal(image, PIXELS)


@pytest.mark.parametrize(
    ("elements", "problem"),
    [
        ({"ShutterShape": "BITMAP"}, "a shutter of shape BITMAP is not supported"),
        ({"CollimatorShape": "BITMAP"}, "a collimator of shape BITMAP is not supported"),
        ({"ShutterShape": "DOE JANE"}, "a shutter of an unknown shape is not supported"),
        ({"ShutterShape": "RECTANGULAR"}, "a shutter lacks some of its edges"),
        (
            {"ShutterShape": "RECTANGULAR", "ShutterLeftVerticalEdge": 3},
            "a shutter lacks some of its edges",
        ),
        ({"CollimatorShape": "RECTANGULAR"}, "a collimator lacks some of its"),
        ({"ShutterShape": "CIRCULAR"}, "a shutter of a circle lacks its center or radius"),
        ({"ShutterShape": "POLYGONAL"}, "a shutter of a polygon lacks some of its vertices"),
        (edges(15, 3, 5, 20), "a shutter of straight edges hides all of the image"),
        (edges(3, 15, 2**30, 2**31 - 1), "a shutter of straight edges hides all of the image"),
        (edges(100, 200, 5, 20), "a shutter of straight edges hides all of the image"),
    ],
)
def test_a_shutter_hides_all_only_where_that_is_true(path, elements, problem):
    with pytest.warns(HeaderWarning, match=rf"{problem}.* and is not applied") as record:
        image = read_xray(save(path, **elements))
    np.testing.assert_array_equal(image, PIXELS)
    text = str(record[0].message)
    assert ("hides all" in text) == ("hides all" in problem)
    assert "DOE" not in text


def test_an_edge_that_is_no_number_is_none(path):
    # Four digits in the file become letters.
    whole = save(path, **edges(3, 15, 5, 2000)).read_bytes()
    assert whole.count(b"2000") == 1
    path.write_bytes(whole.replace(b"2000", b"JANE"))
    with pytest.warns(HeaderWarning, match="lacks some of its edges") as record:
        np.testing.assert_array_equal(read_xray(path), PIXELS)
    assert "JANE" not in str(record[0].message)


def test_one_impossible_shape_does_not_undo_another(path):
    both = edges(3, 15, 5, 20) | {"ShutterShape": ["RECTANGULAR", "CIRCULAR"]}
    with pytest.warns(HeaderWarning, match="of a circle"):
        image = read_xray(save(path, **both))
    np.testing.assert_array_equal(image, PIXELS[4:20, 2:15])


def test_a_header_is_read_from_memory_too():
    file = io.BytesIO()
    save(file, PatientOrientation=["R", "F"])
    for source in (file, file.getvalue(), bytearray(file.getvalue())):
        assert read_header(source).orientation == ("R", "F")
    cut = file.getvalue()[:250]
    with pytest.raises(ImageReadError, match=r"^<bytes in memory>: ") as caught:
        read_header(cut)
    assert len(str(caught.value)) < 200
    np.testing.assert_array_equal(read_xray(file.getvalue()), PIXELS[:, ::-1])
