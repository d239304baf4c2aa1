"""How far one checkpoint's answers depend on what should not matter: one measure a file, arrays in, numbers out."""
