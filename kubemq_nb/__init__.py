"""Explore the KubeMQ message broker from Jupyter and IPython."""

__version__ = "0.1.0"
