import numpy as np
import pytest

from fourm.checks import as_array, finite, finite_numbers
from fourm.errors import BadInput
from fourm.messages import shown


@pytest.mark.parametrize("value", [3, 2.5, np.float32(2.5), np.int64(3), np.float64(-1)])
def test_numbers_of_python_and_numpy(value):
    assert finite(value, "x") == float(value)
    assert finite_numbers([value, value], "x", 2) == (float(value),) * 2


@pytest.mark.parametrize(
    "value", [True, np.bool_(1), None, "3", 3j, float("nan"), np.inf, 10**400, [3], np.ones(1)]
)
def test_what_is_not_a_finite_number(value):
    with pytest.raises(BadInput, match="size must be a finite number"):
        finite(value, "size")
    with pytest.raises(BadInput, match="size"):
        finite_numbers([1, value], "size", 2)


@pytest.mark.parametrize("values", ["12", b"12", None, 12, {1, 2}, {1: 2, 3: 4}, [1], (1, 2, 3)])
def test_what_is_not_a_pair_of_numbers(values):
    with pytest.raises(BadInput, match="size must be 2 numbers"):
        finite_numbers(values, "size", 2)
    assert finite_numbers(np.array([1, 2]), "size", 2) == (1.0, 2.0)


def test_rows_of_different_lengths():
    with pytest.raises(BadInput, match="a map must be an array"):
        as_array([[1, 2], [3]], "a map")


def test_messages_stay_short():
    for value in (list(range(1000)), "x" * 1000, 10**5000, [10**5000]):
        assert len(shown(value)) <= 60
