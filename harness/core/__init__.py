"""Records and protocols that every other room speaks in; standard library only."""
