//! Work shared between threads so that its result does not depend on how many there are.

use bevy_ecs::prelude::*;
use bevy_tasks::{TaskPool, TaskPoolBuilder};

/// The threads of a run.
#[derive(Resource)]
pub(crate) struct Workers {
    pool: Option<TaskPool>,
}

/// Fewest tasks that are worth waking other threads for.
const TASKS_MIN: usize = 16;

impl Workers {
    /// `threads` of them; 1 means that everything is done by the caller.
    pub(crate) fn new(threads: usize) -> Self {
        let build =
            || TaskPoolBuilder::new().num_threads(threads).thread_name("voltide".into()).build();
        Self { pool: (threads > 1).then(build) }
    }

    /// `work` on each task; the results are in the tasks' order.
    pub(crate) fn map<T: Send, R: Send + 'static>(
        &self,
        mut tasks: Vec<T>,
        work: impl Fn(T) -> R + Sync,
    ) -> Vec<R> {
        let Some(pool) = self.pool.as_ref().filter(|_| tasks.len() >= TASKS_MIN) else {
            return tasks.into_iter().map(work).collect();
        };
        let share = tasks.len().div_ceil(pool.thread_num());
        let mut shares = Vec::new();
        while !tasks.is_empty() {
            let rest = tasks.split_off(share.min(tasks.len()));
            shares.push(std::mem::replace(&mut tasks, rest));
        }
        let work = &work;
        // A scope hands back in the order of spawning, whoever was done first.
        let done = pool.scope(|scope| {
            for share in shares {
                scope.spawn(async move { share.into_iter().map(work).collect::<Vec<R>>() });
            }
        });
        done.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order_for_any_number_of_threads() {
        let squares: Vec<usize> = (0..100).map(|n| n * n).collect();
        for threads in [1, 2, 8] {
            assert_eq!(Workers::new(threads).map((0..100).collect(), |n| n * n), squares);
        }
    }
}
