"""The engine room: not public, and free to change."""
