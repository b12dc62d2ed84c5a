import pickle

import pytest

from fourm import BadInput, FourmError
from retrieval import QueryError, RetrievalError
from retrieval.queries import Query


@pytest.mark.parametrize("error", [FourmError, BadInput, RetrievalError, QueryError])
def test_an_error_has_its_place_and_its_reason_as_fields(error):
    placed, bare = error("not JSON", where="query.json"), error("not JSON")
    assert (placed.where, placed.reason) == ("query.json", "not JSON")
    assert str(placed) == "query.json: not JSON"
    assert (bare.where, bare.reason, str(bare)) == (None, "not JSON", "not JSON")
    again = pickle.loads(pickle.dumps(placed))
    assert (again.where, again.reason, str(again)) == (placed.where, placed.reason, str(placed))


def test_a_reader_who_knows_the_place_is_told_the_rest():
    assert QueryError("cut short", where="a.png").within("a.png") == "cut short"
    assert QueryError("no pose", where="a.json: person 2").within("a.json") == "person 2: no pose"
    assert QueryError("no pose").within("a.json") == "no pose"


def test_a_query_input_that_cannot_be_read_is_the_place(tmp_path):
    with pytest.raises(QueryError) as caught:
        Query.read(image=tmp_path / "none.png")
    assert caught.value.where == str(tmp_path / "none.png")
    assert caught.value.reason == "no such file"
