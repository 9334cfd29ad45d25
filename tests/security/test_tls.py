"""TLS and mutual TLS: what works, and six ways in which it does not, each told in a line of its own."""

import os
import subprocess
import sys

import pytest

import kubemq_nb
from kubemq_nb.client.connection import Connection
from kubemq_nb.errors import BrokerUnavailable

pytestmark = pytest.mark.embedded_only

# Name: server, what the client gives, what it is told.
FAILURES = {
    "wrong CA": (
        "tls",
        ("other_ca",),
        "its certificate is not signed by the given CA. Give --ca the certificate of the authority that did.",
    ),
    "expired": ("expired", ("ca",), "its certificate has expired. The server needs a new one."),
    "wrong name": (
        "elsewhere",
        ("ca",),
        "its certificate is for another name. Connect by a name that it is for, or give it as --server-name.",
    ),
    "no client certificate": (
        "mutual",
        ("ca",),
        (
            "it closed the connection, as a server does that wants a certificate of the client."
            " Give --cert and --key."
        ),
    ),
    "in clear to TLS": (
        "tls",
        (),
        (
            "it closed the connection, as a server does that speaks TLS only."
            " Give --tls, or --ca for an authority of its own."
        ),
    ),
    "TLS in clear": ("plain", ("ca",), "it does not speak TLS. Leave out --tls, --ca, --cert and --key."),
    "another's client certificate": (
        "mutual",
        ("ca", "stranger"),
        (
            "it closed the connection, as a server does that refuses the client's certificate."
            " Is it out of date, or of another authority?"
        ),
    ),
}


def given(files, names):
    """The arguments of `connect` for these files."""
    options = {}
    for name in names:
        found = getattr(files, name)
        options |= {"cert": found.cert, "key": found.key} if hasattr(found, "key") else {"ca": found}
    return options


def exchange(kq, channel):
    """One message each way over calls, a stream and a subscription."""
    feed = kq.events.receive(channel, live=True)
    kq.events.send(channel, "event")
    assert feed.wait(count=1, timeout=10)
    kq.queues.send(channel, "queued")
    return list(kq.queues.receive(channel)["body"]) + list(feed.df["body"])


@pytest.mark.rows("M-40")
@pytest.mark.parametrize(
    ("server", "names", "access"),
    [
        ("tls", ("ca",), "no token, TLS"),
        ("tls", ("ca", "client"), "no token, TLS, client certificate"),
        ("mutual", ("ca", "client"), "no token, TLS, client certificate"),
    ],
)
def test_over_tls_everything_works_as_without(files, servers, channel, server, names, access):
    with kubemq_nb.connect(getattr(servers, server), **given(files, names)) as kq:
        assert exchange(kq, channel) == [b"queued", b"event"]
        assert kq.status()["access"].tolist() == [access]


def test_a_name_is_as_good_as_an_address(files, servers, channel):
    port = servers.tls.rpartition(":")[2]

    with kubemq_nb.connect(f"localhost:{port}", ca=files.ca) as kq:
        assert exchange(kq, channel) == [b"queued", b"event"]


def test_a_public_certificate_needs_no_file_of_its_authority(files, servers, channel, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(files.ca))  # as if the system trusted it

    with kubemq_nb.connect(servers.tls, tls=True) as kq:
        assert exchange(kq, channel) == [b"queued", b"event"]
        assert kq.status()["access"].tolist() == ["no token, TLS"]


def test_an_authority_that_the_system_does_not_trust_is_told(servers):
    told = "its certificate is not signed by an authority that this system trusts. Give --ca"

    with pytest.raises(BrokerUnavailable, match=told):
        kubemq_nb.connect(servers.tls, tls=True)


def test_a_certificate_for_another_name_is_taken_by_that_name(files, servers, shell, channel):
    line = f"connect {servers.elsewhere} --ca {files.ca} --server-name elsewhere.example"

    shell.run_cell(f"%kubemq {line}").raise_error()

    assert exchange(shell.user_ns["kq"], channel) == [b"queued", b"event"]
    with pytest.raises(BrokerUnavailable, match="its certificate is for another name"):
        kubemq_nb.connect(servers.elsewhere, ca=files.ca, server_name="nowhere.example")


def test_a_server_name_without_tls_is_refused():
    with pytest.raises(ValueError, match=r"A server name is for TLS: give --tls or --ca\."):
        kubemq_nb.connect("127.0.0.1:50000", server_name="elsewhere.example")


@pytest.mark.rows("M-40")
def test_the_magic_connects_over_mutual_tls(files, servers, shell, channel):
    line = f"connect {servers.mutual} --ca {files.ca} --cert {files.client.cert} --key {files.client.key}"

    for cell in (f"%kubemq {line}", f"%kubemq queues send {channel} hello"):
        shell.run_cell(cell).raise_error()

    assert exchange(shell.user_ns["kq"], f"{channel}.more") == [b"queued", b"event"]


@pytest.mark.rows("M-40")
@pytest.mark.parametrize("failure", FAILURES)
def test_each_failure_is_told_in_a_line_of_its_own(files, servers, failure):
    server, names, told = FAILURES[failure]
    address = getattr(servers, server)

    with pytest.raises(BrokerUnavailable) as caught:
        kubemq_nb.connect(address, **given(files, names))

    assert str(caught.value) == f"No connection to {address}: {told}"


