import json

from benchmarks import spaces


def test_spaces(capsys):
    arguments = ["--size", "tiny", "--rounds", "1", "--batch-size", "2"]
    assert spaces.main(arguments) == 0
    result = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert result["setting"]["batch"] == 2
    single, two, all_, apart = result["rows"]
    assert single["what"] == all_["what"] == "dinov2 + imagebind + clip"
    assert two["reached"] == (two["ratio"] <= spaces.TARGET)
    assert all_["reached"] is None
    assert apart["baseline_name"] == "three calls"
