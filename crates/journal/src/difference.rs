//! Where two events of one kind first say different things: in which value, and of what.
//!
//! What is only a number in a run is not compared: that of a stay counts the stays of all cars up
//! to the run's end. Nor are prices and forecasts of slots that only one of the two knows, where
//! one run ends before the other.

use crate::event::{Entity, Event};
use serde_json::{Map, Value, json};

/// The first thing that two events of one kind do not agree on.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// What it is about: a car or a site of a batch, a unit ("unit", its number), or what the whole
    /// event is about; `None` where that is no single thing.
    pub entity: Option<Entity>,
    /// The field as the event spells it, its unit last; `None` where one event has nothing at all
    /// to say of the entity.
    pub field: Option<String>,
    /// The slot that the value holds in, or from, where the field has more than one.
    pub slot: Option<u32>,
    /// The value in the one event, or all fields of its row; null where it has none.
    pub one: Value,
    /// The value in the other.
    pub other: Value,
}

/// A field with its values: one a row in a batch, else as many as it has.
type Column = (String, Vec<Value>);

impl Event {
    /// The first thing that two events of one kind do not agree on; `None` where they say the same,
    /// or are of different kinds.
    pub fn first_difference(&self, other: &Self) -> Option<Difference> {
        if self.kind() != other.kind() {
            return None;
        }
        let (ours, theirs) = (columns(self), columns(other));
        match (self.batch_ids(), other.batch_ids()) {
            (Some((kind, our_ids)), Some((_, their_ids))) => {
                let difference = in_rows(kind, (our_ids, &ours), (their_ids, &theirs))?;
                Some(in_schedules(difference))
            }
            (None | Some(_), None) | (None, Some(_)) => self.in_columns(&ours, &theirs),
        }
    }

    /// What the event is about, or the first row of a batch; `None` where it is about everything.
    pub fn first_entity(&self) -> Option<Entity> {
        match self.batch_ids() {
            Some((kind, ids)) => ids.first().map(|id| Entity { kind, id: id.to_string() }),
            None => self.entity(),
        }
    }

    /// The first value that differs, field by field.
    fn in_columns(&self, ours: &[Column], theirs: &[Column]) -> Option<Difference> {
        let differing = |((name, ours), (_, theirs)): (&Column, &Column)| {
            let place = first_place(ours, theirs)?;
            // Where one run ends before the other, only one of them knows later prices.
            let known_to_both = place < ours.len().min(theirs.len());
            if !known_to_both
                && self.slot_at(name, place).is_some()
                && !ours.is_empty()
                && !theirs.is_empty()
            {
                return None;
            }
            let value = |values: &[Value]| values.get(place).cloned().unwrap_or_default();
            Some(Difference {
                entity: self.entity_at(name, place),
                field: Some(name.clone()),
                slot: self.slot_at(name, place),
                one: value(ours),
                other: value(theirs),
            })
        };
        ours.iter().zip(theirs).find_map(differing)
    }

    /// What the value at a place of a field is about.
    fn entity_at(&self, field: &str, place: usize) -> Option<Entity> {
        if let Self::UnitsDispatched(event) = self
            && UNIT_FIELDS.contains(&field)
        {
            let unit = place % event.units.max(1) as usize;
            return Some(Entity { kind: "unit", id: unit.to_string() });
        }
        self.entity()
    }

    /// The slot that the value at a place of a field holds in, where the field has one a slot or
    /// step.
    fn slot_at(&self, field: &str, place: usize) -> Option<u32> {
        let place = place as u32;
        if let Self::PricesSet(event) = self {
            return (!["tariff", "first_slot"].contains(&field)).then(|| event.first_slot + place);
        }
        if let Self::ForecastIssued(event) = self {
            return (field == "values").then(|| event.first_slot + place);
        }
        let Self::UnitsDispatched(event) = self else { return None };
        if UNIT_FIELDS.contains(&field) {
            return Some(event.first_slot + place / event.units.max(1) * event.step);
        }
        STEP_FIELDS.contains(&field).then(|| event.first_slot + place * event.step)
    }
}

/// Fields of a schedule of units with a value a step and unit.
const UNIT_FIELDS: [&str; 6] =
    ["power_kw", "available_kw", "charge_kw", "energy_kwh", "price_per_kwh", "on"];

