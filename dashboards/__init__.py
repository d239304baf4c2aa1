"""The dashboard over a store: four thin pages on top of harness.report's queries and figures."""
