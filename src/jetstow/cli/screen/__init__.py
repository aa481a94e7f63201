"""What the full-screen commands have in common, with textual (`jetstow[console]`)."""
