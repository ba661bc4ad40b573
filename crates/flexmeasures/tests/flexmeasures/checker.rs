//! An independent reading of a case: holds a schedule against every constraint of the input, and
//! prices it by the published formulas. It shares no code with the library, and knows the shapes
//! that the cases have; any other one is an error.

use chrono::{DateTime, Duration, Utc};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a schedule may be off by, kW and kWh.
const TOLERANCE: f64 = 1e-6;
/// Breaches below this are rounding, kW and kWh.
const ROUNDING: f64 = 1e-7;

/// A case and the schedule that is judged, with T slots of `hours`.
pub(crate) struct Checker<'a> {
    case: &'a Value,
    context: &'a Value,
    start: DateTime<Utc>,
    slot: Duration,
    hours: f64,
    slots: usize,
}

/// Values by slot or by tick, where there are any.
type Cells = Vec<Option<f64>>;

/// Number and unit of a text such as `0.31 EUR/kWh`.
fn split(text: &str) -> (f64, &str) {
    let end = text.find(|c: char| !"0123456789.+-eE".contains(c) || c == 'E').unwrap_or(text.len());
    (
        text[..end].trim().parse().unwrap_or_else(|_| panic!("no number in {text}")),
        text[end..].trim(),
    )
}

/// A quantity in kW, kWh, shares, or money per kW or kWh.
fn quantity(value: &Value, bare: f64) -> f64 {
    let Some(text) = value.as_str() else { return value.as_f64().expect("a number") * bare };
    let (number, unit) = split(text);
    let per = unit.split_once('/').filter(|(currency, _)| currency.len() == 3);
    let unit = per.map_or((unit, false), |(_, per)| (per, true));
    let factor = match unit.0 {
        "kW" | "kWh" | "kVA" => 1.0,
        "MW" | "MWh" | "MVA" => 1000.0,
        "W" | "Wh" => 1e-3,
        "%" => 0.01,
        "" => return number * bare,
        other => panic!("unit {other} of {text} is not known to the checker"),
    };
    number * if unit.1 { 1.0 / factor } else { factor }
}

fn instant(value: &Value) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(value.as_str().expect("an instant"))
        .expect("aware")
        .with_timezone(&Utc)
}

/// Length of `PT15M`, `PT1H`, `PT1H30M` or `PT24H`.
fn duration(value: &Value) -> Duration {
    let mut text =
        value.as_str().expect("a duration").strip_prefix("PT").expect("a duration without days");
    let mut total = Duration::zero();
    while !text.is_empty() {
        let end = text.find(|c: char| !c.is_ascii_digit()).expect("a unit");
        let number: i64 = text[..end].parse().expect("a number");
        total += match &text[end..=end] {
            "H" => Duration::hours(number),
            "M" => Duration::minutes(number),
            "S" => Duration::seconds(number),
            other => panic!("unit {other} of a duration is not known to the checker"),
        };
        text = &text[end + 1..];
    }
    total
}

/// Fails on a key that the checker would pass over.
fn know(object: &Value, known: &[&str]) {
    for key in object.as_object().expect("an object").keys() {
        assert!(known.contains(&key.as_str()), "the checker does not know `{key}`");
    }
}

struct Span {
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    value: f64,
}

fn spans(events: &[Value], bare: f64) -> Vec<Span> {
    let span = |event: &Value| {
        know(event, &["value", "datetime", "start", "end", "duration"]);
        let value = quantity(&event["value"], bare);
        if event["datetime"].is_string() {
            let at = instant(&event["datetime"]);
            return Span { start: at, end: at, value };
        }
        let start = instant(&event["start"]);
        let end = if event["end"].is_string() {
            instant(&event["end"])
        } else {
            start + duration(&event["duration"])
        };
        Span { start, end, value }
    };
    events.iter().map(span).collect()
}

/// A storage device as the case gives it, with its schedule.
struct Device<'a> {
    model: &'a Value,
    index: usize,
    bare: f64,
    power: Vec<f64>,
    soc: Vec<f64>,
    charge_max: Vec<f64>,
    discharge_max: Vec<f64>,
    power_max: Vec<f64>,
    up: Vec<f64>,
    down: Vec<f64>,
}

