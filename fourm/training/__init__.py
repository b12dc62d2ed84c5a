"""How mini was made: one command a stage, from published weights and photos to the shipped files.

`python -m fourm.training --help` lists the stages in their order. Nothing that runs imports this;
benchmarks of recall read the same photos by `material`.
"""
