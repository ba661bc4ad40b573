//! The dispatch policies that voltide ships.
