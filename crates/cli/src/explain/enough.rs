//! What would have been enough: one change, as small as it can be, each tried by a fork from the
//! car's arrival on.

use super::{story::Session, told::at};
use crate::output::{counted, decimal};
use serde_json::{Value, json};
use std::{convert::Infallible, sync::Arc};
use voltide_journal::{
    event::{Event, MissedReason, Recorded},
    sink::Sink,
};
use voltide_model::{columns::TickColumns, id::StayId, scenario::Scenario};

/// A change of the world, found by trying.
pub(crate) struct Enough {
    /// What to put into it, as `fork --set` takes it.
    pub set: String,
    /// What was there before, in words.
    pub before: String,
    /// What is still missing with 99 % of the new amount, kWh; `None` where the change is no
    /// amount.
    pub missing_at_99: Option<f64>,
}

/// What a fork would come to: what the stay misses with this change, kWh.
pub(crate) trait Trial {
    /// Why a trial cannot be made.
    type Error;

    /// What the stay misses, kWh; 0 where nothing.
    fn missing(&self, set: &str) -> Result<f64, Self::Error>;
}

/// Share within which a least amount is found.
const WITHIN: f64 = 0.002;
/// How far beyond what there was an amount is looked for.
const TIMES: f64 = 64.0;

/// An amount of the world: what puts it there, and how much there is.
struct Amount {
    path: String,
    kw: f64,
    label: String,
}

impl Amount {
    fn set(&self, kw: f64) -> String {
        format!("{}={} kW", self.path, rounded(kw))
    }
}

/// An amount with as many digits as are meant.
fn rounded(kw: f64) -> f64 {
    (kw * 1000.0).ceil() / 1000.0
}

/// One change that would have been enough; `None` where none of those that a fork can make is.
pub(crate) fn enough<T: Trial>(
    session: &Session,
    reason: MissedReason,
    trial: &T,
) -> Result<Option<Enough>, T::Error> {
    match reason {
        // Whoever took it out of the world would have to leave it there, and a fork changes
        // nothing about a single car.
        MissedReason::Removed | MissedReason::LeftEarly => Ok(None),
        MissedReason::TooShort => least(&power(session), trial),
        MissedReason::SiteLimit => first_of(limits(session), trial),
        // A policy that keeps limits itself asks for less than is needed because of them.
        MissedReason::Schedule => match first_of(limits(session), trial)? {
            None => at_once(session, trial),
            found => Ok(found),
        },
    }
}

/// That nothing that was tried is enough; `None` where nothing was.
pub(crate) fn none_in_words(reason: MissedReason) -> Option<&'static str> {
    match reason {
        MissedReason::Removed | MissedReason::LeftEarly => None,
        MissedReason::TooShort => {
            Some("More power of its fleet's chargers alone would not have been enough.")
        }
        MissedReason::SiteLimit => {
            Some("A wider limit of one of its sites alone would not have been enough.")
        }
        MissedReason::Schedule => Some(
            "Neither a wider limit of one of its sites alone nor charging at once would have been \
             enough.",
        ),
    }
}

/// The first amount of which there is enough, as little as it can be.
fn first_of<T: Trial>(
    amounts: impl Iterator<Item = Amount>,
    trial: &T,
) -> Result<Option<Enough>, T::Error> {
    for amount in amounts {
        if let Some(enough) = least(&amount, trial)? {
            return Ok(Some(enough));
        }
    }
    Ok(None)
}

/// The power of the fleet's chargers.
fn power(session: &Session) -> Amount {
    let scenario = &session.scenario;
    let fleet = &scenario.fleets[scenario.population.fleet_of(session.ev)].name;
    let kw = session.charger().charge_max.0;
    let path = format!("fleets.{fleet}.charger.charge_max");
    Amount { path, kw, label: format!("{} kW, for its whole fleet", decimal(kw, 1)) }
}

/// The limits of the sites that the car stands behind, the nearest first.
fn limits(session: &Session) -> impl Iterator<Item = Amount> {
    session.sites().map(|site| {
        let site = &session.scenario.sites[site.row()];
        let kw = site.import_limit.0;
        let path = format!("sites.{}.import_limit", site.name);
        Amount { path, kw, label: format!("{} kW", decimal(kw, 1)) }
    })
}

