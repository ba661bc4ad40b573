//! What a text may hold, as the field reference and overrides see it; [`shape!`](crate::shape!) and
//! [`choice!`](crate::choice!) make it.

/// What a value of the file looks like.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Something written as a string, by what it is: "power", "name".
    Text(&'static str),
    /// Something written without quotes, or in one of several ways.
    Bare(&'static str),
    /// Named fields in parentheses.
    Struct(Struct),
    /// One of several variants.
    Choice(Choice),
    /// `{"name": value}`.
    Map(fn() -> Kind),
    /// `[value, ...]`.
    List(fn() -> Kind),
    /// What somebody else defines, such as the settings of a plugin, by what it is.
    Any(&'static str),
}

/// Named fields in parentheses.
#[derive(Debug, Clone)]
pub struct Struct {
    /// What it is called in the reference.
    pub name: &'static str,
    /// Its documentation, line by line.
    pub docs: &'static [&'static str],
    /// Its fields, in order.
    pub fields: Vec<Field>,
}

/// One field of a [`Struct`].
#[derive(Debug, Clone)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// Its documentation, line by line.
    pub docs: &'static [&'static str],
    /// What its value looks like.
    pub kind: fn() -> Kind,
    /// Whether it must be given.
    pub required: bool,
    /// Its default, or where it is required an example.
    pub sample: &'static str,
}

/// One of several variants.
#[derive(Debug, Clone)]
pub struct Choice {
    /// What it is called in the reference.
    pub name: &'static str,
    /// Its documentation, line by line.
    pub docs: &'static [&'static str],
    /// Its variants, in order.
    pub variants: Vec<Variant>,
    /// What may stand there without a variant's name.
    pub bare: Option<&'static str>,
    /// The fields that may stand there in parentheses without a variant's name.
    pub bare_fields: Option<fn() -> Kind>,
}

/// One variant of a [`Choice`].
#[derive(Debug, Clone)]
pub struct Variant {
    /// Its name.
    pub name: &'static str,
    /// Its documentation, line by line.
    pub docs: &'static [&'static str],
    /// What follows the name.
    pub payload: Payload,
}

/// What follows the name of a [`Variant`].
#[derive(Debug, Clone, Copy)]
pub enum Payload {
    /// Nothing.
    Unit,
    /// One value in parentheses.
    Newtype(fn() -> Kind),
    /// Named fields in parentheses.
    Fields(fn() -> Kind),
}

impl Kind {
    /// A word for it, with the name of the section that describes it where there is one.
    pub fn label(&self) -> String {
        match self {
            Self::Text(what) | Self::Bare(what) | Self::Any(what) => (*what).to_owned(),
            Self::Struct(Struct { name, .. }) | Self::Choice(Choice { name, .. }) => {
                (*name).to_owned()
            }
            Self::Map(value) => format!("{{name: {}}}", value().label()),
            Self::List(item) => format!("[{}]", item().label()),
        }
    }

    /// The label with its article: "an energy".
    pub fn article_label(&self) -> String {
        with_article(&self.label())
    }
}

/// `word` with "a" or "an" before it.
pub fn with_article(word: &str) -> String {
    let article = if word.starts_with(['a', 'e', 'i', 'o']) { "an" } else { "a" };
    format!("{article} {word}")
}
