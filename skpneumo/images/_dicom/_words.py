"""View and body part in the words and codes of a header; the words themselves are not kept."""

import re
import unicodedata

# Which part of the chest's surroundings may be in the same picture.
_TRUNK = {"CHEST", "ABDOMEN", "NECK", "PELVIS", "RIB"}
# By body part, in the order in which the first one found counts: English, Portuguese, Spanish,
# French, German, Italian and Chinese words, without accents.
_PARTS = {
    "CHEST": r"\w*CHEST\w*|\w*T(H)?ORAX|CXR|TORACE|POITRINE|BRUSTKORB|HEART|LUNG(S|E|EN)?"
    r"|PULMON(ES)?|PULMAO|PULMOES|POUMONS?|POLMON[EI]|MEDIASTINUM|BABYGRAM|\w*胸(?!椎)\w*",
    "SPINE": r"[CTL]?SPINE|\w*椎\w*|COLUMNA|COLUNA|RACHIS|\w*WIRBELSAULE|[HBL]WS|LUMBAR|CERVICAL",
    "ABDOMEN": r"ABDOMEN|ABDOME|ABD|ADDOME|BAUCH|KUB|\w*腹\w*",
    "PELVIS": r"PELVIS|PELVE|BACIA|BASSIN|BECKEN|BACINO",
    "RIB": r"RIBS?|COSTELAS?|COSTILLAS?|COTES|RIPPEN|COSTE",
    "STERNUM": r"STERNUM|ESTERNON?|ESTERNO",
    "CLAVICLE": r"CLAVICLES?|CLAVICULAS?|CLAVICULES?|SCHLUSSELBEIN",
    "SCAPULA": r"SCAPULA|ESCAPULA|OMOPLATE|SCHULTERBLATT",
    "SHOULDER": r"SHOULDERS?|OMBROS?|HOMBROS?|EPAULES?|SCHULTER|SPALLA",
    "ARM": r"(?<!C )ARM|UPPERARM|HUMERUS|UMERO|HUMERO|BRACO|BRAZO|OBERARM",
    "ELBOW": r"ELBOWS?|COTOVELOS?|CODOS?|COUDES?|ELLBOGEN|GOMITO",
    "FOREARM": r"FOREARM|ANTEBRACO|ANTEBRAZO|AVANT BRAS|UNTERARM|RADIUS|ULNA",
    "WRIST": r"WRISTS?|PUNHOS?|MUNECAS?|POIGNETS?|HANDGELENK|POLSO",
    "HAND": r"HANDS?|HANDE|MAO|MAOS|MANOS?|MAINS|^MAIN$|MAIN (D|G|DROITE|GAUCHE)|\w*手\w*",
    "FINGER": r"FINGERS?|DEDOS? DA MAO|DOIGTS?|THUMB|POLEGAR|PULGAR|DAUMEN",
    "HIP": r"HIPS?|QUADRIL|CADERAS?|HANCHES?|HUFTE|ANCA",
    "LEG": r"LEG|THIGH|FEMUR|TIBIA|FIBULA|PERNA|PIERNA|JAMBE|UNTERSCHENKEL|OBERSCHENKEL|COXA",
    "KNEE": r"KNEES?|JOELHOS?|RODILLAS?|GENOUX?|KNIE|GINOCCHIO|PATELLA",
    "ANKLE": r"ANKLES?|TORNOZELOS?|TOBILLOS?|CHEVILLES?|SPRUNGGELENK|CAVIGLIA",
    "FOOT": r"FOOT|FEET|PES?|PIES?|PIEDS?|FUSS|FUSSE|PIEDE|CALCANEUS|HEEL|TOES?",
    "EXTREMITY": r"EXTREMITY|UPPER LIMB|LOWER LIMB|EXTREMIDADE|EXTREMIDAD|EXTREMITAT",
    "SKULL": r"SKULL|^HEAD$|CRANIO|CRANEO|CRANE|SCHADEL|KOPF|CABECA|CABEZA|SINUS(ES)?|FACE BONES?"
    r"|NNH|ORBITS?|MANDIBLE|JAW|NASAL BONES?",
    "NECK": r"NECK|PESCOCO|CUELLO|COU|HALS|COLLO",
    "BREAST": r"BREAST|MAMA|MAMMA",
}
_PARTS = {part: re.compile(rf"\b(?:{words})\b") for part, words in _PARTS.items()}
# Standard names that are written without a space between their words.
_CHEST_IN = re.compile(r"CHEST|THORAX|TORAX")
_VIEWS = {
    "PA": re.compile(r"\b(?:PA|P A|POSTERO ?ANTERIOR\w*)\b"),
    "AP": re.compile(r"\b(?:AP|A P|ANTERO ?POSTERIOR\w*)\b"),
    "FRONTAL": re.compile(r"\b(?:FRONTAL\w*|DE FRENTE|FACE|\w*正位\w*)\b"),
    "LATERAL": re.compile(
        r"\b(?:LAT|LATERAL|LATERALES?|[LR] ?LAT|LL|L L|RL|LATERO ?LATERAL\w*|PROFIL|PERFIL|SEITLICH"
        r"|SEITL|\w*[侧側]位?\w*)\b"
    ),
    "OBLIQUE": re.compile(
        r"\b(?:OBLIQ\w*|OBLIC\w*|OBL|[LR]AO|[LR]PO|[LR]LO|SCHRAG\w*|\w*斜位\w*)\b"
    ),
}
# A patient who lies on a side is seen from the front.
_DECUBITUS = re.compile(
    r"\b(?:LAT\w*|[LR] ?LAT|[LR]L)? ?(?:DECUB\w*)(?: ?LAT\w*)?\b|\b[LR]LD\b|\bSEITENLAGE\b"
)
# Codes of SNOMED, in both of the forms that files use: DICOM PS3.16, CID 4010 and CID 4009.
VIEW_CODES = {
    **dict.fromkeys(("272479007", "R-40888", "R-10214"), "PA"),
    **dict.fromkeys(("399348003", "R-10206"), "AP"),
    **dict.fromkeys(("399033003", "R-10202"), "FRONTAL"),
    **dict.fromkeys(("399067008", "R-102CD", "399198007", "R-10232"), "LATERAL"),
    **dict.fromkeys(("399173006", "R-10236", "30730003", "G-A145"), "LATERAL"),
    **dict.fromkeys(("399038007", "R-10210", "399006002", "R-10212"), "OBLIQUE"),
    **dict.fromkeys(("399135007", "R-10220", "399356000", "R-40985"), "OBLIQUE"),
    **dict.fromkeys(("399236003", "R-10234", "399184004", "R-10238"), "OBLIQUE"),
    **dict.fromkeys(("399059000", "R-10216", "399312000", "R-10208"), "OBLIQUE"),
    **dict.fromkeys(("399182000", "R-102C1", "399160007", "R-10204"), "OBLIQUE"),
}
PART_CODES = {
    **dict.fromkeys(("51185008", "816094009", "T-D3000", "416319003", "R-FAB54"), "CHEST"),
    **dict.fromkeys(("416550000", "R-FAB55", "417437006", "R-FAB52", "416152001"), "CHEST"),
    **dict.fromkeys(("R-FAB53", "416775004", "R-FAB56", "39607008", "T-28000"), "CHEST"),
    **dict.fromkeys(("80891009", "T-32000", "72410000", "T-D3300"), "CHEST"),
    **dict.fromkeys(("113345001", "818981001", "T-D4000", "818982008"), "ABDOMEN"),
    **dict.fromkeys(("122495006", "T-11502", "122496007", "T-11503"), "SPINE"),
    **dict.fromkeys(("122494005", "T-11501", "421060004", "T-D04FF"), "SPINE"),
    **dict.fromkeys(("12921003", "816092008", "T-D6000"), "PELVIS"),
    **dict.fromkeys(("85562004", "T-D8700"), "HAND"),
    **dict.fromkeys(("74670003", "T-15460"), "WRIST"),
    **dict.fromkeys(("56459004", "T-D9700"), "FOOT"),
    **dict.fromkeys(("72696002", "T-D9200"), "KNEE"),
    **dict.fromkeys(("89546000", "T-11100", "69536005", "T-D1100"), "SKULL"),
    **dict.fromkeys(("16982005", "T-D2220"), "SHOULDER"),
    **dict.fromkeys(("113197003", "T-11300"), "RIB"),
    **dict.fromkeys(("51299004", "T-12310"), "CLAVICLE"),
}


