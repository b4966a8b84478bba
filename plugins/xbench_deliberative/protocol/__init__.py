"""The part-ambiguity protocol: ground truth, rows, scores, floors and ceiling."""
