//! `voltide explain`: why a car, a session, a site, a unit or a slot came as it did.

use crate::{
    args::Args,
    explain::{
        enough::{self, Ending, Trial},
        session,
        site::{OfSite, OfUnit},
        slot::InSlot,
        story::{Session, Story},
        told::Told,
    },
    failure::{Code, Failure},
    interrupt::Interrupt,
    journaled::Journaled,
    output, playback,
    verb::{fork, plugins::known_plugins},
};
use clap::{ArgGroup, Args as ClapArgs};
use serde_json::{Value, json};
use std::{path::PathBuf, process::ExitCode, sync::Arc};
use voltide_engine::Fork;
use voltide_host::Plugins;
use voltide_journal::{event::MissedReason, log::NoLog, sink::Sink};
use voltide_model::{
    id::{EvId, SiteId, StayId},
    scenario::Scenario,
};
use voltide_world::Override;

#[derive(Debug, ClapArgs)]
#[command(group(ArgGroup::new("subject").required(true)))]
pub(crate) struct Flags {
    /// Folder of the run
    pub run: PathBuf,

    /// A car: the session at --at, else the first that missed its target, else the last
    #[arg(long, group = "subject")]
    pub ev: Option<u32>,

    /// The slot of the car's session: its number, or a time within it
    #[arg(long, value_name = "TICK|TIME", requires = "ev")]
    pub at: Option<String>,

    /// A session, by its number in the table `sessions`
    #[arg(long, group = "subject", allow_negative_numbers = true)]
    pub session: Option<i64>,

    /// A site
    #[arg(long, group = "subject", value_name = "NAME")]
    pub site: Option<String>,

    /// A unit of the plant
    #[arg(long, group = "subject", value_name = "NAME")]
    pub unit: Option<String>,

    /// A slot: its number, or a time within it
    #[arg(long, group = "subject", value_name = "TICK|TIME")]
    pub tick: Option<String>,
}

/// Explains what is asked for.
pub(crate) fn explain(flags: &Flags, args: &Args) -> Result<ExitCode, Failure> {
    let _interrupt = Interrupt::catch();
    let journaled = Journaled::open(&flags.run, args.quiet)?;
    let scenario = Arc::clone(journaled.own_scenario());
    if let Some(ev) = flags.ev {
        let at = flags.at.as_ref().map(|at| fork::slot(at, &scenario)).transpose()?;
        return of_car(flags, journaled, &scenario, (EvId(ev), at), args);
    }
    if let Some(number) = flags.session {
        let stay = stay(&scenario, number)?;
        let clock = &scenario.clock;
        let stays = &scenario.population.stays;
        let at = stays.first_slot(stay, clock);
        return of_car(flags, journaled, &scenario, (stays.ev[stay.row()], Some(at)), args);
    }
    if let Some(name) = &flags.site {
        let site = site(&scenario, name)?;
        let told = play(journaled, OfSite::of(site, scenario), args)?.told();
        return Ok(print(&told, json!({ "site": name }), args));
    }
    if let Some(name) = &flags.unit {
        let unit = unit(&scenario, name)?;
        let told = play(journaled, OfUnit::of(unit, name, scenario), args)?.told();
        return Ok(print(&told, json!({ "unit": name }), args));
    }
    let tick = fork::slot(flags.tick.as_deref().unwrap_or_default(), &scenario)?;
    let told = play(journaled.until(tick + 1), InSlot::of(tick), args)?.told;
    Ok(print(&told, json!({ "tick": tick }), args))
}

/// Plays a history to a sink, and gives that back.
fn play<S: Sink>(journaled: Journaled, sink: S, args: &Args) -> Result<S, Failure> {
    journaled.replay(sink, false, args.quiet).map(|(sink, _)| sink)
}

/// The stay with this number.
fn stay(scenario: &Scenario, number: i64) -> Result<StayId, Failure> {
    let count = scenario.population.stays.len();
    match u32::try_from(number) {
        Ok(stay) if (stay as usize) < count => Ok(StayId::from(stay)),
        Ok(_) => {
            let what = format!(
                "there is no session {number}: they are numbered from 0 to {}",
                count.saturating_sub(1)
            );
            Err(Failure::new(Code::Input, what, None))
        }
        Err(_) => {
            let what =
                format!("session {number} held no whole slot, so that nothing was charged in it");
            Err(Failure::new(Code::Input, what, None))
        }
    }
}

/// The site of this name.
fn site(scenario: &Scenario, name: &str) -> Result<SiteId, Failure> {
    let names: Vec<&str> = scenario.sites.iter().map(|site| site.name.as_str()).collect();
    position(&names, name, "site").map(SiteId::from)
}

/// The unit of this name.
fn unit(scenario: &Scenario, name: &str) -> Result<u32, Failure> {
    let names = scenario.unit_names();
    let names: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    position(&names, name, "unit")
}

