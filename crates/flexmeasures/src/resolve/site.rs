//! The connection: prices, limits and peaks of the site's net flow.

use super::{Inventory, capacity};
use crate::{
    Mode,
    error::{Read, Rejection},
    file::{Context, Id, SensorReference, Variable},
    problem::{Limit, Members, Paid, Problem, Subject, Term},
    series::{Overlap, Reader, Unit},
};

/// Default price of breaching a limit of the site or of a group, per kW. FlexMeasures' own.
const FLOW_BREACH: f64 = 10_000.0;

/// Prices of energy, per kWh of each slot.
#[derive(Debug)]
pub(super) struct Energy {
    pub(super) buy: Vec<f64>,
    pub(super) sell: Vec<f64>,
}

/// A reference to a series by its id alone.
pub(super) fn reference_to(id: &Id) -> SensorReference {
    SensorReference {
        sensor: id.clone(),
        default: None,
        _source_types: None,
        _exclude_source_types: None,
        _sources: None,
        _source_account: None,
    }
}

/// Whether the deprecated price fields are used, which switch off all relaxation by default.
pub(super) fn is_old(context: &Context) -> bool {
    context.consumption_price_sensor.is_some() || context.production_price_sensor.is_some()
}

/// Reads the prices of energy.
pub(super) fn site(reader: &mut Reader<'_>, context: &Context) -> Read<Energy> {
    let buy = price(
        reader,
        context.consumption_price.as_ref(),
        context.consumption_price_sensor.as_ref(),
        "consumption",
    )?;
    let sell = price(
        reader,
        context.production_price.as_ref(),
        context.production_price_sensor.as_ref(),
        "production",
    )?;
    let buy = buy.ok_or_else(|| Rejection::schema("flex-context.consumption-price", "missing"))?;
    let sell = sell.unwrap_or_else(|| buy.clone());
    Ok(Energy { buy, sell })
}

fn price(
    reader: &mut Reader<'_>,
    new: Option<&Variable>,
    old: Option<&Id>,
    which: &str,
) -> Read<Option<Vec<f64>>> {
    let path = format!("flex-context.{which}-price");
    match (new, old) {
        (Some(_), Some(_)) => Err(Rejection::schema(
            path,
            format!(
                "give either `{which}-price` or the deprecated `{which}-price-sensor`, not both"
            ),
        )),
        (Some(variable), None) => reader.prices(variable, Unit::EnergyPrice, &path).map(Some),
        (None, Some(id)) => {
            let variable = Variable::Sensor(reference_to(id));
            reader.prices(&variable, Unit::EnergyPrice, &format!("{path}-sensor")).map(Some)
        }
        (None, None) => Ok(None),
    }
}

/// Adds commitments, the price of energy, peaks, and limits of the site.
pub(super) fn add_site(
    reader: &mut Reader<'_>,
    inventory: &Inventory<'_>,
    context: &Context,
    energy: &Energy,
    problem: &mut Problem,
) -> Read<()> {
    add_commitments(reader, inventory, context, problem)?;
    let site = problem.site();
    let slots = problem.grid.slots;
    let hours = problem.grid.hours();
    problem.terms.push(Term {
        name: "electricity net energy".to_owned(),
        subject: Subject::Flow(site.clone()),
        paid: Paid::Each,
        baseline: vec![Some(0.0); slots],
        // A term pays for kW in a slot, and prices are per kWh.
        up: energy.buy.iter().map(|price| price * hours).collect(),
        down: energy.sell.iter().map(|price| price * hours).collect(),
    });
    add_peaks(reader, context, &site, problem)?;
    let relaxed = !is_old(context)
        && context
            .relax_site_capacity_constraints
            .unwrap_or(context.relax_constraints.unwrap_or(true));
    let power = limit(
        reader,
        context.site_power_capacity.as_ref(),
        "flex-context.site-power-capacity",
        None,
    )?;
    let mut hard = (Vec::new(), Vec::new());
    for (consumes, capacity, breach, which) in [
        (
            true,
            &context.site_consumption_capacity,
            &context.site_consumption_breach_price,
            "consumption",
        ),
        (
            false,
            &context.site_production_capacity,
            &context.site_production_breach_price,
            "production",
        ),
    ] {
        let path = format!("flex-context.site-{which}-capacity");
        let limit = limit(reader, capacity.as_ref(), &path, Some(&power))?;
        let path = format!("flex-context.site-{which}-breach-price");
        let price = breach_price(
            reader,
            breach.as_ref(),
            Unit::PowerPrice,
            &path,
            relaxed.then_some(FLOW_BREACH),
        )?;
        let side = if consumes { &mut hard.0 } else { &mut hard.1 };
        // What may be exceeded at a price may not leave the power capacity, which is hard.
        side.clone_from(if price.is_some() { &power } else { &limit });
        if let Some(price) = price {
            let breach = Breach {
                what: "electricity",
                which,
                device: "",
                consumes,
                limit: &limit,
                price: &price,
            };
            breach.add(Subject::Flow(site.clone()), problem);
        }
    }
    add_limit("site-power-capacity", site, &hard.0, &hard.1, problem);
    add_groups(reader, inventory, problem)
}