fn numbers(value: &Value) -> Vec<f64> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|number| number.as_f64().expect("a number"))
        .collect()
}

impl<'a> Checker<'a> {
    pub(crate) fn new(case: &'a Value) -> Self {
        know(
            case,
            &[
                "name",
                "description",
                "tags",
                "timezone",
                "start",
                "end",
                "duration",
                "resolution",
                "flex-model",
                "flex-context",
                "sensors",
                "expected",
            ],
        );
        let start = instant(&case["start"]);
        let slot = duration(&case["resolution"]);
        let end = match &case["end"] {
            Value::Null => start + duration(&case["duration"]),
            end => instant(end),
        };
        let slots = ((end - start).num_seconds() / slot.num_seconds()) as usize;
        let context = &case["flex-context"];
        know(
            context,
            &[
                "consumption-price",
                "production-price",
                "site-power-capacity",
                "site-consumption-capacity",
                "site-production-capacity",
                "site-consumption-breach-price",
                "site-production-breach-price",
                "site-peak-consumption",
                "site-peak-consumption-price",
                "site-peak-production",
                "site-peak-production-price",
                "soc-minima-breach-price",
                "soc-maxima-breach-price",
                "consumption-breach-price",
                "production-breach-price",
                "relax-constraints",
                "relax-soc-constraints",
                "relax-site-capacity-constraints",
                "relax-capacity-constraints",
                "inflexible-consumption",
                "inflexible-production",
                "commitments",
            ],
        );
        let hours = slot.num_seconds() as f64 / 3600.0;
        Self { case, context, start, slot, hours, slots }
    }

    fn tick(&self, j: usize) -> DateTime<Utc> {
        self.start + self.slot * i32::try_from(j).expect("few slots")
    }

    /// A quantity in the slots that it covers; the first of several events holds, or the least.
    fn by_slot(&self, value: &Value, least: bool) -> Cells {
        match value {
            Value::Null => vec![None; self.slots],
            Value::Array(events) => {
                let mut cells = vec![None; self.slots];
                for span in spans(events, 1.0) {
                    for (j, cell) in cells.iter_mut().enumerate() {
                        if self.tick(j) >= span.start && self.tick(j + 1) <= span.end {
                            let before = cell.unwrap_or(span.value);
                            *cell = Some(if least { before.min(span.value) } else { before });
                        }
                    }
                }
                cells
            }
            Value::Object(reference) => {
                know(value, &["sensor"]);
                let sensor = &self.case["sensors"][reference["sensor"].as_str().expect("a name")];
                let (start, step) = (instant(&sensor["start"]), duration(&sensor["resolution"]));
                let unit = sensor["unit"].as_str().expect("a unit");
                let factor = quantity(&Value::String(format!("1 {unit}")), 1.0);
                let values = numbers(&sensor["values"]);
                let at =
                    |j: usize| ((self.tick(j) - start).num_seconds() / step.num_seconds()) as usize;
                assert!(step >= self.slot, "the checker does not know series finer than the slots");
                (0..self.slots).map(|j| values.get(at(j)).map(|value| value * factor)).collect()
            }
            fixed => vec![Some(quantity(fixed, 1.0)); self.slots],
        }
    }

    /// A series that goes on before its first and after its last value.
    fn priced(&self, value: &Value) -> Vec<f64> {
        let cells = self.by_slot(value, false);
        let first = cells.iter().position(Option::is_some).expect("a price");
        let last = cells.iter().rposition(Option::is_some).expect("a price");
        (0..self.slots).map(|j| cells[j.clamp(first, last)].expect("no gap")).collect()
    }

    fn flag(&self, name: &str) -> Option<bool> {
        self.context[name].as_bool()
    }

    fn relaxes(&self, name: &str) -> bool {
        self.flag(name).unwrap_or(self.flag("relax-constraints").unwrap_or(true))
    }

