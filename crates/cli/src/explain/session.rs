//! A session in sentences, from arrival to departure.

use super::{
    story::{Cut, Session},
    told::{Told, at},
};
use crate::output::{counted, decimal};
use voltide_journal::event::{ClipReason, EndReason, MISSED_MIN_KWH, MissedReason, PolicyFaulted};
use voltide_model::{clock::Clock, site::Charger};

/// Events of one kind that are named; of more it is said how many there are.
const NAMED: usize = 3;

/// The session in sentences.
pub(crate) fn told(session: &Session) -> Vec<Told> {
    let mut told = vec![arrived(session), wanted(session)];
    told.extend(prices(session));
    told.push(planned(session));
    told.extend(cheapest(session));
    told.extend(faults(session));
    told.extend(cut(session, ClipReason::Site));
    told.extend(cut(session, ClipReason::Battery));
    told.extend(cut(session, ClipReason::Charger));
    told.extend(agreed(session));
    told.push(left(session));
    told.extend(reason(session));
    told
}

fn clock(session: &Session) -> &Clock {
    &session.scenario.clock
}

/// A number of kWh.
fn kwh(amount: f64) -> String {
    format!("{} kWh", decimal(amount, 1))
}

fn kw(amount: f64) -> String {
    format!("{} kW", decimal(amount, 1))
}

fn arrived(session: &Session) -> Told {
    let scenario = &session.scenario;
    let population = &scenario.population;
    let range = population.range_of(session.ev);
    let fleet = &scenario.fleets[range.fleet].name;
    let capacity = population.capacity_kwh[session.ev.row()];
    let (tick, seq) = session.started;
    let site = session.charger().site.map(|site| &scenario.sites[site.row()].name);
    let site = site.map_or_else(String::new, |site| format!(" at site `{site}`"));
    let text = format!(
        "Car {} (number {} of fleet `{fleet}`) plugged in at {}{site}, session {}, with {} of {} \
         in its battery.",
        session.ev,
        range.index_of(session.ev),
        at(clock(session), tick),
        session.stay,
        kwh(session.arrival_kwh),
        kwh(capacity),
    );
    Told::new(text, [seq])
}

/// Slots of full power that an amount of stored energy takes.
fn full_slots(session: &Session, stored_kwh: f64) -> f64 {
    let scenario = &session.scenario;
    let battery = &scenario.fleets[scenario.population.fleet_of(session.ev)].battery;
    let Charger { charge_max, .. } = session.charger();
    let hours = clock(session).slot_hours();
    stored_kwh / (charge_max.0 * battery.charge_efficiency.get() * hours)
}

fn wanted(session: &Session) -> Told {
    let slots = session.announced - session.started.0;
    let lacking = (session.wanted_kwh - session.arrival_kwh).max(0.0);
    let needs = if lacking > 0.0 {
        format!(
            "that is {} more, {} of its {} at the {} of its charger",
            kwh(lacking),
            counted(full_slots(session, lacking).ceil() as u64, "slot", "slots"),
            slots,
            kw(session.charger().charge_max.0)
        )
    } else {
        "which it had already".to_owned()
    };
    let text = format!(
        "It announced that it would leave at {} and wanted {} by then: {needs}.",
        at(clock(session), session.announced),
        kwh(session.wanted_kwh),
    );
    Told::new(text, [session.started.1])
}

fn prices(session: &Session) -> Option<Told> {
    let prices = session.slots.iter().map(|slot| slot.price);
    let low = prices.clone().fold(f64::INFINITY, f64::min);
    let high = prices.fold(f64::NEG_INFINITY, f64::max);
    let currency = &session.scenario.currency;
    let shown = if low < high {
        format!("from {} to {}", decimal(low, 4), decimal(high, 4))
    } else if low.is_finite() {
        format!("of {}", decimal(low, 4))
    } else {
        return None;
    };
    let text = format!("It was shown prices {shown} {currency}/kWh while it stood there.");
    Some(Told::new(text, session.priced))
}