def test_a_send_that_fails_over_tls_says_that_nothing_was_sent(files, servers):
    from kubemq_nb.client.queues import QueuesClient
    from kubemq_nb.messages import QueueMessage

    connection = Connection(servers.plain, ca=files.ca)
    with pytest.raises(
        BrokerUnavailable, match=r"Leave out --tls, --ca, --cert and --key\. Nothing was sent\.$"
    ):
        QueuesClient(connection).send(QueueMessage(channel="a", body=b"x", client_id="me"))
    connection.close()


@pytest.mark.parametrize("failure", FAILURES)
def test_the_magic_says_the_same(files, servers, shell, failure, capsys):
    server, names, told = FAILURES[failure]
    address = getattr(servers, server)
    options = " ".join(f"--{name} {path}" for name, path in given(files, names).items())

    shell.run_cell(f"%kubemq connect {address} {options}")

    assert capsys.readouterr().out.splitlines() == [f"BrokerUnavailable: No connection to {address}: {told}"]


FAILING = """
import os, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("load_ext", "kubemq_nb")
for line in sys.stdin:
    shell.run_cell(f"%kubemq connect {line}")
shell.run_cell("import os; os.environ.get('GRPC_VERBOSITY')")
"""


@pytest.mark.parametrize(("chosen", "lines"), [(None, False), ("info", True)])
def test_a_cell_shows_nothing_of_grpcs_own_log_unless_somebody_asked_for_it(files, servers, chosen, lines):
    """In a process of its own: gRPC looks at the variable once, when it is imported."""
    options = (
        [getattr(servers, server), *(f"--{name} {path}" for name, path in given(files, names).items())]
        for server, names, _ in FAILURES.values()
    )

    done = subprocess.run(
        [sys.executable, "-c", FAILING],
        input="\n".join(" ".join(each) for each in options),
        env=os.environ | ({"GRPC_VERBOSITY": chosen} if chosen else {}),
        capture_output=True,
        text=True,
        check=True,
    )

    errors = [
        line for line in done.stdout.splitlines() if line.startswith("BrokerUnavailable: No connection")
    ]
    assert len(errors) == len(FAILURES)
    assert ("ssl_transport_security" in done.stderr) is lines
    assert lines or done.stderr == ""
    assert done.stdout.rstrip().endswith("'info'") is lines  # the variable is left as it was


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("cert",), "A certificate and its key are two files: give both --cert and --key."),
        (("key",), "A certificate and its key are two files: give both --cert and --key."),
        (("cert", "stranger_key"), "{stranger_key} is not the key of {cert}."),
        (
            ("key_as_cert", "key"),
            "{key} and {key} are not a certificate and its key (PEM, the key without a password).",
        ),
        (("nothing_as_ca",), "{nothing} cannot be read: No such file or directory."),
        (("key_as_ca",), "{key} holds no certificate (PEM) of an authority."),
    ],
)
def test_files_that_are_not_what_they_should_be_are_named_before_anything_is_sent(files, given, told):
    paths = {
        "cert": files.client.cert,
        "key": files.client.key,
        "stranger_key": files.stranger.key,
        "nothing": files.folder / "nothing",
    }
    options = {
        name.rpartition("_")[2]: paths[name.removesuffix("_as_cert").removesuffix("_as_ca")] for name in given
    }

    with pytest.raises(ValueError) as caught:
        kubemq_nb.connect("127.0.0.1:50000", **options)

    assert str(caught.value) == told.format(**paths)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--cert",), "A certificate and its key are two files: give both --cert and --key."),
        (("--ca",), "--ca asks clients for certificates, which takes TLS: give --cert and --key too."),
        (("--cert", "--stranger-key"), "{other} is not the key of {cert}."),
    ],
)
def test_a_broker_does_not_start_with_half_of_what_tls_needs(files, tmp_path, given, told):
    paths = {"--cert": files.server.cert, "--ca": files.ca, "--stranger-key": files.stranger.key}
    options = [part for name in given for part in (name.replace("stranger-", ""), paths[name])]

    done = subprocess.run(
        [sys.executable, "-m", "kubemq_nb", "broker", "--store", tmp_path, *options],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == told.format(other=files.stranger.key, cert=files.server.cert) + "\n"


def test_a_key_that_others_may_read_is_a_warning_on_both_sides(files, serve, tmp_path, caplog):
    key = tmp_path / "open.key"
    key.write_bytes(files.server.key.read_bytes())
    key.chmod(0o640)
    told = f"{key} can be read by others on this machine; `chmod 600 {key}` keeps it yours."

    server = serve("--no-auth", "--cert", files.server.cert, "--key", key)
    kubemq_nb.connect(server.address, ca=files.ca, cert=files.server.cert, key=key, name="open").close()

    assert [record.getMessage() for record in caplog.records] == [told]
    assert server.process.stderr.readline() == f"WARNING: {told}\n"


def test_a_key_that_is_the_owners_alone_is_none(files, servers, caplog):
    kubemq_nb.connect(servers.mutual, **given(files, ("ca", "client"))).close()

    assert caplog.records == []
