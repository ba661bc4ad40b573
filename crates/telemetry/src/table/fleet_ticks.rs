//! The table `fleet_ticks`: a row per slot and fleet, and per site.

use crate::{
    groups::{GroupTick, Held},
    offers::Offer,
    rows::rows,
    value::{Time, Word},
};
use voltide_model::scenario::Scenario;

rows! {
    /// One row per slot and fleet, and one per slot and site, of its cars that are plugged in: what
    /// they hold, and what they could do otherwise. Cars behind a site are also those behind the
    /// sites that are connected through it. Energy is stored energy at the slot's end.
    pub fleet_ticks by tick, kind, number {
        /// start of the slot (UTC)
        ts: Time;
        /// the slot, counted from the start of the run
        tick: u32;
        /// what the row is of: fleet or site
        kind: Word;
        /// which one, in the world's order from 0; of a site its site_id
        number: u32;
        /// its name
        name: Word;
        /// cars plugged in
        plugged: u32;
        /// their power
        power_kw: f64 = "kW", sign("positive draws from the grid");
        /// what they store
        energy_kwh: f64 = "kWh";
        /// what they stored when their stays began
        arrival_kwh: f64 = "kWh";
        /// what is missing to their targets
        wanted_kwh: f64 = "kWh";
        /// lower edge of the virtual battery: the least that they can store with every wish still
        /// met, limits of sites apart, if all drivers agreed to discharge
        band_low_kwh: f64 = "kWh";
        /// the same where they discharge only in slots in which their drivers agree
        band_low_agreed_kwh: f64 = "kWh";
        /// upper edge: the most that they can store since they came
        band_high_kwh: f64 = "kWh";
        /// state of charge (0..1) that 5 % of them are at or below; null where none is there
        soc_05: Option<f64>;
        /// state of charge that 25 % are at or below
        soc_25: Option<f64>;
        /// state of charge that half of them are at or below
        soc_50: Option<f64>;
        /// state of charge that 75 % are at or below
        soc_75: Option<f64>;
        /// state of charge that 95 % are at or below
        soc_95: Option<f64>;
        /// mean state of charge (0..1) wanted at departure
        soc_target: Option<f64>;
        /// power that could be added for 15 minutes from the slot's start on: the sum over cars of a
        /// constant change of their schedules with which every wish can still be met, as far as
        /// limits of sites let it pass
        add_15min_kw: f64 = "kW", sign("more load or less feed-in");
        /// power that could be taken off for 15 minutes likewise, if all drivers agreed to discharge
        cut_15min_kw: f64 = "kW", sign("less load or more feed-in");
        /// the same with the drivers who agree in all slots of that time; negative where schedules
        /// discharge cars whose drivers do not
        cut_15min_agreed_kw: f64 = "kW", sign("less load or more feed-in");
        /// the same on average over what drivers may draw, at the prices that they were shown
        cut_15min_expected_kw: f64 = "kW", sign("less load or more feed-in");
        /// what of it holds with 90 %, over what drivers may draw
        cut_15min_p90_kw: f64 = "kW", sign("less load or more feed-in");
        /// what of it holds with 99 %
        cut_15min_p99_kw: f64 = "kW", sign("less load or more feed-in");
        /// power that could be added for 1 hour from the slot's start on: the sum over cars of a
        /// constant change of their schedules with which every wish can still be met, as far as
        /// limits of sites let it pass
        add_1h_kw: f64 = "kW", sign("more load or less feed-in");
        /// power that could be taken off for 1 hour likewise, if all drivers agreed to discharge
        cut_1h_kw: f64 = "kW", sign("less load or more feed-in");
        /// the same with the drivers who agree in all slots of that time; negative where schedules
        /// discharge cars whose drivers do not
        cut_1h_agreed_kw: f64 = "kW", sign("less load or more feed-in");
        /// the same on average over what drivers may draw, at the prices that they were shown
        cut_1h_expected_kw: f64 = "kW", sign("less load or more feed-in");
        /// what of it holds with 90 %, over what drivers may draw
        cut_1h_p90_kw: f64 = "kW", sign("less load or more feed-in");
        /// what of it holds with 99 %
        cut_1h_p99_kw: f64 = "kW", sign("less load or more feed-in");
        /// power that could be added for 4 hours from the slot's start on: the sum over cars of a
        /// constant change of their schedules with which every wish can still be met, as far as
        /// limits of sites let it pass
        add_4h_kw: f64 = "kW", sign("more load or less feed-in");
        /// power that could be taken off for 4 hours likewise, if all drivers agreed to discharge
        cut_4h_kw: f64 = "kW", sign("less load or more feed-in");
        /// the same with the drivers who agree in all slots of that time; negative where schedules
        /// discharge cars whose drivers do not
        cut_4h_agreed_kw: f64 = "kW", sign("less load or more feed-in");
        /// the same on average over what drivers may draw, at the prices that they were shown
        cut_4h_expected_kw: f64 = "kW", sign("less load or more feed-in");
        /// what of it holds with 90 %, over what drivers may draw
        cut_4h_p90_kw: f64 = "kW", sign("less load or more feed-in");
        /// what of it holds with 99 %
        cut_4h_p99_kw: f64 = "kW", sign("less load or more feed-in");
        /// length of the slot: power times this is energy
        step_h: f64 = "h", repeating;
    }
}