    /// Judges a schedule as the program gives it in JSON; returns its price.
    pub(crate) fn judge(&self, answer: &Value) -> f64 {
        let (single, models): (bool, Vec<&Value>) = match &self.case["flex-model"] {
            Value::Array(models) => (false, models.iter().collect()),
            one => (true, vec![one]),
        };
        let mut devices = Vec::new();
        for (index, model) in models.into_iter().enumerate() {
            let name = if single { "battery" } else { model["sensor"].as_str().expect("a name") };
            devices.push(self.device(model, index, name, answer));
        }
        let mut price = devices.iter().map(|device| self.device_price(device)).sum();
        let mut site = vec![0.0; self.slots];
        for device in &devices {
            site.iter_mut().zip(&device.power).for_each(|(sum, power)| *sum += power);
        }
        let mut fixed: BTreeMap<String, Vec<f64>> = BTreeMap::new();
        for (field, sign) in [("inflexible-consumption", 1.0), ("inflexible-production", -1.0)] {
            for reference in self.context[field].as_array().into_iter().flatten() {
                let power: Vec<f64> = self
                    .by_slot(reference, false)
                    .iter()
                    .map(|cell| sign * cell.unwrap_or(0.0))
                    .collect();
                site.iter_mut().zip(&power).for_each(|(sum, power)| *sum += power);
                fixed.insert(reference["sensor"].as_str().expect("a name").to_owned(), power);
            }
        }
        price += self.site_price(&site);
        for commitment in self.context["commitments"].as_array().into_iter().flatten() {
            know(commitment, &["name", "baseline", "up-price", "down-price", "sensors"]);
            let flow = match &commitment["sensors"] {
                Value::Null => site.clone(),
                names => {
                    let mut flow = vec![0.0; self.slots];
                    for name in names.as_array().expect("a list") {
                        let name = name.as_str().expect("a name");
                        let found = numbers(&answer["power_kw"][name]);
                        flow.iter_mut().zip(&found).for_each(|(sum, power)| *sum += power);
                    }
                    flow
                }
            };
            let baseline = self.by_slot(&commitment["baseline"], false);
            let (up, down) = (
                self.by_slot(&commitment["up-price"], false),
                self.by_slot(&commitment["down-price"], false),
            );
            for j in 0..self.slots {
                let Some(baseline) = baseline[j] else { continue };
                let deviation = flow[j] - baseline;
                price += deviation.max(0.0) * up[j].unwrap_or(0.0)
                    + deviation.min(0.0) * down[j].unwrap_or(0.0);
            }
        }
        price
    }

