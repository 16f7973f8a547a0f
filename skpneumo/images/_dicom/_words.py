"""View and body part in the words and codes of a header; the words themselves are not returned."""

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
    "ABDOMEN": r"ABDOMEN|ABDOME|ABD|ADDOME|BAUCH|KUB|\w*腹(?![卧臥])\w*",
    "PELVIS": r"PELVIS|PELVE|BACIA|BASSIN|BECKEN|BACINO",
    "RIB": r"RIBS?|COSTELAS?|COSTILLAS?|COTES|RIPPEN|COSTE",
    "STERNUM": r"STERNUM|ESTERNON?|ESTERNO",
    "CLAVICLE": r"CLAVICLES?|CLAVICULAS?|CLAVICULES?|SCHLUSSELBEIN",
    "SCAPULA": r"SCAPULA|ESCAPULA|OMOPLATE|SCHULTERBLATT",
    "SHOULDER": r"SHOULDERS?|OMBROS?|HOMBROS?|EPAULES?|SCHULTER|SPALLA",
    "ARM": r"(?<![CU] )ARM|UPPERARM|HUMERUS|UMERO|HUMERO|BRACO|BRAZO|OBERARM",
    "ELBOW": r"ELBOWS?|COTOVELOS?|CODOS?|COUDES?|ELLBOGEN|GOMITO",
    "FOREARM": r"FOREARM|ANTEBRACO|ANTEBRAZO|AVANT BRAS|UNTERARM|RADIUS|ULNA",
    "WRIST": r"WRISTS?|PUNHOS?|MUNECAS?|POIGNETS?|HANDGELENK|POLSO",
    "HAND": r"HANDS?|HANDE|MAO|MAOS|MANOS?|MAINS|^MAIN$|MAIN (D|G|DROITE|GAUCHE)"
    r"|\w*手(?![术術持动動法工])\w*",
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
# Names of the chest that are written without a space before or after.
_CHEST_IN = re.compile(r"CHEST|THORAX|TORAX|TORACE|POITRINE|BRUSTKORB|CXR")
# How a patient or a device is held names limbs that are no part of the picture.
_RAISED = (
    r"UP|DOWN|RAISED|ELEVATED|LOWERED|ABOVE|OVER ?HEAD|FORWARD|ROLLED|BEHIND|CROSSED|ALONGSIDE"
    r"|(?:AT|BY) (?:THE |HIS |HER )?SIDES?|ON (?:THE )?(?:HIPS?|HEAD|WAIST)|FIRST|HELD"
    r"|PARA CIMA|NA CINTURA|(?:E?LEVAN?T|ELEV|ERGUI|CRUZ|ALZ)[AI]?D[AO]S?|ARRIBA|ABAJO|EN ALTO"
    r"|LEVEE?S?|EN L AIR|HOCH|OBEN|UNTEN|ALZAT[AEIO]|IN ALTO"
)
_POSTURES = re.compile(
    r"\b(?:"
    r"(?:ARMS?|HANDS?|ELBOWS?|SHOULDERS?|NECK|HEAD|CHIN|FACE|LEGS?|KNEES?|FOOT|FEET|UPPER LIMBS?"
    r"|BRACOS?|BRAZOS?|BRAS|MAOS?|MANOS?|MAINS?|CABECA|CABEZA|ARME?|HANDE?|KOPF|BRACCI[AO]?|MANI)"
    rf" (?:{_RAISED})"
    r"|(?:RAISED|LIFTED) (?:ARMS?|HANDS?)|HAND (?:BAG\w*|INJECT\w*|CARRIED)|BY HANDS?"
    r"|(?:ARMS?|NECK) (?:EXTENDED|FLEXED|OUT|ABDUCTED|BOARDS?|BANDS?|COLLAR|BRACE)|HIP SPICA"
    r"|HANDS? (?:RESTRAINTS?|FREE)|(?:HELD|HOLDING) (?:BY|IN) (?:\w+ )?(?:S )?HANDS?"
    r"|(?:MOTHER|FATHER|PARENT)S? (?:S )?HANDS?|(?:MIT|CON|COM|ON) MAMA(?: S)?|O ARM"
    # "RX de pie derecho" is one of a foot.
    r"|(?:EM|DE|EN|A) (?:PE|PIE|PIED|PIES)(?! (?:DER|DIR|DRO|IZQ|ESQ|GAU)\w*)|IN PIEDI"
    r"|ON (?:THE |HER |HIS |BOTH )?FEET"
    r"|(?:PIE|PIES|PIED|PE|PIEDI) D(?:E|A|O|U|EL) (?:LA |LE )?(?:CAMA|LIT|LEITO|LETTO)"
    r"|FOOT (?:OF|END)|FOOT SIDE"
    # Pulmonary embolism.
    r"|(?:R O|RULE OUT|EXCLUDE|QUERY|SUSPECTED|FOR|ACUTE) PE|PE PROTOCOL"
    r")\b|双手\w{0,1}(?:举|抱头)|雙手\w{0,1}(?:舉|抱頭)"
)
_VIEWS = {
    "PA": re.compile(r"\b(?:PA|P A|POSTERO ?ANTERIOR\w*|\w*[后後]前位\w*)\b"),
    "AP": re.compile(r"\b(?:AP|A P|ANTERO ?POSTERIOR\w*|\w*前[后後]位\w*)\b"),
    "FRONTAL": re.compile(r"\b(?:FRONTAL\w*|FRENTE|FACE|\w*正[侧側]?[位面]\w*)\b"),
    "LATERAL": re.compile(
        r"\b(?:LAT|(?<!BI )(?<!UNI )(?<!CONTRA )(?<!IPSI )LATERAL(?:ES?)?|[LR] ?LAT|LL|L L|RL"
        r"|LATERO ?LATERAL\w*|PROFIL|PERFIL|SEITLICH\w*|SEITL|\w*(?<![双雙两兩患健])[侧側][位面]\w*"
        # The second of two views in one letter: "AP y L", "PA/P".
        r"|(?<=AP )(?:[YEU] |ET |UND |AND )?[LP]|(?<=PA )(?:[YEU] |ET |UND |AND )?[LP])\b"
    ),
    "OBLIQUE": re.compile(
        r"\b(?:OBLIQ\w*|OBLIC\w*|OBL|[LR]AO|[LR]PO|[LR]LO|SCHRAG\w*|\w*斜位\w*)\b"
    ),
}
# A patient who lies on a side is seen from the front.
_DECUBITUS = re.compile(
    r"\b(?:(?:LAT\w*|[LR] ?LAT|[LR]L?) )?(?:DECUB|RECUMB)\w*(?: (?:L|R|LEFT|RIGHT))?(?: LAT\w*)?\b"
    r"|\b[LR]LD\b|\bLAT\w* DEC\b"
    r"|\b\w*SEITE?N?LAGE\w*\b"
)
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
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
    >>> view_in_words("left lateral decubitus"), view_in_words("ThoraxAP")
    (set(), {'AP'})
    """
    text = _CHEST_IN.sub(" CHEST ", plain_words(_INNER_CAPITAL.sub(" ", text)))
    # Chinese words and numbers stand beside Latin ones without a space.
    text = " ".join(re.findall(r"[A-Z]+|[0-9]+|[^\W\dA-Z]+", text))
    text = _DECUBITUS.sub(" ", _POSTURES.sub(" ", text))
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
    >>> part_in_words("Hand und Thorax"), part_in_words("AP de pie"), part_in_words("Series 1")
    ('', '', '')
    """
    found = _parts(text)
    if "CHEST" in found:
        return "CHEST" if _TRUNK.issuperset(found) else ""
    return found[0] if found else ""


def part_in_descriptions(texts):
    """The body part that some descriptions of one image name, the nearest to the image first.

    Any of them that names the chest keeps another from naming another part: a wrong word would
    leave a chest X-ray out.

    Examples
    --------
    >>> from skpneumo.images._dicom._words import part_in_descriptions
    >>> part_in_descriptions(["Hand", "RX TORAX"]), part_in_descriptions(["Hand", "Polytrauma"])
    ('CHEST', 'HAND')
    """
    parts = [part for part in map(part_in_words, texts) if part]
    if "CHEST" in parts:
        return "CHEST"
    if any("CHEST" in _parts(text) for text in texts):
        return ""
    return parts[0] if parts else ""


def _parts(text):
    """All body parts that a text names."""
    text = _POSTURES.sub(" ", plain_words(text))
    found = [part for part, words in _PARTS.items() if words.search(text)]
    return ["CHEST", *found] if _CHEST_IN.search(text) else found