impl<'a> Row<'a> {
    /// The row of a group in a slot that was settled: fleets come first, then sites.
    pub(crate) fn of(tick: u32, place: usize, group: &GroupTick, scenario: &'a Scenario) -> Self {
        let fleets = scenario.fleets.len();
        let of = match scenario.fleets.get(place) {
            Some(fleet) => ("fleet", place as u32, fleet.name.as_str()),
            None => ("site", (place - fleets) as u32, scenario.sites[place - fleets].name.as_str()),
        };
        let clock = &scenario.clock;
        let slot = (Time::of_slot(clock, tick), tick, clock.slot_hours());
        Self::of_group(of, slot, &group.held, &group.offer)
    }

    /// The row of a group of this kind, number and name, in a slot that begins then and lasts so
    /// many hours.
    fn of_group(
        (kind, number, name): (&'static str, u32, &'a str),
        (ts, tick, step_h): (Time, u32, f64),
        held: &Held,
        offer: &Offer,
    ) -> Self {
        let (added_kw, cut) = (&offer.added_kw, &offer.taken_off);
        let soc = quantiles(&held.soc);
        let cars = f64::from(held.plugged);
        Self {
            ts,
            tick,
            kind,
            number,
            name,
            plugged: held.plugged,
            power_kw: held.power_kw,
            energy_kwh: held.energy_kwh,
            arrival_kwh: held.arrival_kwh,
            wanted_kwh: held.wanted_kwh,
            band_low_kwh: held.low_kwh,
            band_low_agreed_kwh: held.low_agreed_kwh,
            band_high_kwh: held.high_kwh,
            soc_05: soc.map(|soc| soc[0]),
            soc_25: soc.map(|soc| soc[1]),
            soc_50: soc.map(|soc| soc[2]),
            soc_75: soc.map(|soc| soc[3]),
            soc_95: soc.map(|soc| soc[4]),
            soc_target: (held.plugged > 0).then(|| held.soc_target / cars),
            add_15min_kw: added_kw[0],
            cut_15min_kw: cut[0].all_kw,
            cut_15min_agreed_kw: cut[0].agreed_kw,
            cut_15min_expected_kw: cut[0].chances.expected(),
            cut_15min_p90_kw: cut[0].chances.level(0.90),
            cut_15min_p99_kw: cut[0].chances.level(0.99),
            add_1h_kw: added_kw[1],
            cut_1h_kw: cut[1].all_kw,
            cut_1h_agreed_kw: cut[1].agreed_kw,
            cut_1h_expected_kw: cut[1].chances.expected(),
            cut_1h_p90_kw: cut[1].chances.level(0.90),
            cut_1h_p99_kw: cut[1].chances.level(0.99),
            add_4h_kw: added_kw[2],
            cut_4h_kw: cut[2].all_kw,
            cut_4h_agreed_kw: cut[2].agreed_kw,
            cut_4h_expected_kw: cut[2].chances.expected(),
            cut_4h_p90_kw: cut[2].chances.level(0.90),
            cut_4h_p99_kw: cut[2].chances.level(0.99),
            step_h,
        }
    }
}

/// The quantiles of 5, 25, 50, 75 and 95 %, in between by a straight line; `None` of nothing.
fn quantiles(values: &[f64]) -> Option<[f64; 5]> {
    let last = values.len().checked_sub(1)?;
    let mut values = values.to_vec();
    Some([0.05, 0.25, 0.5, 0.75, 0.95].map(|share| quantile(&mut values, share * last as f64)))
}

