//! What a policy is told of the world before anything is planned.

/// What there is to know of a world that does not change from slot to slot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct World {
    /// ISO 4217 code of all money.
    pub currency: String,
    /// The names of the world's own series, in the order in which an
    /// [`Observation`](crate::Observation) has them.
    pub series: Vec<String>,
    /// Whether units are scheduled in it.
    pub has_plant: bool,
}
