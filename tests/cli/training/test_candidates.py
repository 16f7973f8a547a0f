"""The candidates of a search, for tables and JSON."""

import json

import numpy as np

from skpneumo.cli._training._candidates import list_candidates
from skpneumo.cli._training._search import METRICS


def test_candidates_hold_the_results_of_the_search():
    cv_results = {
        "params": [
            {"a__threshold": t, "a__class_weight": {"NORMAL": 1, "PNEUMONIA": w}}
            for w in (1, 4)
            for t in (0.2, 0.6)
        ]
    }
    rng = np.random.default_rng(0)
    for name in METRICS:
        cv_results |= {f"{kind}_test_{name}": rng.random(4) for kind in ("mean", "std")}
    candidates = list_candidates(cv_results)
    assert [(one["class_weight"], one["threshold"]) for one in candidates] == [
        *((1, 0.2), (1, 0.6)),
        *((4, 0.2), (4, 0.6)),
    ]
    for name in METRICS:
        for kind in ("mean", "std"):
            values = [candidate[name][kind] for candidate in candidates]
            assert values == cv_results[f"{kind}_test_{name}"].tolist()
    assert json.loads(json.dumps(candidates)) == candidates
