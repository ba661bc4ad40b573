//! Where the columns and rows of a program stand in a vertex.

/// Where a column or row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Standing {
    /// At no bound, since it has none.
    Free = 0,
    /// Determined by the others.
    Basic = 1,
    /// At its upper bound.
    AtUpper = 2,
    /// At its lower bound.
    AtLower = 3,
    /// Between its bounds and not determined by the others, as no vertex has it.
    Between = 4,
    /// At both bounds, which are one.
    Fixed = 5,
}

impl Standing {
    /// By Clp's number for it, of which only the lowest three bits tell.
    pub(crate) fn from_status(status: u8) -> Self {
        match status & 7 {
            1 => Self::Basic,
            2 => Self::AtUpper,
            3 => Self::AtLower,
            4 => Self::Between,
            5 => Self::Fixed,
            _ => Self::Free,
        }
    }
}

/// A basis: as many are [`Basic`](Standing::Basic) as there are rows. One that is singular, or has
/// another number of them, is mended by Clp, always in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Basis {
    /// By column.
    pub columns: Vec<Standing>,
    /// By row.
    pub rows: Vec<Standing>,
}

impl Basis {
    /// Clp's numbers for it: those of columns, then those of rows.
    pub(crate) fn statuses(&self) -> Vec<u8> {
        self.columns.iter().chain(&self.rows).map(|&standing| standing as u8).collect()
    }
}
