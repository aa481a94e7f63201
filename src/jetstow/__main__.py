"""`python -m jetstow`."""

from jetstow.cli import main

main()
