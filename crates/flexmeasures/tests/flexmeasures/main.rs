//! Tests of the library as its users see it.

mod cases;
mod checker;
