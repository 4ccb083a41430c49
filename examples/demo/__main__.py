"""`python -m examples.demo run|verify --scenario promote|forgetful|regression|pandalm`."""

from __future__ import annotations

import argparse
import sys

from examples.demo.settings import Scenario, Settings


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("command", choices=["run", "verify"])
    parser.add_argument("--scenario", type=Scenario, choices=list(Scenario), default=Scenario.PROMOTE)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    settings = Settings(scenario=arguments.scenario, seed=arguments.seed)
    if arguments.command == "verify":
        from examples.demo.verify import verify

        return verify(settings)
    from examples.demo.drive import drive

    return drive(settings)


if __name__ == "__main__":
    sys.exit(main())
