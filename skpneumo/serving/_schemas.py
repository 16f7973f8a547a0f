"""What the JSON API takes and returns."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from skpneumo.serving._words import NOTICE

Probability = Field(ge=0, le=1)


class Problem(BaseModel):
    """Why a request was refused."""

    detail: str


class Prediction(BaseModel):
    """The answer for one file."""

    file: str = Field(description="Name of the file as it was sent, without folders.")
    outcome: Literal["predicted", "out of distribution", "left out", "unreadable"]
    reason: str | None = Field(description="Why there is no prediction.")
    probability: float | None = Field(description="As predict_proba of the library returns it.")
    label: str | None = Field(description="As predict of the library returns it.")
    triage: str | None = Field(description="As predict_triage returns it, if the model has it.")
    outlier_score: float | None = Field(description="Above 1: out of distribution.")
    warnings: list[str] = Field(description="What was odd about the file.")
    patient: str | None = Field(
        description="The same for files of one patient, and another one in every run."
    )
    headline: str
    sentences: list[str]


class Predictions(BaseModel):
    """The answers for the files of one request, in their order."""

    predictions: list[Prediction]
    positive: str
    threshold: float
    rule_in_threshold: float | None
    notice: str = NOTICE


class Reference(BaseModel):
    """Scores that the model was made with."""

    edges: list[float] = Field(description="Of bars, in log odds.")
    negative: list[float]
    positive: list[float]
    n_negative: int
    n_positive: int
    recall: float
    specificity: float


class ModelFacts(BaseModel):
    """The model."""

    skpneumo_version: str
    name: str
    fingerprint: str
    classes: list[str]
    positive: str
    threshold: float
    rule_in_threshold: float | None
    threshold_description: str
    certified_metric: str | None
    certified_value: float | None
    is_certified_at_site: bool
    has_outlier_detector: bool
    has_heatmaps: bool
    reference: Reference | None
    notice: str = NOTICE


class Health(BaseModel):
    """Whether the server can answer."""

    status: Literal["starting", "ready"]
    n_waiting: int = Field(description="Requests that wait for the model or use it.")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Scored(_Strict):
    """An X-ray that was predicted before."""

    file: str = Field(max_length=4096, default="")
    probability: float = Probability
    patient: str | None = Field(max_length=256, default=None)
    label: str | None = Field(max_length=256, default=None)


class ScoredImages(_Strict):
    """X-rays that were predicted before."""

    images: list[Scored] = Field(max_length=100_000)


class SiteCheckResult(BaseModel):
    """Whether the scores of a site are those that the model was made with."""

    shift: Literal["none", "prevalence", "population"]
    headline: str
    meaning: str
    advice: str
    summary: str
    rows: list[tuple[str, str]]
    edges: list[float]
    site: list[float]
    negative: list[float]
    positive: list[float]


class FolderRow(BaseModel):
    """A file of the folder."""

    row: int
    path: str = Field(description="Within the folder.")
    label: str | None = Field(description="By the names of its folders.")
    prediction: Prediction


class FolderProgress(BaseModel):
    """The files of the folder that are predicted so far."""

    n_files: int
    n_done: int
    rows: list[FolderRow]
    site_check: SiteCheckResult | None
    site_note: str | None


class ReadingStart(_Strict):
    """How a reading list begins."""

    min_recall: float = Field(gt=0, lt=1, default=0.95)
    confidence: float = Field(gt=0, lt=1, default=0.95)
    n_readers: Literal[1, 2] = 1


class Reading(_Strict):
    """What a reader sees in an image."""

    reader: str = Field(min_length=1, max_length=40, pattern=r"\S")
    row: int = Field(ge=0, le=2**31)
    label: Literal["negative", "positive", "unsure"]
    is_third: bool = False


class ReadingResult(BaseModel):
    """What a finished reading list certifies."""

    is_certified: bool
    threshold: float | None
    description: str
    recall_lower_bound: float
    n_labelled: int
    n_images: int
    specificity: float | None
    specificity_interval: tuple[float, float] | None
    model_file: str | None


class ReadingState(BaseModel):
    """Where a reading list stands, for one reader."""

    is_begun: bool
    n_images: int
    min_recall: float | None = None
    confidence: float | None = None
    n_readers: int | None = None
    readers: list[str] = []
    plan: str | None = None
    n_read_by_me: int = 0
    n_labelled: int = 0
    n_remaining: int | None = None
    n_disagreements: int = 0
    row: int | None = Field(default=None, description="The image to be read next.")
    label: str | None = Field(default=None, description="What this reader saw in it before.")
    waiting_for: str | None = None
    result: ReadingResult | None = None
