"""What `lobdeck train` reads: one TOML file; an unknown name is refused with the nearest known one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, Strict, ValidationError

from app.config_sources import ConfigError, file_layer, hint, printable
from pipeline.core.params import MS
from pipeline.research.dense_fit import NetOptions
from pipeline.research.learners import LearnerOptions, TreeOptions
from pipeline.research.package import PackageOptions
from pipeline.research.targets import TargetKind
from pipeline.research.training import TrainingPlan
from pipeline.research.walk_forward import FoldPlan
from pipeline.research.window_fit import WindowOptions

WALK_FORWARD = "walk-forward"
WHY_NOT_SHUFFLED = (
    "rows 100 ms apart share their outcome, so a shuffled split tests on what was learned: the same trees "
    "score an area of .977 shuffled and .725 walk-forward"
)


def _walk_forward(value: object) -> object:
    if value != WALK_FORWARD:
        raise ValueError(f'"{WALK_FORWARD}"; {WHY_NOT_SHUFFLED}')
    return value


def _not_shuffled(value: object) -> object:
    if value is not False:
        raise ValueError(f"false; {WHY_NOT_SHUFFLED}")
    return value


Whole = Annotated[int, Strict()]
Count = Annotated[Whole, Field(ge=1, le=1_000_000)]
Number = Annotated[float, Field(ge=0, le=1e9, allow_inf_nan=False)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class FoldSettings(_Table):
    """How the time of the rows is cut."""

    count: Annotated[Whole, Field(ge=1, le=50)] = 4
    """Tests, one after the other."""
    first_train_share: Annotated[float, Field(gt=0, lt=1)] = 0.35
    """Share of the time before the first test."""
    embargo_ms: Annotated[Whole, Field(ge=0, le=3_600_000)] = 1_000
    """Least time from the end of a training label to the first test row."""
    split: Annotated[str, BeforeValidator(_walk_forward)] = WALK_FORWARD
    """There is no other; whoever asks for one is told why."""
    shuffle: Annotated[bool, BeforeValidator(_not_shuffled)] = False
    """Never true; here so that who asks for it is told why."""


class MlpSettings(_Table):
    """Shape and pace of the network."""

    hidden: Annotated[tuple[Annotated[Whole, Field(ge=1, le=1024)], ...], Field(max_length=8)] = (16,)
    """Width of each hidden layer."""
    epochs: Count = 20
    """Times each row is seen."""
    batch: Count = 256
    """Rows a step."""
    rate: Annotated[float, Field(gt=0, le=1)] = 0.003
    """Size of a step."""
    decay: Number = 0.001
    """Pull of every weight towards 0."""


class TreeSettings(_Table):
    """How gradient boosting grows."""

    rounds: Annotated[Whole, Field(ge=1, le=5_000)] = 120
    """Trees."""
    leaves: Annotated[Whole, Field(ge=2, le=1_024)] = 15
    """Most leaves a tree."""
    rate: Annotated[float, Field(gt=0, le=1)] = 0.05
    """What each tree adds of what it found."""
    ridge: Number = 20.0
    """Pull of every leaf towards 0."""
    least_rows: Count = 100
    """Rows a leaf must hold."""


class WindowSettings(_Table):
    """The network over several rows."""

    rows: Literal[2, 4, 8, 16, 32, 64] = 8
    """Read at once: the decision's own and those of the grid before it."""
    channels: Annotated[Whole, Field(ge=1, le=256)] = 8
    """Width of each convolution."""
    epochs: Count = 4
    """Times each row is seen."""
    batch: Count = 256
    """Rows a step."""
    rate: Annotated[float, Field(gt=0, le=1)] = 0.002
    """Size of a step."""
    decay: Number = 0.02
    """Pull of every weight towards 0."""


