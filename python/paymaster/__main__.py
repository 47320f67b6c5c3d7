"""``python -m paymaster`` is the ``paymaster`` command; ``torchrun -m paymaster train ...`` starts one a rank.

``--include`` and ``--cmake-dir`` print where the C++ headers and the CMake package are. Builds ask for them, so they
are answered here, without what the commands import.
"""

import sys
from pathlib import Path

_FOLDERS = {"--include": "include", "--cmake-dir": "cmake"}  # of the installed package


def main() -> int:
    """Run the command with this process's arguments; return the exit status."""
    if len(sys.argv) == 2 and sys.argv[1] in _FOLDERS:
        return _print_folder(sys.argv[1])
    from paymaster.commands.main import main as command

    return command()


def _print_folder(option: str) -> int:
    folder = Path(__file__).resolve().parent / _FOLDERS[option]
    if not folder.is_dir():
        print(f"paymaster: error: {option}: expected an installed package, got no {folder}", file=sys.stderr)
        return 2
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
