"""Internal packages, without compatibility promises. See CONTRIBUTING.md for their layers."""
