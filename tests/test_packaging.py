"""What an installation declares, and what a page of packages shows of it."""

import re
import sys
from importlib.metadata import metadata, packages_distributions, requires, version

import kubemq_nb
from tests.source import imports, modules

NAME = re.compile(r"[\w-]+")
THEIRS = {
    found.name.partition(".")[0]
    for module in modules()
    for found in imports(module)
    if not found.typing and found.name.partition(".")[0] not in {*sys.stdlib_module_names, "kubemq_nb"}
}


def test_every_library_that_is_imported_is_declared():
    declared = {NAME.match(each)[0].lower() for each in requires("kubemq-nb")}
    brought = {name: {each.lower() for each in found} for name, found in packages_distributions().items()}

    assert {name for name in THEIRS if not brought[name] & declared} == set()


def test_the_version_is_the_one_that_the_package_tells():
    assert version("kubemq-nb") == kubemq_nb.__version__


def test_no_link_of_the_description_leads_to_a_file_beside_it():
    described = metadata("kubemq-nb")
    description = described["Description"] or described.get_payload()

    assert "%load_ext kubemq_nb" in description
    assert [link for link in re.findall(r"\]\(([^)]*)\)", description) if "://" not in link] == []
