"""How the tests are shared out when several processes run them (`--dist loadfile`; see scripts/test)."""

from xdist.scheduler import LoadScopeScheduling


class ByFile(LoadScopeScheduling):
    """A file stays in one process, whose fixtures are made once; so do all that share a JupyterLab."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "browser" if file.startswith("tests/browser/") else file
