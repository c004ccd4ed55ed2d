"""`python -m somos.cli`."""

from somos.cli import main

main(prog_name="somos")
