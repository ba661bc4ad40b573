//! What a run came to, as a table or as JSON.

use crate::{
    args::Args,
    machine::Cost,
    output::{self, counted, decimal, thousands},
    table::{Table, Weight, is_nothing, shows_all},
};
use serde_json::json;
use std::path::Path;
use voltide_model::fleet::PopulationNotes;
use voltide_telemetry::{
    ClippedAnswer, Extreme, FailedCall, FlexibilitySums, LostPolicy, MissedTargets,
    NO_CHARGER_DISCHARGES, NotFiniteAnswer, SlackUsed, Summary, SystemCostRows,
};

/// Prints the summary of a run, of which quiet leaves its folder; `cost` where it was run just now.
pub(crate) fn print(id: &str, folder: &Path, summary: &Summary, cost: Option<&Cost>, args: &Args) {
    if args.json {
        let mut value = json!({ "run_id": id, "folder": folder, "cost": cost });
        if let (Some(line), Ok(serde_json::Value::Object(fields))) =
            (value.as_object_mut(), serde_json::to_value(summary))
        {
            line.extend(fields);
        }
        return output::say_json("run", &value);
    }
    if args.quiet {
        return output::say(&folder.display().to_string());
    }
    let mut table = table(id, summary);
    table.rows.push(row("outputs", folder.display().to_string()));
    table.rows.extend(cost.map(|cost| row("time", time(cost))));
    output::say(&table.fitted());
}

/// What is said of a run under one name.
struct Line {
    name: &'static str,
    /// What went wrong should not be overlooked: its name stands out.
    weight: Weight,
    /// Whether it is left out where there are no cars.
    is_of_cars: bool,
    says: Says,
}

/// What a line says of a run.
enum Says {
    /// There is always something to say.
    Always(fn(&Summary) -> String),
    /// Only where something happened; `None` leaves the line out.
    IfAny(fn(&Summary) -> Option<String>),
}

impl Line {
    const fn always(name: &'static str, says: fn(&Summary) -> String) -> Self {
        Self::new(name, Says::Always(says))
    }

    const fn if_any(name: &'static str, says: fn(&Summary) -> Option<String>) -> Self {
        Self::new(name, Says::IfAny(says))
    }

    const fn new(name: &'static str, says: Says) -> Self {
        Self { name, weight: Weight::Plain, is_of_cars: false, says }
    }

    const fn of_cars(self) -> Self {
        Self { is_of_cars: true, ..self }
    }

    const fn notable(self) -> Self {
        Self { weight: Weight::Notable, ..self }
    }

    const fn wrong(self) -> Self {
        Self { weight: Weight::Wrong, ..self }
    }

    /// What it says of a run, where it says anything.
    fn text(&self, summary: &Summary) -> Option<String> {
        if self.is_of_cars && summary.ev_count == 0 {
            return None;
        }
        match self.says {
            Says::Always(says) => Some(says(summary)),
            Says::IfAny(says) => says(summary),
        }
    }
}

/// What there is to say of a run, in order. What did not happen is left out, unless one would ask
/// for it.
const LINES: [Line; 28] = [
    Line::always("simulated", simulated),
    Line::always("charged", charged).of_cars(),
    Line::if_any("discharged", discharged).of_cars(),
    Line::if_any("willing", willing).of_cars(),
    Line::always("EV power", ev_power).of_cars(),
    Line::always("net load", net_load),
    Line::always("drivers pay", drivers_pay).of_cars(),
    Line::if_any("system cost", system_cost),
    Line::if_any("solver gap", solver_gap),
    Line::if_any("not solved", not_solved).notable(),
    Line::if_any("plant", not_used),
    Line::if_any("flexibility", flexibility),
    Line::if_any("relaxed", relaxed),
    Line::if_any("slack", slack),
    Line::always("sessions", sessions).of_cars(),
    Line::if_any("missed", missed).notable(),
    Line::if_any("no number", no_number).wrong(),
    Line::if_any("short trips", short_trips).notable(),
    Line::if_any("site limits", site_limits).notable(),
    Line::if_any("clipped", broken_contract).wrong(),
    Line::if_any("policy faults", policy_faults).wrong(),
    Line::if_any("policy out", |summary| summary.lost_policy.as_ref().map(out)).wrong(),
    Line::if_any("short stays", short_stays),
    Line::if_any("no stays", no_stays),
    Line::if_any("recorded", recorded),
    Line::if_any("requested", requested),
    Line::if_any("in reality", in_reality),
    Line::if_any("hand-overs", hand_overs),
];

