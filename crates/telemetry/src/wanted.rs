//! What schedules had for cars, and what cars asked of their sites, where that is not what they drew.

use crate::frame::Frame;
use voltide_journal::event::{ClipReason, SetPointClipped};
use voltide_model::id::EvId;

/// A car whose power was cut in a slot, kW; positive charges.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cut {
    ev: EvId,
    /// What its schedule has.
    planned_kw: f64,
    /// What of that its battery could take or give.
    asked_kw: f64,
}

/// The cars that an event tells of, ascending. What a charger cuts is no part of a schedule: an
/// answer is cut before it comes into force.
pub(crate) fn cuts(clipped: &SetPointClipped) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    for (row, &ev) in clipped.ev.iter().enumerate() {
        let planned_kw = clipped.asked_kw[row];
        match clipped.reason[row] {
            ClipReason::Charger => {}
            ClipReason::Battery => {
                cuts.push(Cut { ev, planned_kw, asked_kw: clipped.applied_kw[row] });
            }
            // The row of its battery comes before that of its site.
            ClipReason::Site if cuts.last().is_some_and(|cut| cut.ev == ev) => {}
            ClipReason::Site => cuts.push(Cut { ev, planned_kw, asked_kw: planned_kw }),
        }
    }
    cuts
}

/// Power of the recorded cars in a slot, kW; both empty where none was cut, and all drew what their
/// schedules have.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    planned_kw: Vec<f64>,
    asked_kw: Vec<f64>,
}

impl Wanted {
    /// Takes in a slot of the recorded cars `ids`.
    pub(crate) fn take_in(&mut self, frame: &Frame, ids: &[EvId]) {
        self.planned_kw.clear();
        self.asked_kw.clear();
        if frame.cuts.is_empty() {
            return;
        }
        self.planned_kw.extend_from_slice(&frame.power_kw);
        self.asked_kw.extend_from_slice(&frame.power_kw);
        for cut in &frame.cuts {
            if let Ok(place) = ids.binary_search(&cut.ev) {
                self.planned_kw[place] = cut.planned_kw;
                self.asked_kw[place] = cut.asked_kw;
            }
        }
    }

    /// What schedules have of each car, which draws `power_kw`.
    pub(crate) fn planned<'a>(&'a self, power_kw: &'a [f64]) -> &'a [f64] {
        if self.planned_kw.is_empty() { power_kw } else { &self.planned_kw }
    }

    /// What each car asks of its site, which draws `power_kw`.
    pub(crate) fn asked<'a>(&'a self, power_kw: &'a [f64]) -> &'a [f64] {
        if self.asked_kw.is_empty() { power_kw } else { &self.asked_kw }
    }

    /// Both of the car at a place, by bits, which draws `power_kw`.
    pub(crate) fn bits(&self, place: usize, power_kw: &[f64]) -> [u64; 2] {
        [self.planned(power_kw), self.asked(power_kw)].map(|column| column[place].to_bits())
    }
}
