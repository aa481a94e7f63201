"""One program per client. Each runs one job in its own process; see `serve`."""
