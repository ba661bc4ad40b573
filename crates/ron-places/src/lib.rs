#![doc = include_str!("../README.md")]

pub mod declare;
mod dialect;
mod document;
mod excerpt;
mod node;
mod problem;
pub mod read;
pub mod reference;
pub mod shape;
mod splice;
mod syntax;

pub use dialect::{Dialect, Plain};
pub use document::{Document, Place, Report, Spliced};
pub use node::{Key, Node};
pub use problem::{Problem, Problems, meant, suggest};
pub use read::{Named, Read, Spanned, Try, read};
pub use splice::{Override, refused, splice};