/// The lines that say something of a run, below its id.
fn table(id: &str, summary: &Summary) -> Table {
    let mut rows = vec![row("run", id.to_owned())];
    let mut row_weights = vec![Weight::Plain];
    for line in &LINES {
        if let Some(text) = line.text(summary) {
            rows.push(row(line.name, text));
            row_weights.push(line.weight);
        }
    }
    Table { row_weights, ..Table::new(&[], rows, &[]) }
}

/// Amounts with what each is of, without those that would be shown as nothing unless all is to be
/// shown.
fn amounts<const N: usize>(amounts: [(f64, usize, &str); N]) -> Option<String> {
    let shown = amounts.map(|(amount, decimals, of)| (decimal(amount, decimals), of));
    let shown = shown.iter().filter(|(amount, _)| shows_all() || !is_nothing(amount));
    let shown: Vec<String> = shown.map(|(amount, of)| format!("{amount} {of}")).collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}

fn row(name: &str, value: String) -> Vec<String> {
    vec![name.to_owned(), value]
}

/// How many cars there are at the end, and how many a fork took out.
pub(crate) fn cars(summary: &Summary) -> String {
    let there = counted((summary.ev_count - summary.removed_cars).into(), "car", "cars");
    match summary.removed_cars {
        0 => there,
        removed => format!("{there} (and {} removed)", thousands(removed.into())),
    }
}

fn simulated(summary: &Summary) -> String {
    let days = decimal(summary.days, 2);
    let cars = cars(summary);
    let slots = counted(summary.slots.into(), "slot", "slots");
    format!("{cars}, {slots} ({days} days), {}", summary.status)
}

fn ev_power(summary: &Summary) -> String {
    let mean = decimal(summary.ev_mean_kw, 1);
    format!("mean {mean} kW{}", extreme(", peak", summary.ev_peak.as_ref()))
}

fn net_load(summary: &Summary) -> String {
    let peak = extreme("peak", summary.net_load_peak.as_ref());
    peak + &extreme(", valley", summary.net_load_valley.as_ref())
}

fn drivers_pay(summary: &Summary) -> String {
    let cost = decimal(summary.net_cost, 2);
    format!("{cost} {}{}", summary.currency, price_paid(summary))
}

/// What drivers pay per kWh: net of what they earn, and of the energy they give.
fn price_paid(summary: &Summary) -> String {
    let Some(price) = summary.net_cost_per_kwh else { return String::new() };
    let of = if summary.discharged_kwh > 0.0 { " charged less discharged" } else { "" };
    format!(", {} {}/kWh{of}", decimal(price, 4), summary.currency)
}

/// What was discharged, or why nothing was.
fn discharged(summary: &Summary) -> Option<String> {
    match &summary.no_discharge_reason {
        // In a world that is not about it nobody asks why.
        Some(reason) if reason == NO_CHARGER_DISCHARGES => None,
        Some(reason) => Some(format!("nothing: {reason}")),
        None if summary.discharged_kwh > 0.0 => {
            Some(format!("{} kWh", decimal(summary.discharged_kwh, 0)))
        }
        None => None,
    }
}

/// How far drivers agreed to discharge.
fn willing(summary: &Summary) -> Option<String> {
    let share = summary.willing_share?;
    Some(format!(
        "{} % of the hours that asked cars are plugged in; {} of {} sessions long enough for V2G",
        decimal(100.0 * share, 1),
        thousands(summary.v2g_eligible_sessions),
        thousands(summary.sessions())
    ))
}

