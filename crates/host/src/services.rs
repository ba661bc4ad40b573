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
        STATUS_OK, STORAGE_SERVICE, StorageAnswers, StorageFigures, StorageProblems, StorageSites,
        StorageTable, Text, WORLD_SERVICE, WorldTable, copy_prefix,
    },
    planner::GroupSolved,
    storage::{GroupFigures, GroupSites, StorageRequest},
    world::World,
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
    /// Groups that were solved since they were asked for last.
    groups: Mutex<Vec<GroupSolved>>,
    threads: usize,
    /// What `extension` gives for the storage service; its context is this one.
    storage: StorageTable,
    /// What it gives for the world, where one is known.
    told: Option<Told>,
}

/// A world, and the table that points at its texts.
struct Told {
    table: WorldTable,
    /// Behind the pointers of the table.
    _world: Box<World>,
    _series_name: Vec<Text>,
}

impl Told {
    fn of(world: &World) -> Self {
        let world = Box::new(world.clone());
        let series_name: Vec<Text> = world.series.iter().map(|name| Text::new(name)).collect();
        let table = WorldTable::new(&world, &series_name);
        Self { table, _world: world, _series_name: series_name }
    }
}

impl Services {
    pub(crate) fn new(policy: &str, log: Log, threads: usize, world: Option<&World>) -> Self {
        let storage = StorageTable {
            size: size_of::<StorageTable>() as u32,
            reserved: 0,
            context: ptr::null_mut(),
            solve: Some(solve_storage),
            solve_group: Some(solve_group),
        };
        let refusal = Mutex::new(None);
        let groups = Mutex::new(Vec::new());
        // Boxes stay where they are when this struct moves, and both tables point into them.
        let (policy, told) = (policy.to_owned(), world.map(Told::of));
        let mut context =
            Box::new(Context { policy, log, refusal, groups, threads, storage, told });
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

    /// The groups that it had solved since it was asked last.
    pub(crate) fn take_groups(&self) -> Vec<GroupSolved> {
        std::mem::take(&mut *self.context.groups())
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

    fn groups(&self) -> MutexGuard<'_, Vec<GroupSolved>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A further service: storage, and the world where one is known.
unsafe extern "C" fn extension(context: *mut c_void, name: Text) -> *const c_void {
    // SAFETY: as for `write_log`.
    let (context, name) = unsafe { (&*context.cast::<Context>(), name.bytes()) };
    if name == STORAGE_SERVICE.as_bytes() {
        ptr::from_ref(&context.storage).cast()
    } else if let Some(told) = context.told.as_ref().filter(|_| name == WORLD_SERVICE.as_bytes()) {
        ptr::from_ref(&told.table).cast()
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
    let solved = unsafe { solve_columns(&problems, &answers, context.threads) };
    status(solved, context, &answers)
}

unsafe extern "C" fn solve_group(
    context: *mut c_void,
    problems: *const StorageProblems,
    sites: *const StorageSites,
    answers: *const StorageAnswers,
    figures: *const StorageFigures,
) -> i32 {
    // SAFETY: the policy hands back the context of the table, and whole structs.
    let (context, problems, sites, answers) = unsafe {
        let context = &*context.cast::<Context>();
        (context, copy_prefix(problems), copy_prefix(sites), copy_prefix(answers))
    };
    // SAFETY: their columns are as the contract says.
    let solved = unsafe { solve_group_columns(&problems, &sites, &answers) };
    let solved = solved.map(|solved| {
        context.groups().push(GroupSolved { rows: problems.rows, figures: solved });
        if !figures.is_null() {
            // SAFETY: a whole struct, whose places are as the contract says.
            unsafe { copy_prefix(figures).write(&solved) }
        }
    });
    status(solved, context, &answers)
}

/// The status of a call of the storage service; what was wrong goes to where the answers say.
fn status(solved: Result<(), String>, context: &Context, answers: &StorageAnswers) -> i32 {
    let Err(message) = solved else { return STATUS_OK };
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
    // SAFETY: as the caller promises.
    let (request, power_kw) = unsafe { columns_of(problems, answers) }?;
    let solved = storage::solve(&request, threads, power_kw)?;
    // SAFETY: as the caller promises.
    unsafe { answers.write(&solved) };
    Ok(())
}

/// Solves problems behind common limits into answers; the error is the reason for the policy.
///
/// # Safety
///
/// Every pointer is null or leads to as many values as the contract says.
unsafe fn solve_group_columns(
    problems: &StorageProblems,
    sites: &StorageSites,
    answers: &StorageAnswers,
) -> Result<GroupFigures, String> {
    let StorageProblems { rows, horizon, .. } = *problems;
    same_size("sites", (sites.rows, sites.horizon), (rows, horizon))?;
    // SAFETY: as the caller promises; the view has checked that the sizes are ones that memory can
    // have.
    let (request, power_kw, sites, costs) = unsafe {
        let (request, power_kw) = columns_of(problems, answers)?;
        let sites_seen = sites.view().map_err(|error| error.to_string())?;
        let costs = sites.costs().map_err(|error| error.to_string())?;
        (request, power_kw, sites_seen, costs)
    };
    let sites = GroupSites { costs: &costs, ..sites };
    let (solved, figures) = storage::solve_group(&request, &sites, power_kw)?;
    // SAFETY: as the caller promises.
    unsafe { answers.write(&solved) };
    Ok(figures)
}

/// The request and the place for its schedules.
///
/// # Safety
///
/// Every pointer is null or leads to as many values as the contract says.
unsafe fn columns_of<'a>(
    problems: &StorageProblems,
    answers: &StorageAnswers,
) -> Result<(StorageRequest<'a>, &'a mut [f64]), String> {
    let StorageProblems { rows, horizon, .. } = *problems;
    same_size("answers", (answers.rows, answers.horizon), (rows, horizon))?;
    // SAFETY: as the caller promises; the view has checked that the sizes are ones that memory can
    // have.
    unsafe {
        let request = problems.view().map_err(|error| error.to_string())?;
        Ok((request, answers.power_kw()))
    }
}

/// Checks that rows and slots of a struct are those of the problems.
fn same_size(what: &str, found: (u32, u32), problems: (u32, u32)) -> Result<(), String> {
    if found == problems {
        return Ok(());
    }
    let (rows, horizon) = problems;
    Err(format!("the {what} are {} x {}, the problems {rows} x {horizon}", found.0, found.1))
}
