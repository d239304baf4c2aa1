"""Files that people write: read with the place of every value, checked with errors that name line and field."""
