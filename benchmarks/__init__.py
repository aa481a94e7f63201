"""How fast jetstow is, beside other clients and beside a bare socket. See README.md."""
