"""`python -m xbench` is the command `xbench`."""

from xbench.cli import main

if __name__ == "__main__":
    main()
