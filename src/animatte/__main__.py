"""`python -m animatte`, for where the command itself is not on the path."""

from animatte.cli import main

main()
