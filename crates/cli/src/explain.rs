//! Why things came as they did: what a journal says of one car, site, unit or slot, in sentences
//! with the numbers of the events that they stand on.

pub(crate) mod enough;
pub(crate) mod session;
pub(crate) mod site;
pub(crate) mod slot;
pub(crate) mod story;
pub(crate) mod told;