fn charged(summary: &Summary) -> String {
    let kwh = decimal(summary.charged_kwh, 0);
    if summary.population.requested_kwh > 0.0 {
        let sessions = (summary.sessions_ended + summary.sessions_open).max(1);
        let each = decimal(summary.charged_kwh / sessions as f64, 2);
        return format!("{kwh} kWh, {each} kWh a session");
    }
    let each = decimal(summary.charged_kwh_per_ev_day, 2);
    format!("{kwh} kWh, {each} kWh a car and day")
}

fn extreme(name: &str, extreme: Option<&Extreme>) -> String {
    extreme.map_or_else(String::new, |at| {
        format!("{name} {} kW at {}", decimal(at.kw, 1), at.local_time.replace('T', " "))
    })
}

/// What was not served or not taken, and at which price; nothing where all was.
fn unserved(summary: &Summary, cost: &SystemCostRows) -> Option<String> {
    let price = summary.unserved_price_per_kwh.filter(|_| cost.unserved != 0.0)?;
    let amount = decimal(cost.unserved, 0);
    let price = decimal(price, 2);
    Some(format!("not served or taken {amount} (at {price} {}/kWh)", summary.currency))
}

/// What the plant cost, and of what that is made up; nothing in a world without one.
fn system_cost(summary: &Summary) -> Option<String> {
    let cost = summary.system_cost.as_ref()?;
    let parts = [
        ("thermal", cost.thermal),
        ("pumped hydro", cost.pumped_hydro),
        ("ess", cost.ess),
        ("wind", cost.wind),
        ("sun", cost.pv),
        ("shed and curtailed", cost.penalty),
        ("other", cost.other),
    ];
    let parts = parts.into_iter().filter(|(_, amount)| *amount != 0.0);
    let parts = parts.map(|(name, amount)| format!("{name} {}", decimal(amount, 0)));
    let parts: Vec<String> = parts.chain(unserved(summary, cost)).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    Some(format!("{} {}{parts}", decimal(cost.total, 0), summary.currency))
}

/// What a gap of the solver means.
const GAP: &str =
    "how much less the best switching of units may cost; smaller differences tell nothing";

fn solver_gap(summary: &Summary) -> Option<String> {
    // A smaller one would be shown as 0.
    let gap = summary.solver_gap.filter(|gap| *gap >= 0.5)?;
    Some(format!("{} {}: {GAP}", decimal(gap, 0), summary.currency))
}

/// Schedules of units that no solver found as it was asked.
fn not_solved(summary: &Summary) -> Option<String> {
    let ways = summary.solver_fallbacks.iter().map(|it| {
        let how = match it.status.as_str() {
            "looser_gap" => "with a looser gap",
            "without_integers" => "without integers",
            _ => "as planned before",
        };
        let first = it.local_time.replace('T', " ");
        format!("{} {how} (first {first})", counted(it.solves, "schedule", "schedules"))
    });
    let ways: Vec<String> = ways.collect();
    (!ways.is_empty()).then(|| ways.join(", "))
}

/// What of the plant's energy went unused, and of the demand unmet.
fn not_used(summary: &Summary) -> Option<String> {
    summary.system_cost?;
    amounts([
        (summary.curtailed_kwh, 0, "kWh of wind and sun curtailed"),
        (summary.interrupted_kwh, 0, "kWh of load shed"),
        (summary.unserved_kwh, 0, "kWh not served"),
        (summary.spilled_kwh, 0, "kWh not taken"),
    ])
}

/// What flexibility was missing.
fn flexibility(summary: &Summary) -> Option<String> {
    summary.system_cost?;
    amounts([
        (missing_kwh(summary.flexibility_up), 1, "kWh missing upwards"),
        (missing_kwh(summary.flexibility_down), 1, "kWh missing downwards"),
    ])
}

fn missing_kwh(sums: Option<FlexibilitySums>) -> f64 {
    sums.unwrap_or_default().shortfall_kwh
}

fn relaxed(summary: &Summary) -> Option<String> {
    summary.system_cost?;
    let what = "of ramps or stores that no schedule could meet (see `events`)";
    happened(summary.unmet_wishes, ["wish", "wishes"], what)
}

