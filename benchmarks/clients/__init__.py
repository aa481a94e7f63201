"""One program a client. Each does one job in a process of its own; `serve` tells how."""
