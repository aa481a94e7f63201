"""The parts of `jetstow browse`: listings, previews, transfers and its screen."""
