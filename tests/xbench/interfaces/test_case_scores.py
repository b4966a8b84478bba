"""Scores of cases: what a protocol cannot mean is refused."""

import re

import numpy as np
import pytest

from xbench.errors import PluginError
from xbench.interfaces.protocol import CaseScores

CASES, VALUES = np.array(["test/1"], object), np.ones(1)


@pytest.mark.parametrize("decides", [{"headline": True}, {"ranking": True}])
def test_a_score_without_a_direction_decides_nothing(decides):
    CaseScores("alike", "none", CASES, VALUES, ranking=False)
    said = "score 'alike' decides comparisons and has no direction; say which values are better"
    with pytest.raises(PluginError, match=re.escape(said)):
        CaseScores("alike", "none", CASES, VALUES, **decides)
