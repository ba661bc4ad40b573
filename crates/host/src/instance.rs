//! A policy at work.

#![expect(unsafe_code, reason = "calls the functions of a policy's table")]

use crate::{
    check,
    plugin::Plugin,
    services::{Log, Refusal, Services},
};
use std::{ffi::c_void, ptr};
use voltide_policy::{
    Observation, Schedules,
    abi::{ByteSink, ObservationColumns, STATUS_OK, STATUS_PANIC, ScheduleMatrix, Text},
    planner::{Correction, GroupSolved, Planner, PolicyFault, PolicyInfo},
    world::World,
};

/// An instance of a policy, guarded: what it answers is checked, and once it has panicked it is
/// not asked again.
#[derive(Debug)]
pub(crate) struct Instance {
    plugin: Plugin,
    services: Services,
    pointer: *mut c_void,
    poisoned: bool,
}

// SAFETY: the contract lets an instance move between threads, and `&mut self` keeps them apart.
unsafe impl Send for Instance {}

impl Instance {
    /// Creates an instance from its config, a RON value; the refusal's offset is one in the config.
    pub(crate) fn create(
        plugin: Plugin,
        config: &str,
        log: Log,
        threads: usize,
        world: Option<&World>,
    ) -> Result<Self, Refusal> {
        let services = Services::new(&plugin.info.name, log, threads, world);
        let mut instance = Self { plugin, services, pointer: ptr::null_mut(), poisoned: false };
        let Some(create) = instance.plugin.table.create else {
            return if is_unit(config) { Ok(instance) } else { Err(takes_no_config()) };
        };
        // SAFETY: the plugin was verified; table, config and place outlive the call.
        let status = unsafe {
            create(instance.services.table(), Text::new(config), &raw mut instance.pointer)
        };
        if status == STATUS_OK {
            return Ok(instance);
        }
        // What a failed `create` leaves in the place is not an instance.
        instance.pointer = ptr::null_mut();
        Err(instance.refusal(status))
    }

    fn refusal(&self, status: i32) -> Refusal {
        let said = self.services.take_refusal();
        said.unwrap_or_else(|| Refusal {
            message: format!("returned status {status} without a message"),
            offset: None,
        })
    }

    fn fault(&self, message: String) -> PolicyFault {
        PolicyFault { policy: self.plugin.info.name.clone(), message, lost: self.poisoned }
    }

    /// Runs a call of the table unless an earlier one panicked.
    fn call(&mut self, call: impl FnOnce(*mut c_void) -> i32) -> Result<(), PolicyFault> {
        if self.poisoned {
            return Err(self.fault("is not asked again after it panicked".to_owned()));
        }
        // What it said in an earlier call that went well is no reason for this one.
        self.services.take_refusal();
        let status = call(self.pointer);
        if status == STATUS_OK {
            return Ok(());
        }
        self.poisoned = status == STATUS_PANIC;
        Err(self.fault(self.refusal(status).message))
    }

    fn ask(
        &mut self,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result<(), PolicyFault> {
        let plan = self.plugin.table.plan;
        let plan = plan.ok_or_else(|| self.fault("has no function `plan`".to_owned()))?;
        let columns = ObservationColumns::new(seen);
        let asked = ScheduleMatrix::new(schedules);
        let mut answered = asked;
        // SAFETY: columns and matrix point to slices that outlive the call and have the lengths
        // that they say.
        self.call(|instance| unsafe { plan(instance, &raw const columns, &raw mut answered) })?;
        if answered != asked {
            return Err(self.fault("changed the shape of its answer".to_owned()));
        }
        Ok(())
    }
}

impl Planner for Instance {
    fn info(&self) -> &PolicyInfo {
        &self.plugin.info
    }

    fn plan(
        &mut self,
        seen: &Observation<'_>,
        schedules: &mut Schedules<'_>,
    ) -> Result<Vec<Correction>, PolicyFault> {
        let len = schedules.power_kw.len();
        let horizon = schedules.horizon;
        assert_eq!(
            (len, horizon),
            (seen.len() * seen.horizon, seen.horizon),
            "the answer has another size"
        );
        schedules.power_kw.fill(0.0);
        // Those of an earlier call that nobody asked for.
        self.services.take_groups();
        match self.ask(seen, schedules) {
            Ok(()) => Ok(check::correct(seen, schedules)),
            Err(fault) => {
                // A call that failed may have written half an answer.
                schedules.power_kw.fill(0.0);
                Err(fault)
            }
        }
    }

    fn take_groups(&mut self) -> Vec<GroupSolved> {
        self.services.take_groups()
    }

    fn save(&mut self) -> Result<Vec<u8>, PolicyFault> {
        let Some(save) = self.plugin.table.save else {
            return Ok(Vec::new());
        };
        let mut state = Vec::new();
        let sink = ByteSink::new(&mut state);
        // SAFETY: the sink and the vector behind it outlive the call.
        self.call(|instance| unsafe { save(instance, &raw const sink) })?;
        Ok(state)
    }

    fn load(&mut self, state: &[u8]) -> Result<(), PolicyFault> {
        match self.plugin.table.load {
            // SAFETY: the state outlives the call.
            Some(load) => self.call(|instance| unsafe { load(instance, Text::from_bytes(state)) }),
            None if state.is_empty() => Ok(()),
            None => Err(self.fault("has no memory to take up a state".to_owned())),
        }
    }

    fn is_lost(&self) -> bool {
        self.poisoned
    }

    fn give_up(&mut self) {
        self.poisoned = true;
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(destroy) = self.plugin.table.destroy.filter(|_| !self.pointer.is_null()) {
            // SAFETY: the pointer is what `create` gave, and nobody uses it any more.
            unsafe { destroy(self.pointer) }
        }
    }
}

fn is_unit(config: &str) -> bool {
    config.split_whitespace().eq(["()"]) || config.split_whitespace().eq(["(", ")"])
}

fn takes_no_config() -> Refusal {
    Refusal { message: "the policy takes no config".to_owned(), offset: Some(0) }
}
