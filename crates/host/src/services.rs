//! What the program lends to a policy while it calls it.

#![expect(unsafe_code, reason = "plugins call these functions with pointers")]

use crate::storage;
use std::{
    ffi::c_void,
    fmt, ptr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use voltide_policy::{
    LogLevel,
    abi::{
        ABI_MAJOR, ABI_MINOR, HostTable, LOG_ERROR, LOG_INFO, LOG_WARN, NO_OFFSET, STATUS_ERROR,
        STATUS_OK, STORAGE_SERVICE, StorageAnswers, StorageProblems, StorageTable, Text,
        copy_prefix,
    },
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
    threads: usize,
    /// What `extension` gives for the storage service; its context is this one.
    storage: StorageTable,
}

impl Services {
    pub(crate) fn new(policy: &str, log: Log, threads: usize) -> Self {
        let storage = StorageTable {
            size: size_of::<StorageTable>() as u32,
            reserved: 0,
            context: ptr::null_mut(),
            solve: Some(solve_storage),
        };
        let refusal = Mutex::new(None);
        // Boxes stay where they are when this struct moves, and both tables point into them.
        let mut context =
            Box::new(Context { policy: policy.to_owned(), log, refusal, threads, storage });
        context.storage.context = ptr::from_ref(&*context).cast_mut().cast();
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
        // Whoever panicked beside it left a whole refusal or none.
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

/// A further service; there is one, of storage.
unsafe extern "C" fn extension(context: *mut c_void, name: Text) -> *const c_void {
    // SAFETY: as for `write_log`.
    let (context, name) = unsafe { (&*context.cast::<Context>(), name.bytes()) };
    if name == STORAGE_SERVICE.as_bytes() {
        ptr::from_ref(&context.storage).cast()
    } else {
        ptr::null()
    }
}

unsafe extern "C" fn solve_storage(
    context: *mut c_void,
    problems: *const StorageProblems,
    answers: *const StorageAnswers,
) -> i32 {
    // SAFETY: the policy hands back the context of the table, and two whole structs.
    let (context, problems, answers) =
        unsafe { (&*context.cast::<Context>(), copy_prefix(problems), copy_prefix(answers)) };
    // SAFETY: their columns are as the contract says.
    let Err(message) = (unsafe { solve_columns(&problems, &answers, context.threads) }) else {
        return STATUS_OK;
    };
    if answers.message.is_null() {
        *context.refusal() = Some(Refusal { message, offset: None });
    } else {
        // SAFETY: the policy keeps its sink alive during the call.
        unsafe { copy_prefix(answers.message).put(message.as_bytes()) }
    }
    STATUS_ERROR
}

/// Solves problems into answers; the error is the reason for the policy.
///
/// # Safety
///
/// Every pointer is null or leads to as many values as the contract says.
unsafe fn solve_columns(
    problems: &StorageProblems,
    answers: &StorageAnswers,
    threads: usize,
) -> Result<(), String> {
    let StorageProblems { rows, horizon, .. } = *problems;
    if (answers.rows, answers.horizon) != (rows, horizon) {
        let found = answers.rows;
        let width = answers.horizon;
        return Err(format!("the answers are {found} x {width}, the problems {rows} x {horizon}"));
    }
    // SAFETY: as the caller promises; the view has checked that the sizes are ones that memory can
    // have.
    let (request, power_kw) = unsafe {
        let request = problems.view().map_err(|error| error.to_string())?;
        (request, answers.power_kw())
    };
    let solved = storage::solve(&request, threads, power_kw)?;
    // SAFETY: as the caller promises.
    unsafe { answers.write(&solved) };
    Ok(())
}