/// Where a name stands among all.
fn position(names: &[&str], name: &str, what: &str) -> Result<u32, Failure> {
    let found = names.iter().position(|known| *known == name);
    found.map(|at| at as u32).ok_or_else(|| {
        let known: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        let help = match known.as_slice() {
            [] => format!("the run has no {what}"),
            known => format!("the run has {}", known.join(", ")),
        };
        Failure::new(Code::Input, format!("there is no {what} `{name}`"), Some(&help))
    })
}

/// Explains a session of a car: that of a slot, or the one that there is most to say of.
fn of_car(
    flags: &Flags,
    journaled: Journaled,
    scenario: &Scenario,
    (ev, at): (EvId, Option<u32>),
    args: &Args,
) -> Result<ExitCode, Failure> {
    let count = scenario.population.len();
    if ev.row() >= count {
        let what = format!("there is no car {ev}: the run has the cars 0 to {}", count - 1);
        return Err(Failure::new(Code::Input, what, None));
    }
    let story = play(journaled, Story::of(ev), args)?;
    let is_at = |session: &&Session, slot: u32| {
        let end = session.ended.as_ref().map_or(u32::MAX, |ended| ended.at.0);
        (session.started.0..end).contains(&slot)
    };
    let sessions = &story.sessions;
    let missed = || sessions.iter().find(|session| session.missed().is_some());
    let session = at.map_or_else(
        || missed().or(sessions.last()),
        |slot| sessions.iter().find(|session| is_at(session, slot)),
    );
    let Some(session) = session else {
        let when = at.map_or("in the whole run".to_owned(), |slot| format!("in slot {slot}"));
        let what = format!("car {ev} is not plugged in {when}");
        return Err(Failure::new(Code::Input, what, None));
    };
    let mut told = session::told(session);
    told.extend(enough::longer(session).map(|text| Told::new(text, [])));
    let reason = session.missed().map(|(_, _, reason)| reason);
    let enough = reason.map(|reason| enough(flags, session, reason, args)).transpose()?.flatten();
    let found = match (&enough, reason) {
        (Some(enough), _) => Some(enough.in_words(session)),
        (None, Some(reason)) => enough::none_in_words(reason).map(str::to_owned),
        (None, None) => None,
    };
    told.extend(found.map(|text| Told::new(text, [])));
    let missed = session.missed();
    let head = json!({
        "ev": ev.0,
        "session_id": u32::from(session.stay),
        "missed_reason": missed.map(|(_, _, reason)| reason.name()),
        "missing_kwh": missed.map(|(_, kwh, _)| kwh),
        "enough": enough.map(|it| it.to_json(session)),
    });
    Ok(print(&told, head, args))
}

/// One change that would have been enough.
fn enough(
    flags: &Flags,
    session: &Session,
    reason: MissedReason,
    args: &Args,
) -> Result<Option<enough::Enough>, Failure> {
    let plugins = known_plugins(args).with_threads(1);
    let end = session.ended.as_ref().map_or(0, |ended| ended.at.0);
    let forks =
        Forks { flags, plugins: &plugins, stay: session.stay, from: session.started.0, end };
    match enough::enough(session, reason, &forks) {
        // What a fork may not change of this world, or no policy takes, is no way out.
        Err(failure) if failure.code() == Code::Input => Ok(None),
        found => found,
    }
}

/// Forks of the run from a car's arrival to its departure, of which nothing is kept.
struct Forks<'a> {
    flags: &'a Flags,
    plugins: &'a Plugins,
    stay: StayId,
    /// The first slot that is a fork's own.
    from: u32,
    /// The slot in which the car leaves.
    end: u32,
}

impl Trial for Forks<'_> {
    type Error = Failure;

    fn missing(&self, set: &str) -> Result<f64, Failure> {
        let run = &self.flags.run;
        let parent = Journaled::open(run, true)?;
        let change = Override::set(set);
        let world = fork::changed_world(&parent, &[change], self.from)?;
        let changes = vec![set.to_owned()];
        let prepared = fork::prepare(world, &parent.started, &changes, (self.plugins, true))?;
        let ending = || Ending::of(self.stay);
        let played = playback::play(run, (self.from, Some(self.from)), ending, 1, true)?;
        let lineage = Fork {
            config_hash: prepared.config_hash(),
            parent_chain_hash: played.played.chain_hash,
            changes,
            ..Fork::default()
        };
        let mut simulation = played.replay.fork(prepared.start(1), lineage, NoLog::default())?;
        while !simulation.is_done() && simulation.tick() <= self.end {
            crate::interrupt::check()?;
            simulation.step()?;
        }
        Ok(simulation.end(None)?.sink.missing_kwh)
    }
}

fn print(told: &[Told], head: Value, args: &Args) -> ExitCode {
    if args.json {
        let sentences: Vec<Value> = told.iter().map(Told::to_json).collect();
        let mut said = json!({ "sentences": sentences });
        if let (Some(said), Value::Object(head)) = (said.as_object_mut(), head) {
            said.extend(head);
        }
        output::say_json("explained", &said);
    } else {
        for sentence in told {
            output::tell(&sentence.in_words());
        }
    }
    ExitCode::SUCCESS
}
