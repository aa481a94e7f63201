"""Measure jetstow, other clients and a plain socket. See README.md."""