/// Fields of a schedule of units with a value a step.
const STEP_FIELDS: [&str; 3] = ["load_kw", "unserved_kw", "spilled_kw"];

fn first_place(ours: &[Value], theirs: &[Value]) -> Option<usize> {
    (0..ours.len().max(theirs.len())).find(|&place| ours.get(place) != theirs.get(place))
}

/// The first row that differs, each side with its ids.
fn in_rows(
    kind: &'static str,
    (our_ids, ours): (&[u32], &[Column]),
    (their_ids, theirs): (&[u32], &[Column]),
) -> Option<Difference> {
    let differs = |row: usize| {
        let mut columns = ours.iter().zip(theirs);
        columns.any(|((_, ours), (_, theirs))| ours.get(row) != theirs.get(row))
    };
    let row = (0..our_ids.len().max(their_ids.len())).find(|&row| differs(row))?;
    let our_id = our_ids.get(row);
    let their_id = their_ids.get(row);
    let id = our_id.into_iter().chain(their_id).min()?;
    let entity = Some(Entity { kind, id: id.to_string() });
    if our_id != their_id {
        let side = |mine: Option<&u32>, columns| {
            if mine == Some(id) { whole_row(columns, row) } else { Value::Null }
        };
        let one = side(our_id, ours);
        let other = side(their_id, theirs);
        return Some(Difference { entity, field: None, slot: None, one, other });
    }
    let (field, one, other) = ours.iter().zip(theirs).find_map(|((name, ours), (_, theirs))| {
        (ours[row] != theirs[row]).then(|| (name.clone(), ours[row].clone(), theirs[row].clone()))
    })?;
    let slot = slot_of(ours, row).filter(|_| field != SLOT);
    Some(Difference { entity, field: Some(field), slot, one, other })
}

/// The field of a row that says from which slot on the others hold.
const SLOT: &str = "slot";

fn slot_of(columns: &[Column], row: usize) -> Option<u32> {
    let (_, slots) = columns.iter().find(|(name, _)| name == SLOT)?;
    u32::try_from(slots[row].as_u64()?).ok()
}

fn whole_row(columns: &[Column], row: usize) -> Value {
    let fields = columns.iter().map(|(name, values)| (name.clone(), values[row].clone()));
    Value::Object(fields.collect::<Map<_, _>>())
}

/// Of two schedules the slot from which their power is another, instead of all their segments.
fn in_schedules(difference: Difference) -> Difference {
    if difference.field.as_deref() != Some(SEGMENTS) {
        return difference;
    }
    let ours = parsed(&difference.one);
    let theirs = parsed(&difference.other);
    let mut slots: Vec<u32> = ours.iter().chain(&theirs).map(|(slot, _)| *slot).collect();
    // Power changes nowhere but where a segment begins, in either schedule.
    slots.sort_unstable();
    // By bits, as events are compared: of two zeros the sign may differ.
    let differs = |slot: u32| power_in(&ours, slot).to_bits() != power_in(&theirs, slot).to_bits();
    let differing = slots.into_iter().find(|&slot| differs(slot));
    // Schedules that are cut up differently may have the same power throughout: then the segments
    // are what differs.
    let Some(slot) = differing else { return difference };
    let one = json!(power_in(&ours, slot));
    let other = json!(power_in(&theirs, slot));
    Difference { field: Some("power_kw".to_owned()), slot: Some(slot), one, other, ..difference }
}

fn parsed(segments: &Value) -> Vec<(u32, f64)> {
    let segment = |it: &Value| Some((it["slot"].as_u64()? as u32, it["power_kw"].as_f64()?));
    segments.as_array().into_iter().flatten().filter_map(segment).collect()
}

/// The power that a schedule has in a slot, kW; none before it begins.
fn power_in(segments: &[(u32, f64)], slot: u32) -> f64 {
    segments.iter().take_while(|(from, _)| *from <= slot).last().map_or(0.0, |(_, power)| *power)
}

/// The column of schedules.
const SEGMENTS: &str = "segments";

/// Fields that only count in a run: stays are numbered over all cars up to its end.
const COUNTS: [&str; 2] = ["stay", "first_stay"];

/// All that an event says.
fn columns(event: &Event) -> Vec<Column> {
    let fields = event.fact().fields().into_iter().filter(|(name, _)| !COUNTS.contains(name));
    fields.map(|(name, field)| (name.to_owned(), field.values())).collect()
}
