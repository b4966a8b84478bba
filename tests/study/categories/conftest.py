"""Small studies, served to visitors within the test."""

import pytest

from study_visitor import Served
from tiny_study import write_study


@pytest.fixture
def serving(tmp_path):
    """A study that is served: `pages` go to the application, all else to `write_study`."""
    served = []

    def serve(pages=None, **tables):
        study = write_study(tmp_path / f"study-{len(served)}", **tables)
        served.append(Served(study, options=pages or {}))
        return served[-1]

    yield serve
    for of in served:
        of.book.close()
