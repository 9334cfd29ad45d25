"""What the options of the broker's command mean for its store."""

import argparse
import asyncio

import pytest

from kubemq_nb.broker import command, server


class Opened(Exception):
    """The broker was made."""


@pytest.mark.parametrize(
    ("flags", "flushed"),
    [(["--leash", "1"], False), (["--until-left"], True), ([], True)],
    ids=["private", "shared", "foreground"],
)
def test_only_the_store_that_goes_with_its_kernel_is_not_flushed(monkeypatch, tmp_path, flags, flushed):
    def opened(store, *, quota, flushed):
        raise Opened(store, quota, flushed)

    monkeypatch.setattr(server, "Broker", opened)
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    options = parser.parse_args(["--store", str(tmp_path), "--no-auth", "--quota", "7", *flags])

    with pytest.raises(Opened) as caught:
        asyncio.run(command.serve(options, lock=0))

    assert caught.value.args == (tmp_path, 7 * 2**20, flushed)
