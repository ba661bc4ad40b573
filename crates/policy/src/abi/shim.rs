//! The functions of a policy table, for any [`Policy`].

#![expect(unsafe_code, reason = "this is the border between the program and a plugin")]

use super::{
    ABI_MAJOR, ABI_MINOR, ByteSink, FLAG_PAYS_INCENTIVE, FLAG_STATEFUL, FLAG_WHOLE_FLEET,
    FLAG_WHOLE_SITE, FLAG_WHOLE_TREE, HostTable, MAGIC, NO_OFFSET, ObservationColumns, PolicyTable,
    STATUS_ERROR, STATUS_OK, STATUS_PANIC, ScheduleMatrix, Text, copy_prefix,
};
use crate::{
    guard::{self, Refusal},
    observation::Schedules,
    planner::Replan,
    policy::{LogLevel, Policy, Result, from_config},
};
use std::{ffi::c_void, ptr::NonNull};

/// What the program offers a policy during a call.
#[derive(Debug)]
pub struct Host {
    table: Option<HostTable>,
}

impl Host {
    /// A host without log and services, for a policy's own tests.
    pub const fn detached() -> Self {
        Self { table: None }
    }

    /// Writes a line to the program's log.
    pub fn log(&self, level: LogLevel, message: &str) {
        if let Some((table, log)) = self.table.and_then(|table| Some((table, table.log?))) {
            // SAFETY: the program's table outlives the instance; the message outlives the call.
            unsafe { log(table.context, level as u32, Text::new(message)) }
        }
    }

    /// A service by its name, where the program has it. What it points to is the service's own
    /// contract.
    pub fn extension(&self, name: &str) -> Option<NonNull<c_void>> {
        let table = self.table?;
        // SAFETY: as for `log`.
        let service = unsafe { table.extension?(table.context, Text::new(name)) };
        NonNull::new(service.cast_mut())
    }

    /// Runs a call of the policy; the status says how it ended, and the program was told why.
    fn guard(&self, call: impl FnOnce() -> Result) -> i32 {
        match guard::run(self, call) {
            Ok(()) => STATUS_OK,
            Err(Refusal::Error { message, offset }) => self.refuse(STATUS_ERROR, &message, offset),
            Err(Refusal::Panic { message }) => self.refuse(STATUS_PANIC, &message, None),
        }
    }

    fn refuse(&self, status: i32, message: &str, offset: Option<usize>) -> i32 {
        if let Some((table, set_error)) =
            self.table.and_then(|table| Some((table, table.set_error?)))
        {
            let offset = offset.map_or(NO_OFFSET, |offset| offset as u64);
            // SAFETY: as for `log`.
            unsafe { set_error(table.context, Text::new(message), offset) }
        }
        status
    }
}

/// What the instance pointer of a Rust policy points to.
struct Instance<P> {
    policy: P,
    host: Host,
    poisoned: bool,
}

impl<P> Instance<P> {
    /// Runs a call unless an earlier one panicked, which may have left the policy half-changed.
    fn call(&mut self, call: impl FnOnce(&mut P, &Host) -> Result) -> i32 {
        let Self { policy, host, poisoned } = self;
        if *poisoned {
            return host.refuse(STATUS_PANIC, "panicked in an earlier call", None);
        }
        let status = host.guard(|| call(policy, host));
        *poisoned = status == STATUS_PANIC;
        status
    }
}

/// The table of a policy; [`policy_table!`](crate::policy_table) fills in the version.
pub const fn table<P: Policy>(version: &'static str) -> PolicyTable {
    let stateful = if P::STATEFUL { FLAG_STATEFUL } else { 0 };
    let whole_site = if P::WHOLE_SITE { FLAG_WHOLE_SITE } else { 0 };
    let pays_incentive = if P::PAYS_INCENTIVE { FLAG_PAYS_INCENTIVE } else { 0 };
    let whole_tree = if P::WHOLE_TREE { FLAG_WHOLE_TREE } else { 0 };
    let whole_fleet = if P::WHOLE_FLEET { FLAG_WHOLE_FLEET } else { 0 };
    PolicyTable {
        size: size_of::<PolicyTable>() as u32,
        major: ABI_MAJOR,
        minor: ABI_MINOR,
        magic: MAGIC,
        name: Text::new(P::NAME),
        version: Text::new(version),
        flags: stateful | whole_site | pays_incentive | whole_tree | whole_fleet,
        replan_slots: match P::REPLAN {
            Replan::OnPlugIn => 0,
            Replan::EveryTick => 1,
            Replan::Every(slots) => slots,
        },
        horizon_slots: P::HORIZON_SLOTS,
        reserved: 0,
        create: Some(create::<P>),
        plan: Some(plan::<P>),
        save: if P::STATEFUL { Some(save::<P>) } else { None },
        load: if P::STATEFUL { Some(load::<P>) } else { None },
        destroy: Some(destroy::<P>),
    }
}

