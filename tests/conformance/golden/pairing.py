"""Who goes with whom, where each of one side fits several of the other."""

from collections.abc import Sequence


def pairs(fits: Sequence[Sequence[bool]]) -> dict[int, int]:
    """As many pairs as there can be: row to column, each used once; `fits[row][column]` says which may."""
    row_of: dict[int, int] = {}

    def place(row: int, tried: set[int]) -> bool:
        for column, fit in enumerate(fits[row]):
            if fit and column not in tried:
                tried.add(column)
                if column not in row_of or place(row_of[column], tried):
                    row_of[column] = row
                    return True
        return False

    for row in range(len(fits)):
        place(row, set())
    return {row: column for column, row in row_of.items()}
