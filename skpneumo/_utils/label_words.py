"""Whether a label looks positive or negative by its words."""

import re
import unicodedata


def _listed(text):
    return tuple(text.split())


# Beginnings of words, without accents, in English, German, French, Spanish, Portuguese, Italian,
# Dutch, Polish and Russian, and Chinese and Japanese in script and romanized.
_POSITIVE = _listed(
    """
    pneumon neumon polmonit pulmonia longontsteking lungenentzund zapalen пневмон
    肺炎 폐렴 feiyan haien
    infect infekt infett infiziert geinfect zakaz зараж 感染
    positi pozyt poloz полож 阳性 陽性 yangxing yousei
    abnorm anorm anomal auffall afwijk pathol patol патол 异常 異常 yichang ijou
    affect betroffen befallen atteint afect afet aangedaan aangetast colpit
    presen vorhanden aanwezig obecn
    diseas sick krank erkrankt malad enferm doen malat ziek chor больн 病 患
    opaci verschatt consolid infiltr lesion effusion edema oedema nodul atelecta fibros emphysem
    pneumothora cardiomegal cancer carcin tumo malign fractur tubercul
    covid corona sars bacteri bakteri virus viral viraal fung symptomat suspect detected
    """
)
_NEGATIVE = _listed(
    """
    normal normaal норм 正常 정상 zhengchang seijou seijo
    health gesund sain saudav saludabl gezond zdrow здоров 健康 健常 jiankang kenkou
    negati negaty отриц 阴性 陰性 음성 yinxing insei
    control kontrol testigo temoin controle контрол
    absen absent ausen assen abwes afwez 無し なし
    benign unremarkabl clear
    """
)
_POSITIVE_WORDS = _listed(
    "yes y ja oui si sim tak да 是 有 true t wahr vrai verdadero vero pos ill case cases patient "
    "patients finding findings tb tbc vorhanden"
)
_NEGATIVE_WORDS = _listed(
    "n nein nee nej нет 否 false f falsch faux falso neg none nil null well wnl ok clean free sano "
    "sana sanos sanas sani sane nothing nichts rien nada niente"
)
# These turn what follows, or stand for the negative alone.
_NEGATORS = _listed(
    "no non not without un kein keine keinen nicht ohne sans pas aucun aucune sin ningun ninguna "
    "sem nao nenhum nenhuma senza nessun nessuna geen niet zonder ingen utan uden bez brak nie не "
    "без 无 無 非 未 不"
)
_NEGATING_PREFIXES = ("non", "not", "nicht", "no", "un", "in", "ab", "an", "a")
_NEGATING_CHARACTERS = ("无", "無", "非", "未", "不")
_STATUS = ("negati", "absen", "ausen", "assen", "afwez", "free", "false", "阴性", "陰性", "なし")
_CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")
_MIN_LETTERS = 3


def _words(label):
    text = _CAMEL_CASE.sub(" ", str(label))
    text = unicodedata.normalize("NFKD", text)
    text = "".join(letter for letter in text if not unicodedata.combining(letter)).casefold()
    return re.findall(r"[^\W\d_]+|\d+", unicodedata.normalize("NFC", text))


def _sign_of_word(word):
    """1 for a word that looks positive, -1 for one that looks negative, 0 for any other."""
    if word in _NEGATIVE_WORDS or word in _NEGATORS:
        return -1
    if word in _POSITIVE_WORDS:
        return 1
    if word.endswith(_STATUS) or word.startswith(_NEGATIVE):
        return -1
    if word.startswith(_POSITIVE):
        return 1
    for prefix in (*_NEGATING_PREFIXES, *_NEGATING_CHARACTERS):
        rest = word.removeprefix(prefix)
        is_long = len(rest) >= _MIN_LETTERS or not rest.isascii()
        if len(rest) < len(word) and is_long and (sign := _sign_of_word(rest)):
            return -sign
    return 0


def _sign(words):
    """Sign of all words of a label; 0 if they contradict each other or mean nothing."""
    plain = [word for word in words if word not in _NEGATORS]
    signs = {_sign_of_word(word) for word in plain} - {0}
    if len(signs) == 2 and any(word.startswith(_STATUS) for word in plain):
        signs = {-1}  # "pneumonia negative"
    sign = signs.pop() if len(signs) == 1 else 0
    if len(plain) == len(words):
        return sign
    return -sign or -1


def _negates(words, others):
    """Whether a label is another one with a prefix that turns it."""
    text, other = "".join(words), "".join(others)
    return len(other) >= _MIN_LETTERS and any(
        text == prefix + other for prefix in ("un", "in", "ab", "non", "no", "not")
    )


def _is_number(label, values):
    try:
        return float(label) in values
    except (TypeError, ValueError):
        return False


def label_sign(label):
    """1 for a label that looks positive, -1 for one that looks negative, 0 for any other."""
    return _sign(_words(label))


def label_signs(first, second):
    """Which of two labels look positive or negative.

    Parameters
    ----------
    first, second : label
        The labels.

    Returns
    -------
    signs : tuple of (int, int)
        1 for a label that looks positive, -1 for one that looks negative, 0 for any other.

    Examples
    --------
    >>> from skpneumo._utils.label_words import label_signs
    >>> label_signs("NORMAL", "PNEUMONIA")
    (-1, 1)
    >>> label_signs("affected", "unaffected")
    (1, -1)
    """
    if _is_number(first, (-1, 0)) and _is_number(second, (1,)):
        return -1, 1
    words, others = _words(first), _words(second)
    # "class 0" and "class 1", "pneumonia absent" and "pneumonia present": what differs counts.
    differing = (
        [word for word in words if word not in others],
        [word for word in others if word not in words],
    )
    if all(differing):
        words, others = differing
        if words == ["0"] and others == ["1"]:
            return -1, 1
    signs = _sign(words), _sign(others)
    return signs if any(signs) else _signs_of_negation(words, others)


def _signs_of_negation(words, others):
    """Signs of two unknown labels of which one may be the other with a prefix."""
    # What deviates, as in "abnormal", is positive; what lacks something is negative.
    if _negates(words, others):
        return (1, -1) if words[0].startswith("ab") else (-1, 1)
    if _negates(others, words):
        return (-1, 1) if others[0].startswith("ab") else (1, -1)
    return 0, 0