unsafe extern "C" fn create<P: Policy>(
    host: *const HostTable,
    config: Text,
    out: *mut *mut c_void,
) -> i32 {
    // SAFETY: the program hands over a whole table.
    let host = Host { table: Some(unsafe { copy_prefix(host) }) };
    // Within the guard, since reading a config may run code of the policy's author.
    let mut policy = None;
    let status = host.guard(|| {
        // SAFETY: the program hands over a config that exists during the call.
        let config = str::from_utf8(unsafe { config.bytes() })?;
        let mut read = from_config::<P>(config)?;
        if let Some(world) = host.world() {
            read.enter(&world, config)?;
        }
        policy = Some(read);
        Ok(())
    });
    if let Some(policy) = policy {
        let instance = Box::new(Instance { policy, host, poisoned: false });
        // SAFETY: the program hands over a place for the instance.
        unsafe { *out = Box::into_raw(instance).cast() }
    }
    status
}

unsafe extern "C" fn plan<P: Policy>(
    instance: *mut c_void,
    seen: *const ObservationColumns,
    schedules: *mut ScheduleMatrix,
) -> i32 {
    // SAFETY: the program hands over an instance of ours, and columns as the contract says.
    let (instance, seen, matrix) = unsafe {
        (&mut *instance.cast::<Instance<P>>(), copy_prefix(seen), copy_prefix(schedules))
    };
    instance.call(|policy, host| {
        // SAFETY: as above.
        let (seen, mut schedules) = unsafe { (seen.view(), matrix.view()) };
        let place = |answer: &Schedules<'_>| {
            (answer.power_kw.as_ptr(), answer.power_kw.len(), answer.horizon)
        };
        let asked = place(&schedules);
        policy.plan(host, &seen, &mut schedules)?;
        // Fields of `Schedules` are public: what is written to another matrix would be lost without
        // a word.
        if place(&schedules) != asked {
            return Err("put another matrix in the place of its answer".into());
        }
        Ok(())
    })
}

unsafe extern "C" fn save<P: Policy>(instance: *mut c_void, sink: *const ByteSink) -> i32 {
    // SAFETY: the program hands over an instance of ours and a whole sink.
    let (instance, sink) = unsafe { (&mut *instance.cast::<Instance<P>>(), copy_prefix(sink)) };
    instance.call(|policy, _| {
        let state = policy.save()?;
        let write = sink.write.ok_or("the program takes no state")?;
        // SAFETY: the state exists during the call.
        unsafe { write(sink.context, Text::from_bytes(&state)) }
        Ok(())
    })
}

unsafe extern "C" fn load<P: Policy>(instance: *mut c_void, state: Text) -> i32 {
    // SAFETY: the program hands over an instance of ours and a state that exists during the call.
    let (instance, state) = unsafe { (&mut *instance.cast::<Instance<P>>(), state.bytes()) };
    instance.call(|policy, _| policy.load(state))
}

unsafe extern "C" fn destroy<P: Policy>(instance: *mut c_void) {
    if instance.is_null() {
        return;
    }
    // SAFETY: the program hands over an instance of ours, for the last time.
    let instance = unsafe { Box::from_raw(instance.cast::<Instance<P>>()) };
    let Instance { policy, host, .. } = *instance;
    // Within the guard, too: dropping a policy may panic, which must not cross into the program.
    host.guard(|| {
        drop(policy);
        Ok(())
    });
}