def plain_words(text):
    """Upper case, without accents; words are parted by single spaces.

    Examples
    --------
    >>> from skpneumo.images._dicom._words import plain_words
    >>> plain_words("Tórax p.a./lat")
    'TORAX PA LAT'
    """
    decomposed = unicodedata.normalize("NFKD", text)
    text = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).upper()
    text = re.sub(r"(?<=\b[AP])\.(?=[AP]\b)", "", text)
    return " ".join(re.findall(r"[^\W_]+", text))


def view_in_words(text):
    """The views that a text names: "PA", "AP", "LATERAL", "OBLIQUE", "FRONTAL".

    Examples
    --------
    >>> from skpneumo.images._dicom._words import view_in_words
    >>> sorted(view_in_words("Thorax seitl.")), sorted(view_in_words("CHEST PA/LAT"))
    (['LATERAL'], ['LATERAL', 'PA'])
    >>> view_in_words("left lateral decubitus")
    set()
    """
    text = _DECUBITUS.sub(" ", plain_words(text))
    return {view for view, words in _VIEWS.items() if words.search(text)}


def single_view(views):
    """The one view of some; "" for several, and for a frontal one of unknown direction.

    Examples
    --------
    >>> from skpneumo.images._dicom._words import single_view
    >>> single_view({"FRONTAL", "AP"}), single_view({"PA", "LATERAL"}), single_view({"FRONTAL"})
    ('AP', '', '')
    """
    if views <= {"FRONTAL", "PA", "AP"}:
        views = views - {"FRONTAL"}
    return next(iter(views)) if len(views) == 1 else ""


def part_in_words(text):
    """The body part that a text names: "CHEST" if that is in the picture, else another, or "".

    Examples
    --------
    >>> from skpneumo.images._dicom._words import part_in_words
    >>> part_in_words("RX TÓRAX"), part_in_words("CHESTABDOMEN"), part_in_words("Coluna torácica")
    ('CHEST', 'CHEST', 'SPINE')
    >>> part_in_words("Hand und Thorax"), part_in_words("Series 1")
    ('', '')
    """
    text = plain_words(text)
    found = [part for part, words in _PARTS.items() if words.search(text)]
    if "CHEST" in found or _CHEST_IN.search(text):
        return "CHEST" if _TRUNK.issuperset(found) else ""
    return found[0] if found else ""
