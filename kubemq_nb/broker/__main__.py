"""`python -m kubemq_nb.broker`: run a broker in the foreground."""

import sys

from kubemq_nb.broker.command import main

if __name__ == "__main__":
    sys.exit(main())
