//! The field reference `worlds/README.md`, written from the types that read world files.
//!
//! So it cannot say anything that the reader does not do.
