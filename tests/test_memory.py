"""Files larger than memory: what is sent from one and read into one passes through in parts."""

import sys

import pytest

from benchmarks import memory


@pytest.mark.embedded_only
@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell the peak of a process")
def test_a_file_is_sent_and_read_back_in_far_less_memory_than_it_has():
    found = memory.cost("jsonl", rows=1500, size=100_000)

    assert found.same
    assert found.data == 150
    assert found.sending < found.data / 2, found
    assert found.reading < found.data / 2, found
