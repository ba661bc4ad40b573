//! What the program lends to a policy while it calls it.

#![expect(unsafe_code, reason = "plugins call these functions with pointers")]

use std::{
    ffi::c_void,
    fmt, ptr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use voltide_policy::{
    LogLevel,
    abi::{ABI_MAJOR, ABI_MINOR, HostTable, LOG_ERROR, LOG_INFO, LOG_WARN, NO_OFFSET, Text},
};

/// Takes the lines that policies write: level, name of the policy, message. It must not panic.
pub type Log = Arc<dyn Fn(LogLevel, &str, &str) + Send + Sync>;

/// What a policy said of a call that it refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) message: String,
    /// Byte offset in its config.
    pub(crate) offset: Option<usize>,
}

/// The services lent to one instance, which they must outlive.
pub(crate) struct Services {
    table: Box<HostTable>,
    /// Behind the context pointer of the table.
    context: Box<Context>,
}

struct Context {
    policy: String,
    log: Log,
    refusal: Mutex<Option<Refusal>>,
}

impl Services {
    pub(crate) fn new(policy: &str, log: Log) -> Self {
        let context = Box::new(Context { policy: policy.to_owned(), log, refusal: Mutex::new(None) });
        let table = Box::new(HostTable {
            size: size_of::<HostTable>() as u32,
            major: ABI_MAJOR,
            minor: ABI_MINOR,
            context: ptr::from_ref(&*context).cast_mut().cast(),
            log: Some(write_log),
            set_error: Some(set_error),
            extension: Some(extension),
        });
        Self { table, context }
    }

    pub(crate) fn table(&self) -> *const HostTable {
        &raw const *self.table
    }

    /// What the policy said since it was asked last.
    pub(crate) fn take_refusal(&self) -> Option<Refusal> {
        self.context.refusal().take()
    }
}

impl fmt::Debug for Services {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Services").field("policy", &self.context.policy).finish_non_exhaustive()
    }
}

impl Context {
    fn refusal(&self) -> MutexGuard<'_, Option<Refusal>> {
        self.refusal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

unsafe extern "C" fn write_log(context: *mut c_void, level: u32, message: Text) {
    // SAFETY: the policy hands back the context of its table, and a message that exists.
    let (context, message) = unsafe { (&*context.cast::<Context>(), message.to_text()) };
    let level = match level {
        LOG_ERROR => LogLevel::Error,
        LOG_WARN => LogLevel::Warn,
        LOG_INFO => LogLevel::Info,
        _ => LogLevel::Debug,
    };
    (context.log)(level, &context.policy, &message);
}

unsafe extern "C" fn set_error(context: *mut c_void, message: Text, offset: u64) {
    // SAFETY: as for `write_log`.
    let (context, message) = unsafe { (&*context.cast::<Context>(), message.to_text()) };
    let offset = (offset != NO_OFFSET).then_some(offset as usize);
    *context.refusal() = Some(Refusal { message, offset });
}

/// There is no further service yet.
unsafe extern "C" fn extension(_context: *mut c_void, _name: Text) -> *const c_void {
    ptr::null()
}
