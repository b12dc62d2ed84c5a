"""How mini was made, from published weights and photos to the shipped files.

`python -m recipes.mini --help` lists the stages in their order.
"""
