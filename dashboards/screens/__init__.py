"""One file a page; Streamlit runs them as scripts.

The folder is not called `pages`: Streamlit would run its files without the frame where a link leads straight to one.
"""