/// The least amount that is enough, by halving; `None` where none is.
fn least<T: Trial>(amount: &Amount, trial: &T) -> Result<Option<Enough>, T::Error> {
    let is_enough = |kw: f64| Ok(trial.missing(&amount.set(kw))? <= 0.0);
    let mut low = amount.kw;
    let mut high = amount.kw.max(1.0) * TIMES;
    if !is_enough(high)? {
        return Ok(None);
    }
    // Most often a little more will do.
    let mut more = amount.kw.max(1.0) * 2.0;
    while more < high {
        if is_enough(more)? {
            high = more;
        } else {
            (low, more) = (more, more * 2.0);
        }
    }
    while high - low > WITHIN * high {
        let middle = 0.5 * (low + high);
        if is_enough(middle)? { high = middle } else { low = middle }
    }
    let missing_at_99 = Some(trial.missing(&amount.set(0.99 * rounded(high)))?);
    let before = amount.label.clone();
    Ok(Some(Enough { set: amount.set(high), before, missing_at_99 }))
}

/// The policy that charges at once.
const AT_ONCE: &str = "uncontrolled";

/// Whether to charge at once would have been enough.
fn at_once<T: Trial>(session: &Session, trial: &T) -> Result<Option<Enough>, T::Error> {
    let before = format!("`{}`", session.scenario.policy.name);
    let set = format!("policy={AT_ONCE}");
    let is_enough = trial.missing(&set)? <= 0.0;
    Ok(is_enough.then_some(Enough { set, before, missing_at_99: None }))
}

impl Enough {
    /// As people read it.
    pub(crate) fn in_words(&self, session: &Session) -> String {
        let of_99 = self.missing_at_99.map_or_else(String::new, |missing| {
            format!(" With 99 % of it {} kWh would be missing.", decimal(missing, 3))
        });
        format!(
            "Enough from its arrival on: {}, in place of {}, as a fork shows (`voltide fork RUN \
             --at {} --set '{}'`).{of_99}",
            self.set, self.before, session.started.0, self.set
        )
    }

    /// As programs read it.
    pub(crate) fn to_json(&self, session: &Session) -> Value {
        json!({
            "at": session.started.0,
            "set": self.set,
            "missing_at_99_percent_kwh": self.missing_at_99,
        })
    }
}

/// How long it would have had to stay, or to stay longer, at full power, in words; `None` where time
/// was not what it lacked. It is reckoned and not forked: a fork leaves stays as they are.
pub(crate) fn longer(session: &Session) -> Option<String> {
    let (_, missing_kwh, reason) = session.missed()?;
    let ended = session.ended.as_ref()?;
    let scenario = &session.scenario;
    let clock = &scenario.clock;
    let battery = &scenario.fleets[scenario.population.fleet_of(session.ev)].battery;
    let kw = session.charger().charge_max.0;
    let stored = kw * battery.charge_efficiency.get() * clock.slot_hours();
    let slots = (missing_kwh / stored).ceil() as u32;
    match reason {
        MissedReason::TooShort | MissedReason::LeftEarly => Some(format!(
            "With the full power of its charger it would have had all {} later, at {}.",
            counted(slots.into(), "slot", "slots"),
            at(clock, ended.at.0 + slots)
        )),
        MissedReason::Removed | MissedReason::SiteLimit | MissedReason::Schedule => None,
    }
}

/// Waits for the end of a stay.
pub(crate) struct Ending {
    stay: StayId,
    /// What it missed, kWh.
    pub missing_kwh: f64,
}

impl Ending {
    /// Of a stay.
    pub(crate) fn of(stay: StayId) -> Self {
        Self { stay, missing_kwh: 0.0 }
    }
}

impl Sink for Ending {
    type Error = Infallible;

    fn event(&mut self, _: &Arc<Scenario>, recorded: &Recorded) -> Result<(), Infallible> {
        if let Event::TargetMissed(missed) = &recorded.event
            && let Some(row) = missed.stay.iter().position(|stay| *stay == self.stay)
        {
            self.missing_kwh = missed.missing_kwh[row];
        }
        Ok(())
    }

    fn tick(&mut self, _: &Arc<Scenario>, _: &TickColumns<'_>) -> Result<(), Infallible> {
        Ok(())
    }
}