fn planned(session: &Session) -> Told {
    let policy = &session.scenario.policy.name;
    let Some(first) = session.plans.first() else {
        return Told::new(format!("Policy `{policy}` never planned it."), []);
    };
    // Where the policy failed, what stood in for it made the schedule.
    let failed = session.faults.iter().find(|(tick, _, _)| *tick == first.tick);
    let policy = failed.map_or(policy, |(_, _, fault)| &fault.fallback);
    let clock = clock(session);
    let charging: Vec<&(u32, f64)> = first.powers.iter().filter(|(_, kw)| *kw > 0.0).collect();
    let what = match charging.as_slice() {
        [] => "not to charge at all".to_owned(),
        [(slot, power), rest @ ..] => {
            let often = match rest.len() {
                0 => String::new(),
                more => format!(", and {}", counted(more as u64, "change more", "changes more")),
            };
            format!("to charge from {} on, with {}{often}", at(clock, *slot), kw(*power))
        }
    };
    let again = match session.plans.len() - 1 {
        0 => String::new(),
        more => {
            let last = session.plans[more].tick;
            let often = counted(more as u64, "time", "times");
            format!("; it was planned {often} more, last at {}", at(clock, last))
        }
    };
    let last = session.plans.last().filter(|_| session.plans.len() > 1).map(|plan| plan.seq);
    let cause = first.cause.map_or_else(String::new, |cause| format!(" because of event {cause}"));
    let tick = at(clock, first.tick);
    let text = format!("Policy `{policy}` planned it at {tick}{cause}: {what}{again}.");
    Told::new(text, std::iter::once(first.seq).chain(last))
}

/// Whether what it charged was the cheapest that there was: its dearest slot with power, beside the
/// cheapest slot in which it left some of its charger's.
fn cheapest(session: &Session) -> Option<Told> {
    let most = session.charger().charge_max.0;
    let slots = &session.slots;
    let charged = slots.iter().filter(|slot| slot.power_kw > 0.0);
    let dearest = charged.clone().map(|slot| slot.price).fold(f64::NEG_INFINITY, f64::max);
    let full = slots.iter().filter(|slot| slot.power_kw >= most * (1.0 - FULL)).count();
    let free = slots.iter().filter(|slot| slot.power_kw < most * (1.0 - FULL));
    let cheapest = free.clone().map(|slot| slot.price).fold(f64::INFINITY, f64::min);
    let currency = &session.scenario.currency;
    let price = |price: f64| format!("{} {currency}/kWh", decimal(price, 4));
    let text = match (dearest.is_finite(), cheapest.is_finite()) {
        (false, false) => return None,
        (false, true) => {
            format!("It charged nothing, not even at the {} of its cheapest slot.", price(cheapest))
        }
        (true, false) => {
            let full = counted(full as u64, "slot", "slots");
            format!("It charged with the full power of its charger in all {full}.")
        }
        (true, true) => {
            let often = counted(charged.count() as u64, "slot", "slots");
            let cheaper = free.filter(|slot| slot.price < dearest).count();
            let whether = match cheaper {
                0 => "none that it left free or in part was cheaper".to_owned(),
                some => format!(
                    "{} that it left free or in part cost less, the cheapest {}",
                    counted(some as u64, "slot", "slots"),
                    price(cheapest)
                ),
            };
            format!(
                "It charged in {often}, {full} of them with the full power of its charger, the \
                 dearest at {}; {whether}.",
                price(dearest)
            )
        }
    };
    Some(Told::new(text, []))
}

/// Share of a charger's power within which it is full.
const FULL: f64 = 1e-6;

fn faults(session: &Session) -> Vec<Told> {
    let of = |(tick, seq, fault): &(u32, u64, _)| {
        let PolicyFaulted { policy, message, fallback, lost, .. } = fault;
        let until = if *lost { " from then on" } else { "" };
        let instead = match fallback.as_str() {
            "" => "and the run stopped".to_owned(),
            fallback => format!("and `{fallback}` answered in its place{until}"),
        };
        let when = at(clock(session), *tick);
        let text = format!("Policy `{policy}` failed at {when}: {message}, {instead}.");
        Told::new(text, [*seq])
    };
    let mut told: Vec<Told> = session.faults.iter().take(NAMED).map(of).collect();
    if let Some(more) = session.faults.len().checked_sub(NAMED).filter(|more| *more > 0) {
        let times = counted(more as u64, "time", "times");
        told.push(Told::new(format!("It failed {times} more."), []));
    }
    told
}