class TrainSettings(_Table):
    """One training."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
    """Of the model: a-z, 0-9 and `-`, at most 40."""
    dataset: str
    """Folder; from the configuration's own folder where it is not absolute."""
    version: Annotated[Whole, Field(ge=1, le=10**9)] = 1
    """Of the model in the registry; another model wants another one."""
    features: tuple[str, ...] = ()
    """Empty: all of the dataset."""
    horizon_ms: Annotated[Whole, Field(ge=1, le=600_000)] = 1_000
    """From the label's first price to its last; any, not only those the dataset was built with."""
    target: TargetKind = TargetKind.DIRECTION
    """Direction given a move, three classes of the mid, what a taker would get, or the first barrier."""
    learner: Literal["logistic", "mlp", "trees", "window"] = "logistic"
    """Trees want the `train` extra, the network over a window of rows the `torch` extra."""
    mirror: Annotated[bool, Strict()] = True
    """Learn from each row and its mirror; all but trees are then symmetric by construction."""
    seed: Annotated[Whole, Field(ge=0, le=2**31)] = 1
    """Of everything that is drawn."""
    ridge: Number = 100.0
    """Pull of each weight of the logistic towards 0, in rows that say nothing."""
    ridges: dict[str, Number] = {}
    """The same for single features, by name."""
    calibration: Literal["temperature", "none"] = "temperature"
    """From out-of-sample answers, inside the graph; no offset."""
    expires_at: Annotated[str, Field(pattern=r"^(\d{4}-\d\d-\d\d)?$")] = ""
    """Last day of use, `YYYY-MM-DD`; empty never."""
    author: str = ""
    """For the manifest."""
    notes: str = ""
    """For the manifest."""
    parent_model_id: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    """Model this one replaces."""
    folds: FoldSettings = FoldSettings()
    mlp: MlpSettings = MlpSettings()
    trees: TreeSettings = TreeSettings()
    window: WindowSettings = WindowSettings()

    @property
    def digest(self) -> str:
        """Give the sha256 of every setting in force but the place of the dataset, defaults too."""
        settings = self.model_dump(mode="json", exclude={"dataset"})
        return hashlib.sha256(msgspec.json.encode(settings, order="sorted")).hexdigest()


def read_train_settings(path: Path) -> TrainSettings:
    """Read a training's file.

    Raises:
        ConfigError: it cannot be read, or a setting is unknown or wrong; one line names file and setting.
    """
    tree = file_layer(path).tree
    try:
        return TrainSettings(**tree)
    except ValidationError as error:
        faults = sorted(error.errors(), key=lambda fault: fault["type"] != "extra_forbidden")
        fault = faults[0]
        at = tuple(str(part) for part in fault["loc"])
        raise ConfigError(f"{path}: {printable('.'.join(at))}: {_said(fault['type'], fault, at)}") from None


def plan_of(settings: TrainSettings, features: tuple[str, ...]) -> TrainingPlan:
    """Give what is learned; `features` are the dataset's, used where none are named.

    Raises:
        ConfigError: a single ridge is of no feature that is used.
    """
    used = settings.features or features
    for name in settings.ridges:
        if name not in used:
            raise ConfigError(f"ridges.{name}: no feature of this model{hint(name, dict.fromkeys(used))}")
    return TrainingPlan(
        name=settings.name,
        features=used,
        horizon_ms=settings.horizon_ms,
        kind=settings.target,
        learner=LearnerOptions(
            kind=settings.learner,
            mirror=settings.mirror,
            seed=settings.seed,
            ridge=settings.ridge,
            ridges=settings.ridges,
            net=NetOptions(**settings.mlp.model_dump()),
            trees=TreeOptions(**settings.trees.model_dump()),
            window=WindowOptions(**settings.window.model_dump()),
        ),
        folds=FoldPlan(
            settings.folds.count, settings.folds.first_train_share, settings.folds.embargo_ms * MS
        ),
        calibrate=settings.calibration == "temperature",
    )


def package_options(settings: TrainSettings) -> PackageOptions:
    """Give what people decided about the file."""
    return PackageOptions(
        version=settings.version,
        expires_at=settings.expires_at,
        author=settings.author,
        notes=settings.notes,
        parent_model_id=settings.parent_model_id,
        config_sha256=settings.digest,
    )


def _said(kind: str, fault: object, at: tuple[str, ...]) -> str:
    assert isinstance(fault, dict)
    match kind:
        case "extra_forbidden":
            return f"unknown setting{hint(at[-1], _known(at[:-1]))}"
        case "missing":
            return "missing, and it has no default"
        case _:
            wanted = str(fault["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
            return f"found {printable(fault['input'])}, wanted {wanted}"


def _known(tables: tuple[str, ...]) -> dict[str, object]:
    model: type[BaseModel] = TrainSettings
    for name in tables:
        inner = model.model_fields[name].annotation if name in model.model_fields else None
        model = inner if isinstance(inner, type) and issubclass(inner, BaseModel) else model
    return dict(model.model_fields)
