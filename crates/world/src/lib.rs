//! World files to scenarios, with errors that point at the text.