fn cut(session: &Session, reason: ClipReason) -> Option<Told> {
    let cuts: Vec<&Cut> = session.cuts.iter().filter(|cut| cut.reason == reason).collect();
    let (first, last) = (cuts.first()?, cuts.last()?);
    let hours = clock(session).slot_hours();
    let energy = cuts.iter().map(|cut| cut.kw).sum::<f64>() * hours;
    let who = match reason {
        ClipReason::Site => match limiting(session).as_slice() {
            [] => "The limit of its site".to_owned(),
            sites => format!("The limit of site {}", sites.join(" and of site ")),
        },
        ClipReason::Battery => "Its battery".to_owned(),
        ClipReason::Charger => "What its charger can do".to_owned(),
    };
    let slots = counted(cuts.len() as u64, "slot", "slots");
    let when = if cuts.len() == 1 {
        format!("at {}", at(clock(session), first.tick))
    } else {
        format!("between {} and {}", at(clock(session), first.tick), at(clock(session), last.tick))
    };
    let text = format!("{who} cut what it asked for in {slots} {when}, {} in all.", kwh(energy));
    let met = session.hits.iter().find(|hit| reason == ClipReason::Site && hit.tick == first.tick);
    let named = if cuts.len() > NAMED { &[*first, *last][..] } else { &cuts };
    Some(Told::new(text, named.iter().map(|cut| cut.seq).chain(met.map(|hit| hit.seq))))
}

/// The sites before it that met their limits in the slots in which it was cut, quoted.
fn limiting(session: &Session) -> Vec<String> {
    let was_cut = |tick: u32| {
        session.cuts.iter().any(|cut| cut.tick == tick && cut.reason == ClipReason::Site)
    };
    let mut sites: Vec<_> =
        session.hits.iter().filter(|hit| was_cut(hit.tick)).map(|hit| hit.site).collect();
    sites.sort_unstable();
    sites.dedup();
    sites.iter().map(|site| format!("`{}`", session.scenario.sites[site.row()].name)).collect()
}

fn agreed(session: &Session) -> Option<Told> {
    let said: Vec<_> = session.agreed.iter().filter(|it| it.1 < end(session)).collect();
    let (first, last) = (said.first()?, said.last()?);
    let yes = said.iter().filter(|(_, _, agreed)| *agreed).count();
    let what = match (yes, said.len() - yes) {
        (0, _) => "did not agree to discharge".to_owned(),
        (_, 0) => "agreed to discharge".to_owned(),
        (yes, no) => format!("agreed to discharge {yes} times and took it back {no} times"),
    };
    Some(Told::new(format!("Its driver {what}."), events_of(first.0, last.0)))
}

fn events_of(first: u64, last: u64) -> Vec<u64> {
    if first == last { vec![first] } else { vec![first, last] }
}

/// The slot after the last one of the session, so far.
fn end(session: &Session) -> u32 {
    session.started.0 + session.slots.len() as u32
}

fn left(session: &Session) -> Told {
    let Some(ended) = &session.ended else {
        let last = end(session);
        let text = format!("It is still there at the end, {}.", at(clock(session), last));
        return Told::new(text, []);
    };
    let (tick, seq) = ended.at;
    let how = match ended.reason {
        EndReason::Departed => "It left",
        EndReason::Removed => "A fork took it out of the world",
        EndReason::Folded => "It left on the morning of its typical day, told",
    };
    let early = match session.announced.checked_sub(tick) {
        Some(ahead) if ahead > 0 && ended.reason == EndReason::Departed => {
            format!(", {} before it had announced", counted(ahead.into(), "slot", "slots"))
        }
        Some(_) | None => String::new(),
    };
    let (charged, discharged) = ended.moved_kwh;
    let gave = if discharged > 0.0 {
        format!(" and discharged {}", kwh(discharged))
    } else {
        String::new()
    };
    let text = format!(
        "{how} at {}{early} with {}; it had charged {}{gave}.",
        at(clock(session), tick),
        kwh(ended.energy_kwh),
        kwh(charged)
    );
    Told::new(text, [seq])
}

fn reason(session: &Session) -> Option<Told> {
    let ended = session.ended.as_ref()?;
    let Some((seq, missing, why)) = ended.missed else {
        let above = ended.energy_kwh - session.wanted_kwh;
        let words = if above > MISSED_MIN_KWH {
            format!("That is all that it wanted, and {} more.", kwh(above))
        } else {
            "That is all that it wanted.".to_owned()
        };
        return Some(Told::new(words, [ended.at.1]));
    };
    let text = format!(
        "{} were missing, for the reason `{}`: {}.",
        kwh(missing),
        why.name(),
        in_words(why)
    );
    Some(Told::new(text, [seq]))
}

/// What a reason means.
fn in_words(reason: MissedReason) -> &'static str {
    match reason {
        MissedReason::Removed => "it was taken out of the world before it was full",
        MissedReason::LeftEarly => {
            "it left before it had announced, and could still have been full by then"
        }
        MissedReason::TooShort => "full power all along would not have been enough",
        MissedReason::SiteLimit => "a site's limit cut what it asked for",
        MissedReason::Schedule => "its schedule asked for less than it needed",
    }
}