    /// Reads a device and its schedule, and checks capacities, modes and the recursion of its stock.
    fn device<'b>(&self, model: &'b Value, index: usize, name: &str, answer: &Value) -> Device<'b> {
        know(
            model,
            &[
                "sensor",
                "soc-unit",
                "soc-at-start",
                "soc-min",
                "soc-max",
                "soc-minima",
                "soc-maxima",
                "soc-targets",
                "soc-gain",
                "soc-usage",
                "roundtrip-efficiency",
                "charging-efficiency",
                "discharging-efficiency",
                "storage-efficiency",
                "prefer-charging-sooner",
                "prefer-curtailing-later",
                "power-capacity",
                "consumption-capacity",
                "production-capacity",
                "operation-modes",
            ],
        );
        let bare = if model["soc-unit"] == "MWh" { 1000.0 } else { 1.0 };
        let (charge, discharge) = (
            self.by_slot(&model["consumption-capacity"], true),
            self.by_slot(&model["production-capacity"], true),
        );
        let power_max: Vec<f64> = match &model["power-capacity"] {
            Value::Null => {
                let zero = |cell: Option<f64>| cell.unwrap_or(0.0);
                charge.iter().zip(&discharge).map(|(&c, &d)| zero(c).max(zero(d))).collect()
            }
            given => self
                .by_slot(given, true)
                .into_iter()
                .map(|cell| cell.expect("a capacity"))
                .collect(),
        };
        let open = |cells: &Cells| cells.iter().flatten().any(|&capacity| capacity > 0.0);
        let side = |own: &Cells, own_field: &str, other: &Cells| -> Vec<f64> {
            let closed = model[own_field].is_null() && open(other);
            own.iter()
                .zip(&power_max)
                .map(|(own, &power)| if closed { 0.0 } else { own.unwrap_or(power).min(power) })
                .collect()
        };
        let (up, down) = match &model["roundtrip-efficiency"] {
            Value::Null => {
                let side = |field: &str| -> Vec<f64> {
                    self.by_slot(&model[field], false)
                        .into_iter()
                        .map(|cell| cell.unwrap_or(1.0))
                        .collect()
                };
                (side("charging-efficiency"), side("discharging-efficiency"))
            }
            roundtrip => {
                let one_way = vec![quantity(roundtrip, 1.0).sqrt(); self.slots];
                (one_way.clone(), one_way)
            }
        };
        let device = Device {
            model,
            index,
            bare,
            power: numbers(&answer["power_kw"][name]),
            soc: if answer["soc_kwh"][name].is_null() {
                Vec::new()
            } else {
                numbers(&answer["soc_kwh"][name])
            },
            charge_max: side(&charge, "consumption-capacity", &discharge),
            discharge_max: side(&discharge, "production-capacity", &charge),
            power_max,
            up,
            down,
        };
        self.check_power(&device);
        self.check_stock(&device);
        device
    }

    fn check_power(&self, device: &Device<'_>) {
        assert_eq!(device.power.len(), self.slots);
        let (soft_up, soft_down) =
            (self.capacity_price("consumption", device), self.capacity_price("production", device));
        for (j, &power) in device.power.iter().enumerate() {
            let most = if soft_up.is_some() { device.power_max[j] } else { device.charge_max[j] };
            let least =
                if soft_down.is_some() { device.power_max[j] } else { device.discharge_max[j] };
            assert!(
                power <= most + TOLERANCE && power >= -least - TOLERANCE,
                "{power} kW in slot {j}"
            );
            if let Some(modes) = device.model["operation-modes"].as_array() {
                let range = |mode: &Value, field: &str| {
                    mode[field]
                        .as_array()
                        .map(|ends| (quantity(&ends[0], 1000.0), quantity(&ends[1], 1000.0)))
                };
                let kept = modes.iter().any(|mode| {
                    let (low, high) =
                        match (range(mode, "consumption-range"), range(mode, "production-range")) {
                            (Some((low, high)), None) => (low, high),
                            (None, Some((low, high))) => (-high, -low),
                            (Some((_, high)), Some((_, most))) => (-most, high),
                            (None, None) => panic!("a mode without a range"),
                        };
                    power >= low - TOLERANCE && power <= high + TOLERANCE
                });
                assert!(kept, "{power} kW in slot {j} is in no operation mode");
            }
        }
    }

    /// Price of breaching a directional capacity, per kW; `None` where it is hard.
    fn capacity_price(&self, which: &str, device: &Device<'_>) -> Option<Vec<f64>> {
        let field = format!("{which}-breach-price");
        let given = !device.model[format!("{which}-capacity")].is_null();
        let limit = if which == "consumption" { &device.charge_max } else { &device.discharge_max };
        if !given || limit.iter().all(|&limit| limit <= 0.0) {
            return None;
        }
        if !self.context[&field].is_null() {
            return Some(self.priced(&self.context[&field]));
        }
        let none = self.context["consumption-breach-price"].is_null()
            && self.context["production-breach-price"].is_null();
        (none && self.flag("relax-capacity-constraints") == Some(true))
            .then(|| vec![100.0; self.slots])
    }

    fn check_stock(&self, device: &Device<'_>) {
        if device.soc.is_empty() {
            return;
        }
        let model = device.model;
        assert_eq!(device.soc.len(), self.slots + 1);
        let start = if model["soc-at-start"].is_null() {
            0.0
        } else {
            quantity(&model["soc-at-start"], device.bare)
        };
        assert!((device.soc[0] - start).abs() < TOLERANCE);
        let kept = self.by_slot(&model["storage-efficiency"], false);
        let flow = |field: &str, j: usize| -> f64 {
            let parts = model[field].as_array().into_iter().flatten();
            parts.map(|part| self.by_slot(part, false)[j].unwrap_or(0.0)).sum()
        };
        for (j, kept) in kept.iter().enumerate() {
            let a = kept.unwrap_or(1.0);
            let b = if (a - 1.0).abs() < 1e-15 { 1.0 } else { (a - 1.0) / libm::log(a) };
            let power = device.power[j];
            let stored = power.max(0.0) * device.up[j] + power.min(0.0) / device.down[j];
            let by_itself = flow("soc-gain", j) - flow("soc-usage", j);
            let after = a * device.soc[j] + b * self.hours * (stored + by_itself);
            assert!((after - device.soc[j + 1]).abs() < TOLERANCE, "stock after slot {j}");
        }
        let within = |field: &str, sign: f64| {
            if model[field].is_null() {
                return;
            }
            let bound = quantity(&model[field], device.bare);
            for soc in &device.soc[1..] {
                assert!(sign * (soc - bound) <= TOLERANCE, "{soc} kWh breaks {field}");
            }
        };
        within("soc-min", -1.0);
        within("soc-max", 1.0);
    }

    /// Minima, maxima and targets at the end of each slot, those between ticks projected.
    fn wishes(&self, device: &Device<'_>, soft: bool) -> [Cells; 3] {
        let model = device.model;
        let is_off = |at: DateTime<Utc>| {
            (at - self.start).num_seconds().rem_euclid(self.slot.num_seconds()) != 0
        };
        let mut lists =
            ["soc-minima", "soc-maxima", "soc-targets"].map(|field| match &model[field] {
                Value::Array(events) => spans(events, device.bare),
                Value::Null => Vec::new(),
                fixed => vec![Span {
                    start: self.start,
                    end: self.tick(self.slots),
                    value: quantity(fixed, device.bare),
                }],
            });
        let limit = |field: &str, otherwise: f64| {
            if model[field].is_null() { otherwise } else { quantity(&model[field], device.bare) }
        };
        let (least, most) = (limit("soc-min", f64::NEG_INFINITY), limit("soc-max", f64::INFINITY));
        let mut added: [Vec<Span>; 3] = [Vec::new(), Vec::new(), Vec::new()];
        for (list, spans) in lists.iter().enumerate() {
            for span in spans.iter().filter(|span| span.start == span.end && is_off(span.end)) {
                let slot = (span.end - self.start).num_seconds().div_euclid(self.slot.num_seconds())
                    as usize;
                let (before, after) = (self.tick(slot), self.tick(slot + 1));
                let hours = |from: DateTime<Utc>, to: DateTime<Utc>| {
                    (to - from).num_seconds() as f64 / 3600.0
                };
                let up = device.charge_max[slot] * device.up[slot];
                let down = device.discharge_max[slot] / device.down[slot];
                let mut put = |list: usize, at: DateTime<Utc>, value: f64| {
                    let value = if list == 0 { value.max(least) } else { value.min(most) };
                    added[list].push(Span { start: at, end: at, value });
                };
                if list != 1 {
                    put(0, before, span.value - up * hours(before, span.end));
                }
                if list != 0 {
                    put(1, before, span.value + down * hours(before, span.end));
                }
                match list {
                    0 => put(0, after, span.value - down * hours(span.end, after)),
                    1 => put(1, after, span.value + up * hours(span.end, after)),
                    _ => added[2].push(Span { start: after, end: after, value: span.value }),
                }
            }
        }
        for (list, added) in lists.iter_mut().zip(added) {
            list.extend(added);
        }
        let mut kind = 0;
        lists.map(|list| {
            let mut cells = vec![None; self.slots];
            for span in list {
                for (j, cell) in cells.iter_mut().enumerate() {
                    let at = self.tick(j + 1);
                    if at >= span.start && at <= span.end {
                        *cell = Some(match (*cell, soft, kind) {
                            (Some(before), true, 0) => f64::max(before, span.value),
                            (Some(before), true, 1) => f64::min(before, span.value),
                            (Some(before), true, _) => before,
                            _ => span.value,
                        });
                    }
                }
            }
            kind += 1;
            cells
        })
    }

    /// Price of breaching wishes for stored energy, per kWh; `None` where they are hard.
    fn stock_price(&self, which: &str, device: &Device<'_>) -> Option<Vec<f64>> {
        let field = format!("soc-{which}-breach-price");
        if !self.context[&field].is_null() {
            return Some(self.priced(&self.context[&field]));
        }
        let seconds = self.slot.num_seconds();
        let off = ["soc-minima", "soc-maxima", "soc-targets"].into_iter().any(|field| {
            let events = device.model[field].as_array().into_iter().flatten();
            let mut instants =
                events.flat_map(|event| ["datetime", "start", "end"].map(|key| &event[key]));
            instants.any(|at| {
                at.is_string() && (instant(at) - self.start).num_seconds().rem_euclid(seconds) != 0
            })
        });
        let by_itself = off && self.flag("relax-soc-constraints") != Some(false);
        (self.relaxes("relax-soc-constraints") || by_itself).then(|| vec![1000.0; self.slots])
    }

    /// What a device costs beside its energy: breaches, and not being full.
    fn device_price(&self, device: &Device<'_>) -> f64 {
        let mut price = 0.0;
        for (which, limit, sign) in
            [("consumption", &device.charge_max, 1.0), ("production", &device.discharge_max, -1.0)]
        {
            if let Some(prices) = self.capacity_price(which, device) {
                let breaches =
                    device.power.iter().zip(limit).map(|(power, limit)| sign * power - limit);
                let levels: Cells = limit.iter().copied().map(Some).collect();
                price += priced_breaches(breaches.map(Some), &levels, &prices, 1.0, self.hours);
            }
        }
        if device.soc.is_empty() {
            return price;
        }
        let (below, above) =
            (self.stock_price("minima", device), self.stock_price("maxima", device));
        let soft = self.wishes(device, true);
        let hard = self.wishes(device, false);
        let soc = &device.soc[1..];
        let breaches = |cells: &Cells, sign: f64| -> Cells {
            cells
                .iter()
                .zip(soc)
                .map(|(level, soc)| level.map(|level| sign * (soc - level)))
                .collect()
        };
        let targets_soft = below.is_some() && above.is_some();
        for (kind, sign, prices) in
            [(0, -1.0, &below), (1, 1.0, &above), (2, -1.0, &below), (2, 1.0, &above)]
        {
            match prices {
                Some(prices) if kind < 2 || targets_soft => {
                    let breaches = breaches(&soft[kind], sign);
                    price += priced_breaches(
                        breaches.into_iter(),
                        &soft[kind],
                        prices,
                        1.0 / self.hours,
                        1.0,
                    );
                }
                _ => {
                    for breach in breaches(&hard[kind], sign).into_iter().flatten() {
                        assert!(breach <= TOLERANCE, "a hard wish is missed by {breach} kWh");
                    }
                }
            }
        }
        price + self.tie_break(device)
    }

    fn tie_break(&self, device: &Device<'_>) -> f64 {
        let wanted = |field: &str| device.model[field].as_bool().unwrap_or(true);
        if !wanted("prefer-charging-sooner") || device.model["soc-max"].is_null() {
            return 0.0;
        }
        let most = quantity(&device.model["soc-max"], device.bare);
        let prices = self.priced(&self.context["consumption-price"]);
        let (least, dearest) =
            prices.iter().fold((f64::MAX, f64::MIN), |(l, h), &p| (l.min(p), h.max(p)));
        // Prices per MWh, energies in MWh.
        let spread = if dearest > least { (dearest - least) * 1000.0 } else { 1.0 };
        let steepest = spread * 1e-4 / self.slots as f64;
        let slope = |j: usize| {
            let falls = wanted("prefer-curtailing-later");
            if falls { steepest * (1.0 - j as f64 / (self.slots - 1) as f64) } else { steepest }
        };
        let cost = |j: usize| slope(j) * (most - device.soc[j + 1]) / 1000.0 / self.hours;
        let _ = device.index;
        (0..self.slots).map(cost).sum()
    }

    /// Energy, limits and peaks of the site.
    fn site_price(&self, site: &[f64]) -> f64 {
        let buy = self.priced(&self.context["consumption-price"]);
        let sell = match &self.context["production-price"] {
            Value::Null => buy.clone(),
            given => self.priced(given),
        };
        let mut price: f64 = (0..self.slots)
            .map(|j| self.hours * (site[j].max(0.0) * buy[j] + site[j].min(0.0) * sell[j]))
            .sum();
        let power = self.by_slot(&self.context["site-power-capacity"], true);
        for (which, sign) in [("consumption", 1.0), ("production", -1.0)] {
            let own = self.by_slot(&self.context[format!("site-{which}-capacity")], true);
            let limit: Cells = own
                .iter()
                .zip(&power)
                .map(|(&own, &power)| match (own, power) {
                    (Some(own), Some(power)) => Some(own.min(power)),
                    (own, power) => own.or(power),
                })
                .collect();
            let field = format!("site-{which}-breach-price");
            let prices = match &self.context[&field] {
                Value::Null => self
                    .relaxes("relax-site-capacity-constraints")
                    .then(|| vec![10_000.0; self.slots]),
                given => Some(self.priced(given)),
            };
            let hard = if prices.is_some() { &power } else { &limit };
            for (j, limit) in hard.iter().enumerate() {
                assert!(
                    limit.is_none_or(|limit| sign * site[j] <= limit + TOLERANCE),
                    "site limit in slot {j}"
                );
            }
            if let Some(prices) = prices {
                let breaches = site
                    .iter()
                    .zip(&limit)
                    .map(|(site, limit)| limit.map(|limit| sign * site - limit));
                price += priced_breaches(breaches, &limit, &prices, 1.0, self.hours);
            }
            let peak = &self.context[format!("site-peak-{which}-price")];
            if !peak.is_null() {
                let level = &self.context[format!("site-peak-{which}")];
                let level =
                    if level.is_null() { vec![0.0; self.slots] } else { self.priced(level) };
                let above = site.iter().zip(&level).map(|(site, level)| Some(sign * site - level));
                let level: Cells = level.iter().copied().map(Some).collect();
                price += largest_of_groups(above, &level, &self.priced(peak));
            }
        }
        price
    }
}

