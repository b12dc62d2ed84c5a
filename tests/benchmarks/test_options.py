import pytest

from benchmarks import captioning, gpu, official_size, precision, spaces

COUNTS = {
    captioning: ("--tokens", "--rounds", "--batch-size"),
    gpu: ("--repeats", "--rounds", "--batch-size"),
    official_size: ("--threads", "--rounds", "--batch-size"),
    precision: ("--samples",),
    spaces: ("--rounds", "--batch-size"),
}


@pytest.mark.parametrize("number", ["0", "-1", "4097", "2.5", "many"])
@pytest.mark.parametrize(
    ("benchmark", "option"),
    [(module, option) for module, options in COUNTS.items() for option in options],
)
def test_numbers_out_of_range_are_refused(benchmark, option, number, capsys):
    with pytest.raises(SystemExit) as caught:
        benchmark.main([option, number])
    assert caught.value.code == 2
    assert f"argument {option}: must be an integer from 1 to" in capsys.readouterr().err
