//! What the texts of one program have in common beyond their shapes.

/// How a program's texts are spoken of, and what its values need to be read.
///
/// The type that implements it is handed to every [`Read`](crate::Read) as
/// [`Report::dialect`](crate::Report::dialect), so it may carry what values depend on, such as the
/// version of the text. As a parameter of `Read` it lets a program say how types of other crates,
/// such as quantities, stand in its texts.
pub trait Dialect {
    /// What the whole text is called where a message has no path to name.
    const WHOLE: &'static str = "the text";
    /// How a text is written at its outermost: the help where it is no RON and nothing better can
    /// be said.
    const FORM: &'static str = "a text is written as `(name: value, ...)`";
    /// A path to a value, for the help of an override with a broken one.
    const PATH: &'static str = "path.to.name";
    /// An override, for the help of one that is none.
    const OVERRIDE: &'static str = "name=1";

    /// The help where a value of this variant stands in a field that takes none of its kind, though
    /// other fields do; `None` for every other variant.
    fn misplaced(_variant: &str) -> Option<&'static str> {
        None
    }
}

/// A dialect of which nothing more is to be said.
#[derive(Debug, Clone, Copy, Default)]
pub struct Plain;

impl Dialect for Plain {}
