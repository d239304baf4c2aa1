"""What people read: tables, Markdown, JUnit, HTML; no statistics are computed here."""