/// A capacity of each slot, kW; infinite where there is none, at most the power capacity.
fn limit(
    reader: &mut Reader<'_>,
    variable: Option<&Variable>,
    path: &str,
    power: Option<&Vec<f64>>,
) -> Read<Vec<f64>> {
    let cells = capacity::cells(reader, variable, path)?;
    let most = |j: usize| power.map_or(f64::INFINITY, |power| power[j]);
    Ok(cells
        .iter()
        .enumerate()
        .map(|(j, cell)| cell.unwrap_or(f64::INFINITY).min(most(j)))
        .collect())
}

fn add_limit(name: &str, members: Members, most: &[f64], least: &[f64], problem: &mut Problem) {
    if most.iter().chain(least).all(|limit| limit.is_infinite()) {
        return;
    }
    let least = least.iter().map(|limit| -limit).collect();
    problem.limits.push(Limit { name: name.to_owned(), members, least, most: most.to_vec() });
}

/// The price of a breach in each slot, or the default; `None` where the constraint is hard.
pub(super) fn breach_price(
    reader: &mut Reader<'_>,
    variable: Option<&Variable>,
    unit: Unit,
    path: &str,
    default: Option<f64>,
) -> Read<Option<Vec<f64>>> {
    let Some(variable) = variable else {
        return Ok(default.map(|price| vec![price; reader.grid.slots]));
    };
    let prices = reader.prices(variable, unit, path)?;
    if prices.iter().any(|&price| price < 0.0) {
        return Err(Rejection::schema(path, "the price of a breach is not negative"));
    }
    Ok(Some(prices))
}

/// A soft limit of a flow in one direction.
pub(super) struct Breach<'a> {
    pub(super) what: &'a str,
    pub(super) which: &'a str,
    /// What follows the name, as in ` device 0`.
    pub(super) device: &'a str,
    pub(super) consumes: bool,
    pub(super) limit: &'a [f64],
    pub(super) price: &'a [f64],
}

impl Breach<'_> {
    /// Adds what the largest breach costs, and what all of them cost.
    pub(super) fn add(&self, subject: Subject, problem: &mut Problem) {
        let sign = if self.consumes { 1.0 } else { -1.0 };
        let hours = problem.grid.hours();
        let baseline: Vec<Option<f64>> =
            // Zero times an infinite deviation is no number.
            self.limit.iter().map(|limit| limit.is_finite().then_some(sign * limit)).collect();
        let lead = if self.what.is_empty() { String::new() } else { format!("{} ", self.what) };
        for (paid, name, factor) in [
            (Paid::Largest, format!("{lead}any {} breach{}", self.which, self.device), 1.0),
            (Paid::Each, format!("{lead}all {} breaches{}", self.which, self.device), hours),
        ] {
            let priced: Vec<f64> = self.price.iter().map(|price| sign * price * factor).collect();
            let free = vec![0.0; priced.len()];
            let (up, down) = if self.consumes { (priced, free) } else { (free, priced) };
            problem.terms.push(Term {
                name,
                subject: subject.clone(),
                paid,
                baseline: baseline.clone(),
                up,
                down,
            });
        }
    }
}

fn add_peaks(
    reader: &mut Reader<'_>,
    context: &Context,
    site: &Members,
    problem: &mut Problem,
) -> Read<()> {
    for (consumes, which, baseline, price) in [
        (true, "consumption", &context.site_peak_consumption, &context.site_peak_consumption_price),
        (false, "production", &context.site_peak_production, &context.site_peak_production_price),
    ] {
        let field = format!("flex-context.site-peak-{which}");
        let Some(price) = price else {
            if baseline.is_some() {
                return Err(Rejection::schema(
                    field,
                    format!("a peak costs nothing without `site-peak-{which}-price`"),
                ));
            }
            continue;
        };
        let sign = if consumes { 1.0 } else { -1.0 };
        let price =
            breach_price(reader, Some(price), Unit::PowerPrice, &format!("{field}-price"), None)?;
        let priced: Vec<f64> = price.iter().flatten().map(|price| sign * price).collect();
        let levels = match baseline {
            Some(variable) => reader.prices(variable, Unit::Power, &field)?,
            None => vec![0.0; problem.grid.slots],
        };
        let free = vec![0.0; priced.len()];
        let (up, down) = if consumes { (priced, free) } else { (free, priced) };
        problem.terms.push(Term {
            name: format!("electricity {which} peak"),
            subject: Subject::Flow(site.clone()),
            paid: Paid::Largest,
            baseline: levels.iter().map(|level| Some(sign * level)).collect(),
            up,
            down,
        });
    }
    Ok(())
}