/// `any`·price of the largest breach of every group, and `all`·price of every breach.
fn priced_breaches(
    breaches: impl Iterator<Item = Option<f64>>,
    levels: &Cells,
    prices: &[f64],
    any: f64,
    all: f64,
) -> f64 {
    let breaches: Cells = breaches
        .map(|breach| breach.map(|breach| if breach > ROUNDING { breach } else { 0.0 }))
        .collect();
    let each =
        breaches.iter().zip(prices).map(|(breach, price)| price * all * breach.unwrap_or(0.0));
    let each: f64 = each.sum();
    any * largest_of_groups(breaches.into_iter(), levels, prices) + each
}

/// The largest breach of every group at its price. Levels that are all one make one group; else a
/// change of level or price begins one, and what is missing is like nothing else.
fn largest_of_groups(
    breaches: impl Iterator<Item = Option<f64>>,
    levels: &Cells,
    prices: &[f64],
) -> f64 {
    let distinct = |values: &mut dyn Iterator<Item = f64>| {
        let mut bits: Vec<u64> = values.map(|value| (value + 0.0).to_bits()).collect();
        bits.sort_unstable();
        bits.dedup();
        bits.len()
    };
    let one = distinct(&mut levels.iter().flatten().copied()) == 1
        && distinct(&mut prices.iter().copied()) == 1;
    let (mut sum, mut largest, mut before) = (0.0, 0.0_f64, None);
    for ((breach, level), price) in breaches.zip(levels).zip(prices) {
        let key = level.map(|level| (level.to_bits(), price.to_bits()));
        if !one && (key.is_none() || key != before) {
            sum += largest;
            largest = 0.0;
        }
        before = key;
        largest = largest.max(price * breach.unwrap_or(0.0));
    }
    sum + largest
}
