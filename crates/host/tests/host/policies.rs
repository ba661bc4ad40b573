//! Policies that break the contract, each in its own way.

use serde::Deserialize;
use voltide_policy::{
    Host, LogLevel, Observation, Policy, Replan, Result, Schedules, abi::PolicyTable, policy_table,
    storage::StorageRequest,
};

/// Answers with whatever its config says, in every row.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Parrot {
    power_kw: Vec<f64>,
}

impl Policy for Parrot {
    const NAME: &'static str = "parrot";

    fn plan(
        &mut self,
        _host: &Host,
        _seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        for row in schedules.rows() {
            row.copy_from_slice(&self.power_kw);
        }
        Ok(())
    }
}

/// Does not answer.
#[derive(Deserialize)]
pub(crate) struct Faulty {
    way: Way,
}

#[derive(Deserialize)]
enum Way {
    /// Returns an error.
    Error,
    /// Panics, after half an answer.
    Panic,
    /// Answers with a matrix of its own.
    Exchange,
}

impl Policy for Faulty {
    const NAME: &'static str = "faulty";

    fn plan(
        &mut self,
        _host: &Host,
        _seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        match self.way {
            Way::Error => Err("the solver is not at home".into()),
            Way::Panic => {
                schedules.power_kw[0] = 7.0;
                panic!("ran out of {}", "ideas");
            }
            Way::Exchange => {
                schedules.power_kw = &mut [];
                Ok(())
            }
        }
    }
}

/// Counts its calls, and charges with as many kW.
#[derive(Deserialize)]
pub(crate) struct Counter {
    #[serde(skip)]
    calls: u8,
}

impl Policy for Counter {
    const NAME: &'static str = "counter";
    const REPLAN: Replan = Replan::Every(4);
    const HORIZON_SLOTS: u32 = 96;
    const WHOLE_SITE: bool = true;
    const STATEFUL: bool = true;

    fn plan(
        &mut self,
        host: &Host,
        _seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        self.calls += 1;
        host.log(LogLevel::Info, &format!("call {}", self.calls));
        assert!(host.extension("voltide.units/1").is_none());
        schedules.power_kw.fill(f64::from(self.calls));
        Ok(())
    }

    fn save(&self) -> Result<Vec<u8>> {
        Ok(vec![self.calls])
    }

    fn load(&mut self, state: &[u8]) -> Result {
        let [calls] = state else {
            return Err(format!("a state has 1 byte, not {}", state.len()).into());
        };
        self.calls = *calls;
        Ok(())
    }
}

/// Hands storage problems over that its config spoils.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct Asker {
    way: Spoiled,
}

#[derive(Deserialize, Default)]
enum Spoiled {
    #[default]
    NotAtAll,
    NoPrices,
    NoEnergyLimit,
    ShortColumn,
    NotANumber,
    NoEfficiency,
    SmallMatrix,
}

impl Policy for Asker {
    const NAME: &'static str = "asker";

    fn plan(
        &mut self,
        host: &Host,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result {
        let mut request = StorageRequest::of(seen);
        let mut matrix = Schedules { power_kw: schedules.power_kw, horizon: seen.horizon };
        match self.way {
            Spoiled::NotAtAll => {}
            Spoiled::NoPrices => request.buy_price = &[],
            Spoiled::NoEnergyLimit => request.energy_kwh_max = &[],
            Spoiled::ShortColumn => request.target_kwh = &[30.0],
            Spoiled::NotANumber => request.energy_kwh = &[20.0, f64::NAN],
            Spoiled::NoEfficiency => request.charge_efficiency = &[0.0, 1.0],
            Spoiled::SmallMatrix => matrix.power_kw = &mut matrix.power_kw[..4],
        }
        host.storage()?.solve(&request, &mut matrix)?;
        Ok(())
    }
}

pub(crate) fn asker() -> &'static PolicyTable {
    policy_table!(Asker)
}

pub(crate) fn parrot() -> &'static PolicyTable {
    policy_table!(Parrot)
}

pub(crate) fn faulty() -> &'static PolicyTable {
    policy_table!(Faulty)
}

pub(crate) fn counter() -> &'static PolicyTable {
    policy_table!(Counter)
}

/// The counter's table, changed.
pub(crate) fn altered(change: impl FnOnce(&mut PolicyTable)) -> &'static PolicyTable {
    let mut table = *counter();
    change(&mut table);
    Box::leak(Box::new(table))
}
