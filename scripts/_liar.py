"""Run the rows through a proxy that tells one lie at a time; see scripts/rows."""

import argparse
import sys

import pytest

from kubemq_nb.broker import launcher
from tests.rows.liar import Liar
from tests.rows.lies import Lie, lies
from tests.rows.proxy import Proxy


def tell(table: list[Lie], arguments: list[str]) -> Liar:
    """Run the tests of the rows that these lies name, on an embedded broker behind the proxy."""
    broker = launcher.launch()
    try:
        with Proxy(broker.address, broker.token_file.read_text().strip()).running() as proxy:
            liar = Liar(proxy, table, say=lambda text: print(text, flush=True))
            options = [
                "-o",
                "addopts=",
                "-p",
                "no:terminal",
                "--timeout=30",
                "--embedded",
                f"--address={proxy.address}",
            ]
            code = pytest.main([*options, "tests", *arguments], plugins=[liar])
            if code == pytest.ExitCode.USAGE_ERROR or not liar.ran:
                raise SystemExit(f"no test ran ({code!r})")
            return liar
    finally:
        broker.stop()


def main() -> int:
    """1 when a lie is believed, has no row, or a row fails without one."""
    parser = argparse.ArgumentParser(prog="scripts/rows --liar")
    parser.add_argument("--match", default="", help="only lies whose words contain this")
    chosen, rest = parser.parse_known_args()
    table = [lie for lie in lies() if chosen.match in lie.name]
    liar = tell(table, rest)
    caught = len(liar.told) - len(liar.believed)
    print(f"\n{caught} of {len(table)} lies are caught by every row that must fail")
    problems = [f"fails without a lie: {test}" for test in liar.honest]
    problems += [f"was not told: {lie.name}" for lie in table if lie not in liar.told]
    problems += [f"has no row: {lie.name}" for lie in table if not lie.rows]
    problems += [f"believed by {' '.join(ids)}: {lie.name}" for lie, ids in liar.believed]
    print("\n".join(problems) or "every test passes when nobody lies")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
