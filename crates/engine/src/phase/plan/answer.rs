//! What came of a call, and what the journal is told of it.

use crate::{batch::Batch, outbox::Recorder, plan_book::encode};
use voltide_journal::event::{
    AnswerNotFinite, ClipReason, Event, GroupSolved, NotFinite, PlansAccepted, PolicyFaulted,
    Segments, SessionEnded, SessionStarted, SetPointClipped, TickStarted,
};
use voltide_policy::{
    observation::Shown,
    planner::{self, Correction, PolicyFault},
    storage::GroupFigures,
};

/// What came of a call.
pub(super) struct Answer {
    pub corrections: Vec<Correction>,
    /// What the program solved for who answered.
    pub groups: Vec<planner::GroupSolved>,
    /// The failure of who was asked, and the name of what stood in.
    pub fault: Option<(PolicyFault, String)>,
}

impl Answer {
    /// Records that who was asked failed, and who stood in.
    pub(super) fn record_fault(&self, batch: &Batch, shown: Shown, record: &mut Recorder) {
        let Some((fault, fallback)) = &self.fault else { return };
        let faulted = PolicyFaulted {
            policy: fault.policy.clone(),
            message: fault.message.clone(),
            lost: fault.lost,
            fallback: fallback.clone(),
            first_stay: batch.stay[0],
            stays: batch.stay.len() as u32,
        };
        record.note(cause(record, shown), Event::PolicyFaulted(faulted));
    }

    /// Records how good schedules are that were made together; `site` is the top of the tree that
    /// was shown.
    pub(super) fn record_groups(&self, site: &str, shown: Shown, record: &mut Recorder) {
        for &planner::GroupSolved { rows, figures } in &self.groups {
            let solved = Event::GroupSolved(group_solved(site, rows, figures));
            record.note(cause(record, shown), solved);
        }
    }

    /// Records what of an answer was no number, and what was more than the charger can.
    pub(super) fn record_corrections(
        &self,
        batch: &Batch,
        tick: u32,
        shown: Shown,
        record: &mut Recorder,
    ) {
        let mut not_finite = AnswerNotFinite::default();
        let mut clipped = SetPointClipped::default();
        for Correction { row, slot, asked_kw, applied_kw } in &self.corrections {
            let row = *row as usize;
            let ev = batch.ev_id[row];
            // NaN and infinity are no figures that a history may hold: they have an event of their
            // own, which names them.
            match NotFinite::of(*asked_kw) {
                Some(answer) => not_finite.push(ev, batch.stay[row], tick + slot, answer),
                None => clipped.push(ev, *asked_kw, *applied_kw, ClipReason::Charger),
            }
        }
        let cause = cause(record, shown);
        if !not_finite.ev.is_empty() {
            record.note(cause, Event::AnswerNotFinite(not_finite));
        }
        if !clipped.ev.is_empty() {
            record.note(cause, Event::SetPointClipped(clipped));
        }
    }
}

fn group_solved(site: &str, stays: u32, figures: GroupFigures) -> GroupSolved {
    let GroupFigures { violation_kwh, missing_kwh, missing_bound_kwh, cost, cost_bound } = figures;
    GroupSolved {
        site: site.to_owned(),
        stays,
        violation_kwh,
        missing_kwh,
        missing_bound_kwh,
        cost,
        cost_bound: cost_bound.is_finite().then_some(cost_bound),
    }
}

/// What a call of this tick is put down to: a whole tree is shown because of the plans before it,
/// or of cars that left.
pub(super) fn cause(record: &Recorder, shown: Shown) -> Option<u64> {
    match shown {
        Shown::Due | Shown::Fleet => record.cause(&[&SessionStarted::KIND, &TickStarted::KIND]),
        Shown::Tree => record.cause(&[&PlansAccepted::KIND, &SessionEnded::KIND]),
    }
}

/// The schedules of a batch, run-length coded.
pub(super) fn schedules(batch: &Batch, power_kw: &[f64], tick: u32) -> PlansAccepted {
    let mut segments = Segments { offset: vec![0], ..Segments::default() };
    for schedule in power_kw.chunks(batch.horizon_slots().max(1)) {
        encode(schedule, tick, &mut segments.slot, &mut segments.power_kw);
        segments.offset.push(segments.slot.len() as u32);
    }
    PlansAccepted { ev: batch.ev_id.clone().into(), stay: batch.stay.clone().into(), segments }
}
