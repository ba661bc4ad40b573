//! The grid in two stages: which unit does what, day-ahead and intra-day, with flexibility margins.
//!
//! ```text
//! min  Σ_t dt·( thermal chords (37) + C_h·(ch + dis) (38), (43) + C_wind·p + C_waste·(avail - p) (39), (41)
//!               + C_cut·cut (40) + imports - exports
//!               + voll·(unserved + spilled) + pen·margin slack + pen·deviation ) + starts + pen·terminal slack
//!               + voll·(energy at the end from where the day's path does not lead on)
//!      Σ thermal + Σ (dis - ch) + Σ p + must-take + Σ cut + imports - exports + unserved - spilled = load
//!      |P_t - P_(t-1)| ≤ R·dt,   P_min ≤ P ≤ P_max while on
//!      W_t = W_(t-1) + η_c·ch·dt - dis·dt/η_d,   W_min ≤ W_t ≤ W_max
//!      Σ F_S - F_D + slack ≥ 0, up and down                                          (32)-(35)
//!      F_S ≤ both arguments of its min                                               (21)-(26)
//! ```
//! `F_S` is a variable below both arguments of its min: exact, since the margin only wants the sum
//! large. Where net load does not rise (or fall) and no supply can be negative, the margin holds by
//! itself and is left out. A store is held to one direction only where the linear program used both
//! at once. Everything that may not be possible has a price or is relaxed by name, so
//! that there always is a schedule; see [`Unmet`].
//!
//! What is asked of a unit, its columns, rows, costs and how they are read back stand in the file
//! of its kind in `kinds`, as the traits of `unit.rs` ask: [`DispatchProgram`] only adds up what
//! units give.
//!
//! # How an engine calls this, once a tick
//!
//! ```text
//! at the first slot of a local day:
//!     planned = stages.plan_day(day, ev, &state)?          steps and the day's path, recorded as events
//!     plan = DayAheadPlan { steps: planned.steps.found.slots, path: .., .. }
//! at slots k of the day that are multiples of `rules.step`:
//!     window = stages.window(day, k, ev, cars, &plan, &state).schedule()?    recorded as an event
//! at every slot:
//!     slot = window.slots[slots since the window began]       set-points, balance and supplies follow from it
//!     state.advance(plant, &slot, hours)                             ramps, commitment and energy for the next window
//! ```
//! [`Stages`] reads forecasts; what cars will draw comes from the caller, by absolute slot. The
//! slots that a window commits see actual wind and sun, so that the balance closes as planned
//! wherever the cars' power is what the caller said.

mod answer;
mod build;
mod error;
mod exclusive;
mod fallback;
mod held;
mod hull;
mod kinds;
mod margins;
mod path;
mod plan;
mod problem;
mod read;
mod stages;
mod start;
mod supply;
mod switched;
mod unit;
mod validate;

pub use answer::{Dispatch, ObjectiveParts, SlotMargin, SolveSize, Unmet, UnmetWish};
pub use build::DispatchProgram;
pub use error::GridError;
pub use fallback::Fallback;
pub use path::{Answered, DayPlanned};
pub use plan::DayAheadPlan;
pub use problem::{Course, DispatchProblem, EnergyEnd, Exogenous, NextSlot, UnitTask};
pub use stages::{Day, Stages};
pub use supply::supply_curve;
