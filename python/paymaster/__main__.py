"""``python -m paymaster`` is the ``paymaster`` command; ``torchrun -m paymaster train ...`` starts one a rank."""

import sys

from paymaster.commands.main import main

if __name__ == "__main__":
    sys.exit(main())
