"""The samples of `jetstow top`, and its forms: text, JSON and a screen."""
