"""Files that people write: read strictly, with every fault told at its line and field."""
