//! The service that tells of the world, from both sides.

#![expect(unsafe_code, reason = "this is the border between the program and a plugin")]

use super::{
    Host, Text, Versioned, WORLD_HAS_PLANT, WORLD_SERVICE, WorldTable, copy_prefix, view::column,
};
use crate::world::World;

// SAFETY: numbers, pointers and texts behind a `size: u32`.
unsafe impl Versioned for WorldTable {}

impl Host {
    /// The world that will be planned in, where the program tells of one.
    pub fn world(&self) -> Option<World> {
        let table = self.extension(WORLD_SERVICE)?;
        // SAFETY: the name stands for this type of table, which outlives the instance with all that
        // it points to.
        unsafe { Some(copy_prefix(table.cast::<WorldTable>().as_ptr()).view()) }
    }
}

impl WorldTable {
    /// Points at the texts of `world`, and at `series_name`, which are those of its series.
    pub fn new(world: &World, series_name: &[Text]) -> Self {
        Self {
            size: size_of::<Self>() as u32,
            flags: if world.has_plant { WORLD_HAS_PLANT } else { 0 },
            currency: Text::new(&world.currency),
            series_name: series_name.as_ptr(),
            series: series_name.len() as u32,
            reserved: 0,
        }
    }

    /// What it tells.
    ///
    /// # Safety
    ///
    /// Texts and names exist and stay unchanged during the call.
    unsafe fn view(&self) -> World {
        // SAFETY: as the caller promises.
        unsafe {
            let names = column(self.series_name, self.series as usize);
            World {
                currency: self.currency.to_text(),
                series: names.iter().map(|name| name.to_text()).collect(),
                has_plant: self.flags & WORLD_HAS_PLANT != 0,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_world_crosses_unchanged() {
        let series = ["plan".to_owned(), "load of the street".to_owned()];
        let names: Vec<Text> = series.iter().map(|name| Text::new(name)).collect();
        let world = World { currency: "EUR".to_owned(), series: series.to_vec(), has_plant: true };
        // SAFETY: the texts are alive.
        assert_eq!(unsafe { WorldTable::new(&world, &names).view() }, world);
        let bare = World::default();
        // SAFETY: as above.
        assert_eq!(unsafe { WorldTable::new(&bare, &[]).view() }, bare);
    }
}
