import json

from benchmarks import captioning


def test_captioning(capsys):
    arguments = ["--size", "tiny", "--tokens", "4", "--rounds", "1", "--batch-size", "2"]
    assert captioning.main(arguments) == 0
    result = json.loads(capsys.readouterr().out.strip().splitlines()[-1])
    assert result["setting"]["tokens"] == 4
    once, twice = result["rows"]
    assert once["baseline_name"] == "uncached"
    assert once["reached"] == (once["ratio"] >= captioning.TARGET)
    assert twice["reached"] == (twice["ratio"] >= captioning.LINEAR)
