"""`python -m wamtrail` is the command."""

from wamtrail.main import run

run()
