//! Wishes for instants between two ticks, projected onto the ticks around them.
//!
//! A bound at time t between the ticks p and n becomes bounds at p and at n, each loosened by the
//! energy that the device can move between the tick and t; a target becomes bounds at p, and the
//! target itself at n. Of several bounds at one tick the stricter one holds.

use crate::{
    problem::Device,
    series::{Asked, Stretch},
    time::Grid,
};
use chrono::{DateTime, Utc};

/// Which side a bound is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Least,
    Most,
}

/// What a device asks for, still in its own words.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Wishes {
    pub(crate) minima: Option<Asked>,
    pub(crate) maxima: Option<Asked>,
    pub(crate) targets: Option<Asked>,
    /// Whether some of them began or ended between two ticks before they were projected.
    pub(crate) off_tick: bool,
}

impl Wishes {
    /// Whether some event has a start or an end between two ticks.
    fn are_off_tick(&self, grid: &Grid) -> bool {
        let off = |at: DateTime<Utc>| grid.tick_from(at) != grid.tick_until(at);
        let all = [&self.minima, &self.maxima, &self.targets];
        all.into_iter().flatten().any(|asked| {
            let Asked::Stretches(stretches) = asked else { return false };
            stretches.iter().any(|stretch| off(stretch.start) || off(stretch.end))
        })
    }

    /// Puts every wish for an instant between ticks onto the ticks around it.
    pub(crate) fn project(&mut self, device: &Device, grid: &Grid) {
        self.off_tick = self.are_off_tick(grid);
        let projection = Projection { device, grid };
        let is_off = |stretch: &Stretch| {
            stretch.start == stretch.end
                && grid.tick_from(stretch.end) != grid.tick_until(stretch.end)
        };
        let off = |asked: &Option<Asked>| match asked {
            Some(Asked::Stretches(stretches)) => stretches.iter().copied().filter(is_off).collect(),
            _ => Vec::new(),
        };
        // All three are copied first, since targets add to the lists of the other two.
        let targets = off(&self.targets);
        let minima = off(&self.minima);
        let maxima = off(&self.maxima);
        for target in targets {
            projection.add(&mut self.minima, Side::Least, target, false);
            projection.add(&mut self.maxima, Side::Most, target, false);
            let next = grid.tick(grid.tick_from(target.end).max(0) as usize);
            if let Some(Asked::Stretches(stretches)) = &mut self.targets {
                stretches.iter_mut().filter(|stretch| **stretch == target).for_each(|stretch| {
                    *stretch = Stretch { start: next, end: next, value: target.value };
                });
            }
        }
        // The events themselves stay where they are: between two ticks they are at none, and ask
        // nothing.
        for next in [false, true] {
            for &event in &minima {
                projection.add(&mut self.minima, Side::Least, event, next);
            }
            for &event in &maxima {
                projection.add(&mut self.maxima, Side::Most, event, next);
            }
        }
    }
}

struct Projection<'a> {
    device: &'a Device,
    grid: &'a Grid,
}

impl Projection<'_> {
    /// Adds the bound that an event means for the tick before it, or for the next one.
    fn add(&self, asked: &mut Option<Asked>, side: Side, event: Stretch, next: bool) {
        let slot = self.grid.tick_until(event.end);
        let Some(tick) = usize::try_from(if next { slot + 1 } else { slot }).ok() else { return };
        let at = self.grid.tick(tick);
        let distance = (event.end - self.grid.tick(tick)).abs();
        // Before a minimum a device may lack what it can still charge, and behind it what it can
        // have discharged again; of a maximum it is the other way round.
        let charging = (side == Side::Least) != next;
        let moved = self.reachable(slot, charging, distance.num_milliseconds() as f64 / 3.6e6);
        let (least, most) = self.device.static_range;
        let value = match side {
            Side::Least => (event.value - moved).max(least.unwrap_or(f64::NEG_INFINITY)),
            Side::Most => (event.value + moved).min(most.unwrap_or(f64::INFINITY)),
        };
        let Asked::Stretches(stretches) = asked.get_or_insert_with(|| Asked::Stretches(Vec::new()))
        else {
            return;
        };
        // A stretch that holds longer is left alone: its value would change at all of its ticks.
        match stretches.iter_mut().find(|stretch| stretch.start == at && stretch.end == at) {
            Some(there) if side == Side::Least => there.value = there.value.max(value),
            Some(there) => there.value = there.value.min(value),
            None => stretches.push(Stretch { start: at, end: at, value }),
        }
    }

    /// Energy that can enter or leave the stock in part of a slot, kWh.
    fn reachable(&self, slot: i64, charging: bool, hours: f64) -> f64 {
        let Some(slot) = usize::try_from(slot).ok().filter(|&slot| slot < self.grid.slots) else {
            return 0.0;
        };
        let device = self.device;
        let power = if charging { device.charge_max[slot] } else { -device.discharge_max[slot] };
        device.stored(slot, power, hours).abs()
    }
}
