//! Numbers of cars, stays, chargers and sites: a type each, so that one is not taken for another.
//!
//! All of them are rows of columns, from 0. Slots are plain numbers: they are counted with and
//! ranged over wherever there is a series.

use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident)*) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, bytemuck::Pod, bytemuck::Zeroable,
        )]
        #[serde(transparent)]
        #[repr(transparent)]
        pub struct $name(pub u32);

        impl $name {
            /// The row of columns that holds it.
            pub fn row(self) -> usize {
                self.0 as usize
            }
        }

        impl From<u32> for $name {
            fn from(number: u32) -> Self {
                Self(number)
            }
        }

        impl From<$name> for u32 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        // As plain numbers are shown: hashes of worlds are made of what is shown of their parts.
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    )*};
}

ids! {
    /// A car, as a row of the population.
    EvId
    /// A stay, as a row of `Stays`, and its session.
    StayId
    /// A charger; which ones a fleet has, its range says.
    ChargerId
    /// A site, as an index into the scenario's sites.
    SiteId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_shown_as_the_numbers_that_hashes_of_worlds_are_made_of() {
        assert_eq!(format!("{:?} {}", Some(SiteId(3)), EvId(7)), "Some(3) 7");
    }
}