/// The value at a place of the ascending order, which may lie between two.
fn quantile(values: &mut [f64], place: f64) -> f64 {
    let below = place.floor() as usize;
    let (_, &mut low, above) = values.select_nth_unstable_by(below, f64::total_cmp);
    let next = above.iter().copied().fold(f64::INFINITY, f64::min);
    if next.is_finite() { low + (next - low) * (place - below as f64) } else { low }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        offers::TakenOff,
        rows::{TableColumns, TableRows},
    };
    use arrow_array::{cast::AsArray, types::Float64Type};

    /// What can be taken off in a while, each figure another.
    fn taken_off(from_kw: f64) -> TakenOff {
        let mut taken_off =
            TakenOff { all_kw: from_kw + 0.5, agreed_kw: from_kw + 0.25, ..TakenOff::default() };
        // 95 %: it comes with a chance of 90 %, and does not with one of 99 %.
        taken_off.chances.add(from_kw, from_kw + 0.125, 0.95);
        taken_off
    }

    /// A row's columns of real numbers; in the one that is empty no car is there.
    fn numbers(group: &GroupTick) -> Vec<(&'static str, Option<f64>)> {
        let mut columns = Columns::default();
        let GroupTick { held, offer } = group;
        columns.push(Row::of_group(("site", 3, "park"), (Time(7), 9, 0.25), held, offer));
        let batch = columns.batch();
        let reals = TABLE.columns.iter().filter_map(|column| {
            let values = batch.column_by_name(column.name)?.as_primitive_opt::<Float64Type>()?;
            Some((column.name, values.iter().next()?))
        });
        reals.collect()
    }

    #[test]
    fn every_figure_stands_under_its_name() {
        let held = Held {
            plugged: 2,
            power_kw: 1.0,
            energy_kwh: 2.0,
            arrival_kwh: 3.0,
            wanted_kwh: 4.0,
            low_kwh: 5.0,
            low_agreed_kwh: 6.0,
            high_kwh: 7.0,
            soc_target: 1.25,
            soc: vec![0.0, 0.5],
        };
        let offer =
            Offer { added_kw: [11.0, 12.0, 13.0], taken_off: [20.0, 30.0, 40.0].map(taken_off) };
        let mut expected = vec![
            ("power_kw", 1.0),
            ("energy_kwh", 2.0),
            ("arrival_kwh", 3.0),
            ("wanted_kwh", 4.0),
            ("band_low_kwh", 5.0),
            ("band_low_agreed_kwh", 6.0),
            ("band_high_kwh", 7.0),
            ("soc_05", 0.025),
            ("soc_25", 0.125),
            ("soc_50", 0.25),
            ("soc_75", 0.375),
            ("soc_95", 0.475),
            ("soc_target", 0.625),
        ];
        let mut of_while = |names: [&'static str; 6], added_kw: f64, from_kw: f64| {
            let cut = [0.5, 0.25, 0.125 * 0.95, 0.125, 0.0].map(|kw| from_kw + kw);
            expected.push((names[0], added_kw));
            expected.extend(names[1..].iter().copied().zip(cut));
        };
        of_while(
            [
                "add_15min_kw",
                "cut_15min_kw",
                "cut_15min_agreed_kw",
                "cut_15min_expected_kw",
                "cut_15min_p90_kw",
                "cut_15min_p99_kw",
            ],
            11.0,
            20.0,
        );
        of_while(
            [
                "add_1h_kw",
                "cut_1h_kw",
                "cut_1h_agreed_kw",
                "cut_1h_expected_kw",
                "cut_1h_p90_kw",
                "cut_1h_p99_kw",
            ],
            12.0,
            30.0,
        );
        of_while(
            [
                "add_4h_kw",
                "cut_4h_kw",
                "cut_4h_agreed_kw",
                "cut_4h_expected_kw",
                "cut_4h_p90_kw",
                "cut_4h_p99_kw",
            ],
            13.0,
            40.0,
        );
        expected.push(("step_h", 0.25));
        let found = numbers(&GroupTick { held, offer });
        assert_eq!(found.len(), expected.len());
        for ((name, value), (expected_name, expected)) in found.into_iter().zip(expected) {
            assert_eq!(name, expected_name);
            assert!(
                value.is_some_and(|value| (value - expected).abs() < 1e-12),
                "{name} {value:?}"
            );
        }
        let nobody = numbers(&GroupTick::default());
        assert_eq!(nobody.iter().filter(|(_, value)| value.is_none()).count(), 6);
    }

    #[test]
    fn quantiles_lie_between_neighbours() {
        assert_eq!(quantiles(&[]), None);
        assert_eq!(quantiles(&[0.5]), Some([0.5; 5]));
        assert_eq!(quantiles(&[4.0, 0.0, 2.0, 1.0, 3.0]), Some([0.2, 1.0, 2.0, 3.0, 3.8]));
    }
}
