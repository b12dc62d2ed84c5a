"""How mini was made: one command a stage, from published weights and photos to the shipped files.

`python -m fourm.training --help` lists the stages in their order; nothing else imports this.
"""
