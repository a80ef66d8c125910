"""``python -m knownface``."""

from knownface.cli import main

if __name__ == "__main__":
    main()
