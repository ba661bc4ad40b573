//! The uncontrolled policy as a plugin.
