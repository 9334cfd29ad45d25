"""The tour as a newcomer sees it: in JupyterLab, with its live table."""

from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import expect

TOUR = Path(__file__).parents[2] / "notebooks" / "00_tour.ipynb"


@pytest.mark.timeout(300)
def test_the_live_table_of_the_tour_is_there(open_notebook, tmp_path):
    notebook = open_notebook(beginning(tmp_path / TOUR.name, until="live.stop()"))

    table = notebook.page.locator(".jp-OutputArea-output .kq[aria-label='Live table of flights']").first
    table.wait_for(state="attached", timeout=200_000)
    table.scroll_into_view_if_needed()

    expect(table.get_by_role("row", name="UA").first).to_be_visible()
    expect(table.locator("dd", has_text="27,004")).to_be_visible()


def beginning(file, *, until):
    """The tour up to the cell that begins so; the rest of it is run without a browser."""
    tour = nbformat.read(TOUR, as_version=4)
    place = next(place for place, cell in enumerate(tour.cells) if cell.source.startswith(until))
    tour.cells = tour.cells[:place]
    nbformat.write(tour, file)
    return file