/// Limits of groups: power capacities are hard, directional ones are soft.
fn add_groups(
    reader: &mut Reader<'_>,
    inventory: &Inventory<'_>,
    problem: &mut Problem,
) -> Read<()> {
    for (key, placed) in &inventory.groups {
        let entry = placed.entry;
        let path = placed.path;
        if super::missing::has_stock(entry) || entry.soc_at_start.is_some() {
            return Err(Rejection::schema(path, "a group has limits of power and no stock"));
        }
        let members = inventory.members(key, &inventory.fixed)?;
        if members == Members::default() {
            return Err(Rejection::schema(path, "no device belongs to this group"));
        }
        let power =
            limit(reader, entry.power_capacity.as_ref(), &format!("{path}.power-capacity"), None)?;
        add_limit(&format!("group {key} power-capacity"), members.clone(), &power, &power, problem);
        for (consumes, capacity, which) in [
            (true, &entry.consumption_capacity, "consumption"),
            (false, &entry.production_capacity, "production"),
        ] {
            if capacity.is_some() {
                let path = format!("{path}.{which}-capacity");
                let limit = limit(reader, capacity.as_ref(), &path, Some(&power))?;
                let price = vec![FLOW_BREACH; limit.len()];
                let what = format!("group {key}");
                Breach { what: &what, which, device: "", consumes, limit: &limit, price: &price }
                    .add(Subject::Flow(members.clone()), problem);
            }
        }
    }
    Ok(())
}

fn add_commitments(
    reader: &mut Reader<'_>,
    inventory: &Inventory<'_>,
    context: &Context,
    problem: &mut Problem,
) -> Read<()> {
    for (index, commitment) in context.commitments.iter().flatten().enumerate() {
        let path = format!("flex-context.commitments[{index}]");
        if commitment.up_price.is_none() && commitment.down_price.is_none() {
            return Err(Rejection::schema(
                path,
                "a commitment needs an `up-price` or a `down-price`",
            ));
        }
        let baseline = reader.noted(
            &commitment.baseline,
            Unit::Power,
            Overlap::First,
            &format!("{path}.baseline"),
            "nothing is agreed there",
        )?;
        let mut prices = |variable: Option<&Variable>, field: &str| {
            let Some(variable) = variable else { return Ok(vec![0.0; baseline.len()]) };
            let path = format!("{path}.{field}");
            let taken = "a deviation is free there";
            let cells = reader.noted(variable, Unit::PowerPrice, Overlap::First, &path, taken)?;
            Ok(cells.into_iter().map(|cell| cell.unwrap_or(0.0)).collect())
        };
        let up = prices(commitment.up_price.as_ref(), "up-price")?;
        let down = prices(commitment.down_price.as_ref(), "down-price")?;
        let members = scope(inventory, commitment, &path, problem)?;
        // Costs of one name are summed, and the price of energy is to be told by itself.
        let taken = commitment.name == "electricity net energy";
        let name =
            if taken { format!("{} (custom)", commitment.name) } else { commitment.name.clone() };
        problem.terms.push(Term {
            name,
            subject: Subject::Flow(members),
            paid: Paid::Each,
            baseline,
            up,
            down,
        });
    }
    Ok(())
}

fn scope(
    inventory: &Inventory<'_>,
    commitment: &crate::file::Commitment,
    path: &str,
    problem: &Problem,
) -> Read<Members> {
    match (&commitment.sensors, &commitment.group) {
        (Some(_), Some(_)) => Err(Rejection::schema(path, "give `sensors` or `group`, not both")),
        (None, None) => Ok(problem.site()),
        (None, Some(group)) => {
            let key = super::group_key(group).unwrap_or_default();
            if !inventory.groups.contains_key(&key) {
                return Err(Rejection::schema(
                    format!("{path}.group"),
                    format!("there is no group {key}"),
                ));
            }
            inventory.members(&key, &inventory.fixed)
        }
        (Some(sensors), None) => {
            let mut members = Members::default();
            for (index, Id(name)) in sensors.iter().enumerate() {
                let device = inventory.names.iter().position(|device| device == name);
                let fixed = problem.fixed.iter().position(|device| device.name == *name);
                if device.is_none() && fixed.is_none() {
                    let problem = format!("no device of this problem has sensor `{name}`");
                    return Err(Rejection::schema(format!("{path}.sensors[{index}]"), problem));
                }
                members.devices.extend(device);
                members.fixed.extend(fixed);
            }
            Ok(members)
        }
    }
}

/// Whether the context's switches let bounds of stored energy be breached, at a price.
pub(super) fn relaxes_stock(context: &Context, off_tick: bool) -> bool {
    let asked = context.relax_soc_constraints;
    let umbrella = asked.unwrap_or(context.relax_constraints.unwrap_or(true));
    // FlexMeasures relaxes the bounds of a device with a wish between two ticks as well, unless it
    // is told not to.
    !is_old(context) && (umbrella || (off_tick && asked != Some(false)))
}

/// Whether hard wishes become soft, because the best effort is wanted rather than a refusal.
pub(super) fn softens(mode: Mode) -> bool {
    mode == Mode::BestEffort
}
