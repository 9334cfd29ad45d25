"""No command is left out of the interrupts."""

from kubemq_nb.magics.commands import COMMANDS
from tests.campaign.interrupts import LINES


def test_every_command_says_whether_it_waits():
    assert [line.command for line in LINES] == [command.words for command in COMMANDS]
