"""A notebook runs a benchmark and shows what came of it."""

import warnings

import nbformat
import pytest
from nbclient import NotebookClient

RUN = """
import xbench
small = {
    "dataset": {"train": 160, "test": 40},
    "training": {"epochs": 1},
    "protocol": {"images": 20},
}
result = xbench.run("default", limit=4, parameters=small, device="cpu")
"""
CELLS = (
    RUN,
    "result",
    "result.to_frame('arrow').num_rows",
    "xbench.components('explainer')",
    "result.figure().savefig(FILE)",
    "xbench.run('defualt')",
)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """The outputs of each cell, after the notebook ran in a kernel of its own."""
    folder = tmp_path_factory.mktemp("notebook")
    file = repr(str(folder / "figure.png"))
    sources = [f"import os; os.environ['XBENCH_HOME'] = {str(folder)!r}"]
    sources += [cell.replace("FILE", file) for cell in CELLS]
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of Jupyter's own
        client = NotebookClient(notebook, timeout=300, kernel_name="python3", allow_errors=True)
        client.execute()
    nbformat.write(notebook, folder / "run.ipynb")
    assert (folder / "figure.png").is_file()
    return [cell.outputs for cell in notebook.cells[1:]]


def shown(outputs, kind="text/html"):
    """What the outputs of a cell are as this kind."""
    return "\n".join(one["data"].get(kind, "") for one in outputs if "data" in one)


@pytest.mark.slow
def test_a_run_shows_its_progress_in_one_place_and_leaves_no_bars(outputs):
    (progress,) = [one for one in outputs[0] if one.output_type == "display_data"]
    assert "<progress" not in progress["data"]["text/html"]
    assert not [one for one in outputs[0] if one.get("name") == "stderr"]


@pytest.mark.slow
def test_a_result_shows_its_tables_and_a_short_text(outputs):
    html, text = shown(outputs[1]), shown(outputs[1], "text/plain")
    assert html.count("<details") >= 2
    assert "random pair, random region" in html
    assert text.startswith("RunResult of default: 7 entries, 4 cases")
    assert int(shown(outputs[2], "text/plain")) > 7


@pytest.mark.slow
def test_components_are_a_table_and_mistakes_are_errors_of_ours(outputs):
    assert "<code>grad-cam</code>" in shown(outputs[3])
    (error,) = outputs[5]
    assert error["ename"] == "UnknownNameError"
    assert "did you mean 'default'" in error["evalue"]
