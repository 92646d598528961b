"""How fast and how large: see CONTRIBUTING.md."""