/// What schedules of units could not keep.
fn slack(summary: &Summary) -> Option<String> {
    let of = |it: &SlackUsed| {
        let first = it.local_time.replace('T', " ");
        format!("{} {} kWh (first {first})", it.name, decimal(it.kwh, 1))
    };
    let all: Vec<String> = summary.slack.iter().map(of).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// How many sessions there were, and that all of them came to their targets or how many did not.
fn sessions(summary: &Summary) -> String {
    let ended = thousands(summary.sessions_ended);
    let targets = match summary.missed_targets {
        0 if summary.sessions_ended == 0 => None,
        0 => Some(format!("{ended} ended, none below its target")),
        missed => {
            let kwh = decimal(summary.missing_kwh, 1);
            Some(format!("{ended} ended; {} below target by {kwh} kWh in all", thousands(missed)))
        }
    };
    let open =
        (summary.sessions_open > 0).then(|| format!("{} open", thousands(summary.sessions_open)));
    let said: Vec<String> = targets.into_iter().chain(open).collect();
    if said.is_empty() { "none".to_owned() } else { said.join("; ") }
}

/// How often something happened, and what it was; nothing where it did not.
fn happened(count: u64, [one, many]: [&str; 2], what: &str) -> Option<String> {
    (count > 0).then(|| format!("{} {what}", counted(count, one, many)))
}

fn no_number(summary: &Summary) -> Option<String> {
    let what = not_finite(summary).unwrap_or_default();
    happened(summary.answers_not_finite, SCHEDULES, &what)
}

fn short_trips(summary: &Summary) -> Option<String> {
    let what = format!("wanted {} kWh more than there was", decimal(summary.short_trips_kwh, 1));
    happened(summary.short_trips, ["trip", "trips"], &what)
}

fn site_limits(summary: &Summary) -> Option<String> {
    let cut = match summary.clipped_by_site {
        0 => String::new(),
        cut => format!(", {} cut", counted(cut, "set-point", "set-points")),
    };
    let unkept = match summary.unkept_limits {
        0 => String::new(),
        times => {
            let times = counted(times, "time", "times");
            format!(", {times} not kept by plans of all cars there")
        }
    };
    happened(summary.site_limit_hits, ["time", "times"], &format!("met{cut}{unkept}"))
}

fn broken_contract(summary: &Summary) -> Option<String> {
    let what = clipped(summary).unwrap_or_default();
    happened(summary.clipped_by_charger, SCHEDULES, &what)
}

fn policy_faults(summary: &Summary) -> Option<String> {
    let what = faults(summary).unwrap_or_default();
    happened(summary.policy_faults, ["call", "calls"], &what)
}

fn short_stays(summary: &Summary) -> Option<String> {
    let what = "too short to hold a whole slot, in which nothing could be charged";
    happened(summary.sessions_without_slot, ["stay", "stays"], what)
}

fn no_stays(summary: &Summary) -> Option<String> {
    let count = summary.population.stays_without_time.into();
    let what = "would have ended before beginning: the car drives on";
    happened(count, ["drawn stay", "drawn stays"], what)
}

/// Answers of a policy, in words.
const SCHEDULES: [&str; 2] = ["schedule", "schedules"];

/// By fleet, how many targets were missed for which reason.
fn missed(summary: &Summary) -> Option<String> {
    let mut fleets: Vec<(&str, Vec<String>)> = Vec::new();
    for MissedTargets { fleet, reason, targets, missing_kwh } in &summary.missed_by {
        let why = reason_in_words(reason);
        let what = format!("{} {why} ({} kWh)", thousands(*targets), decimal(*missing_kwh, 1));
        // They come sorted by fleet.
        match fleets.last_mut().filter(|(name, _)| name == fleet) {
            Some((_, reasons)) => reasons.push(what),
            None => fleets.push((fleet, vec![what])),
        }
    }
    let fleets =
        fleets.into_iter().map(|(fleet, reasons)| format!("{fleet}: {}", reasons.join(", ")));
    let said = fleets.collect::<Vec<_>>().join("; ");
    (!said.is_empty()).then_some(said)
}

/// A reason of the column `missed_reason` as words after a number.
fn reason_in_words(reason: &str) -> &str {
    match reason {
        "removed" => "taken out",
        "left_early" => "left early",
        "too_short" => "stayed too short",
        "site_limit" => "cut by a site's limit",
        "schedule" => "scheduled for less",
        other => other,
    }
}

/// Which answers were no numbers, after how many they are.
pub(crate) fn not_finite(summary: &Summary) -> Option<String> {
    let NotFiniteAnswer { ev, tick, local_time, answer } = summary.first_not_finite.as_ref()?;
    Some(format!(
        "held NaN or infinity, taken as 0 kW; the first is {answer} for car {ev} in slot {tick}, \
         {local_time}"
    ))
}

/// Which answers were beyond the charger, after how many they are.
pub(crate) fn clipped(summary: &Summary) -> Option<String> {
    let ClippedAnswer { ev, tick, local_time, asked_kw, applied_kw } =
        summary.first_clipped.as_ref()?;
    Some(format!(
        "broke the contract, cut to what the charger can do; the first asked {} kW of car {ev} \
         in slot {tick}, {local_time}, and got {} kW",
        decimal(*asked_kw, 1),
        decimal(*applied_kw, 1)
    ))
}

/// Which calls failed, after how many they are.
pub(crate) fn faults(summary: &Summary) -> Option<String> {
    let FailedCall { policy, tick, local_time, message, fallback } =
        summary.first_policy_fault.as_ref()?;
    let message = message.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    Some(format!(
        "failed, answered by `{fallback}`; the first of `{policy}` in slot {tick}, {local_time}: \
         {message}"
    ))
}

/// Which policy is out, and since when.
pub(crate) fn out(lost: &LostPolicy) -> String {
    let LostPolicy { policy, tick, local_time } = lost;
    format!("`{policy}` panicked in slot {tick}, {local_time}, and was not asked again")
}

/// What became of the recorded sessions that were read; nothing where none were.
fn recorded(summary: &Summary) -> Option<String> {
    let notes = of_recorded(summary)?;
    let outside = notes.sessions_before_start + notes.sessions_beyond_end;
    let with_slots = notes.sessions_in_reach - notes.sessions_without_slot - outside;
    let read = counted(notes.sessions_in_reach.into(), "session", "sessions");
    let kinds = [
        (notes.sessions_without_slot, "too short for one"),
        (notes.sessions_before_start, "over before the first slot of the run ends"),
        (notes.sessions_beyond_end, "with no slot before the run's end"),
    ];
    let others = kinds.into_iter().filter(|(count, _)| *count > 0);
    let others = others.map(|(count, what)| format!(", {} {what}", thousands(count.into())));
    let with_slots = thousands(with_slots.into());
    let others: String = others.collect();
    Some(format!("{read} within reach of the run: {with_slots} with slots{others}"))
}

/// What the population left out, where it is of recorded sessions that asked for energy.
fn of_recorded(summary: &Summary) -> Option<&PopulationNotes> {
    Some(&summary.population).filter(|notes| notes.requested_kwh != 0.0)
}

/// What drivers of recorded sessions asked for, and what of it their cars could not take.
fn requested(summary: &Summary) -> Option<String> {
    let notes = of_recorded(summary)?;
    let requested = decimal(notes.requested_kwh, 0);
    if notes.requests_capped == 0 {
        return Some(format!("{requested} kWh"));
    }
    let count = counted(notes.requests_capped.into(), "request", "requests");
    let kwh = decimal(notes.capped_kwh, 0);
    Some(format!("{requested} kWh; {count} capped by {kwh} kWh to what cars could take"))
}

/// What the drivers of recorded sessions were given where they were recorded.
fn in_reality(summary: &Summary) -> Option<String> {
    let kwh = decimal(of_recorded(summary)?.delivered_kwh, 0);
    Some(format!("{kwh} kWh delivered"))
}

fn hand_overs(summary: &Summary) -> Option<String> {
    let count = of_recorded(summary)?.hand_overs_within_slot;
    (count > 0).then(|| format!("{} within a slot", thousands(count.into())))
}

fn time(cost: &Cost) -> String {
    format!(
        "{:.2} s, {:.2} CPU s ({:.1} ns per car and tick), {:.0} MiB at most",
        cost.wall_s, cost.cpu_s, cost.run_cpu_ns_per_ev_tick, cost.peak_rss_mib
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(summary: &Summary, name: &str) -> Option<String> {
        let rows = table("a-run", summary).rows.into_iter();
        rows.filter(|row| row[0] == name).map(|row| row[1].clone()).next()
    }

    #[test]
    fn what_did_not_happen_has_no_row() {
        let population = PopulationNotes { requested_kwh: 5.0, ..PopulationNotes::default() };
        let plant = Some(SystemCostRows::default());
        let quiet = Summary { ev_count: 1, system_cost: plant, population, ..Summary::default() };
        let names: Vec<String> =
            table("a-run", &quiet).rows.into_iter().map(|row| row[0].clone()).collect();
        let expected =
            ["run", "simulated", "charged", "EV power", "net load", "drivers pay", "system cost"];
        assert_eq!(names[..7], expected);
        assert_eq!(names[7..], ["sessions", "recorded", "requested", "in reality"]);
        assert_eq!(text(&quiet, "requested").as_deref(), Some("5 kWh"));
        let no_cars = Summary { system_cost: plant, ..Summary::default() };
        assert_eq!(
            table("a-run", &no_cars).rows.len(),
            4,
            "run, simulated, net load and system cost"
        );
    }

    #[test]
    fn what_happened_is_said_without_what_did_not() {
        let up = Some(FlexibilitySums { shortfall_kwh: 0.04, ..FlexibilitySums::default() });
        let summary = Summary {
            ev_count: 1,
            system_cost: Some(SystemCostRows::default()),
            unserved_kwh: 1234.0,
            flexibility_up: up,
            flexibility_down: Some(FlexibilitySums {
                shortfall_kwh: 2.0,
                ..FlexibilitySums::default()
            }),
            site_limit_hits: 1,
            ..Summary::default()
        };
        assert_eq!(text(&summary, "plant").as_deref(), Some("1,234 kWh not served"));
        assert_eq!(text(&summary, "flexibility").as_deref(), Some("2.0 kWh missing downwards"));
        assert_eq!(text(&summary, "site limits").as_deref(), Some("1 time met"));
    }

    #[test]
    fn sessions_say_whether_targets_were_reached() {
        let of = |ended, open, missed| {
            let summary = Summary {
                ev_count: 1,
                sessions_ended: ended,
                sessions_open: open,
                missed_targets: missed,
                missing_kwh: 1.25 * missed as f64,
                ..Summary::default()
            };
            text(&summary, "sessions").unwrap()
        };
        assert_eq!(of(2000, 1, 0), "2,000 ended, none below its target; 1 open");
        assert_eq!(of(2, 0, 2), "2 ended; 2 below target by 2.5 kWh in all");
        assert_eq!((of(0, 3, 0), of(0, 0, 0)), ("3 open".to_owned(), "none".to_owned()));
    }

    #[test]
    fn missed_targets_are_told_by_fleet_and_reason() {
        let missed = |fleet: &str, reason, targets, missing_kwh| MissedTargets {
            fleet: fleet.to_owned(),
            reason,
            targets,
            missing_kwh,
        };
        let missed_by = vec![
            missed("cars", "site_limit", 12, 34.56),
            missed("cars", "too_short", 1, 2.0),
            missed("vans", "schedule", 3, 4.0),
        ];
        let summary = Summary { missed_by, ..Summary::default() };
        let said = "cars: 12 cut by a site's limit (34.6 kWh), 1 stayed too short (2.0 kWh); \
                    vans: 3 scheduled for less (4.0 kWh)";
        assert_eq!(text(&summary, "missed").as_deref(), Some(said));
    }
}
