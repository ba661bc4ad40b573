//! Clp's C interface, `Clp_C_Interface.h`, as far as it is used, and a model that frees itself.

#![expect(unsafe_code, reason = "this is the border between the program and Clp")]

use std::{
    ffi::{c_double, c_int, c_uchar},
    ptr::NonNull,
    slice,
};

// Links the Clp that was built from source; nothing else names it.
#[cfg(feature = "bundled-cbc")]
extern crate clp_src as _;

/// `Clp_Simplex`, of which only pointers are known.
#[repr(C)]
struct Simplex {
    _private: [u8; 0],
}

#[cfg_attr(feature = "system-cbc", link(name = "Clp"))]
unsafe extern "C" {
    fn Clp_newModel() -> *mut Simplex;
    fn Clp_deleteModel(model: *mut Simplex);
    fn Clp_setLogLevel(model: *mut Simplex, value: c_int);
    fn Clp_scaling(model: *mut Simplex, mode: c_int);
    fn Clp_setNumberIterations(model: *mut Simplex, value: c_int);
    fn Clp_setMaximumIterations(model: *mut Simplex, value: c_int);
    fn Clp_loadProblem(
        model: *mut Simplex,
        columns: c_int,
        rows: c_int,
        start: *const c_int,
        index: *const c_int,
        value: *const c_double,
        column_lower: *const c_double,
        column_upper: *const c_double,
        objective: *const c_double,
        row_lower: *const c_double,
        row_upper: *const c_double,
    );
    fn Clp_copyinStatus(model: *mut Simplex, statuses: *const c_uchar);
    fn Clp_chgColumnLower(model: *mut Simplex, lower: *const c_double);
    fn Clp_chgColumnUpper(model: *mut Simplex, upper: *const c_double);
    fn Clp_dual(model: *mut Simplex, values_pass: c_int) -> c_int;
    fn Clp_primal(model: *mut Simplex, values_pass: c_int) -> c_int;
    fn Clp_status(model: *mut Simplex) -> c_int;
    fn Clp_numberIterations(model: *mut Simplex) -> c_int;
    fn Clp_primalColumnSolution(model: *mut Simplex) -> *const c_double;
    fn Clp_dualColumnSolution(model: *mut Simplex) -> *const c_double;
    fn Clp_dualRowSolution(model: *mut Simplex) -> *const c_double;
    fn Clp_statusArray(model: *mut Simplex) -> *const c_uchar;
}

/// A program as Clp takes it. `starts` has one more entry than there are columns: the entries of a
/// column are those from its start to the next.
pub(crate) struct Loaded<'a> {
    pub starts: &'a [c_int],
    pub rows: &'a [c_int],
    pub factors: &'a [c_double],
    pub lower: &'a [c_double],
    pub upper: &'a [c_double],
    pub cost: &'a [c_double],
    pub row_lower: &'a [c_double],
    pub row_upper: &'a [c_double],
}

/// A model of Clp's, silent.
pub(crate) struct Model {
    simplex: NonNull<Simplex>,
    columns: usize,
    rows: usize,
}

impl Model {
    /// Hands a program over.
    ///
    /// # Panics
    /// If its columns or rows differ in length or cannot be counted in 32 bits, an entry is of no row,
    /// or there is no memory.
    pub(crate) fn load(program: &Loaded<'_>) -> Self {
        let columns = program.cost.len();
        let rows = program.row_lower.len();
        let (columns_c, rows_c) = check(program, columns, rows);
        // SAFETY: it takes nothing and gives a model, or null.
        let simplex = NonNull::new(unsafe { Clp_newModel() }).expect("there is memory for a model");
        // SAFETY: the model is new, and `check` saw that all arrays are as long as Clp reads them.
        unsafe {
            Clp_setLogLevel(simplex.as_ptr(), 0);
            Clp_loadProblem(
                simplex.as_ptr(),
                columns_c,
                rows_c,
                program.starts.as_ptr(),
                program.rows.as_ptr(),
                program.factors.as_ptr(),
                program.lower.as_ptr(),
                program.upper.as_ptr(),
                program.cost.as_ptr(),
                program.row_lower.as_ptr(),
                program.row_upper.as_ptr(),
            );
        }
        Self { simplex, columns, rows }
    }

    /// Begins with a basis: the statuses of columns, then of rows.
    ///
    /// # Panics
    /// If there is not one for each.
    pub(crate) fn begin_with(&mut self, statuses: &[u8]) {
        assert_eq!(statuses.len(), self.columns + self.rows, "a basis of another program");
        // SAFETY: Clp reads one status a column and row.
        unsafe { Clp_copyinStatus(self.simplex.as_ptr(), statuses.as_ptr()) };
    }

    /// Has columns and rows taken as they are, and not brought to one size before each solve.
    pub(crate) fn take_as_it_is(&mut self) {
        // SAFETY: the model is loaded.
        unsafe { Clp_scaling(self.simplex.as_ptr(), 0) };
    }

    /// Puts other bounds in place of those of all columns.
    ///
    /// # Panics
    /// If there is not one of each a column.
    pub(crate) fn bound(&mut self, lower: &[f64], upper: &[f64]) {
        assert_eq!([lower.len(), upper.len()], [self.columns; 2], "bounds of another program");
        // SAFETY: Clp copies one number a column from each.
        unsafe {
            Clp_chgColumnLower(self.simplex.as_ptr(), lower.as_ptr());
            Clp_chgColumnUpper(self.simplex.as_ptr(), upper.as_ptr());
        }
    }

    /// Solves by the dual simplex, from where the last solve ended, in at most so many pivots; gives
    /// Clp's status.
    pub(crate) fn solve(&mut self, pivots_max: u32) -> i32 {
        self.pivot(pivots_max, Clp_dual)
    }

    /// Solves by the primal simplex, as [`solve`](Self::solve) does by the dual one.
    pub(crate) fn solve_primal(&mut self, pivots_max: u32) -> i32 {
        self.pivot(pivots_max, Clp_primal)
    }

    fn pivot(
        &mut self,
        pivots_max: u32,
        simplex: unsafe extern "C" fn(*mut Simplex, c_int) -> c_int,
    ) -> i32 {
        let pivots_max = c_int::try_from(pivots_max).unwrap_or(c_int::MAX);
        // SAFETY: the model is loaded, and both simplexes take it with no values pass.
        unsafe {
            Clp_setNumberIterations(self.simplex.as_ptr(), 0);
            Clp_setMaximumIterations(self.simplex.as_ptr(), pivots_max);
            simplex(self.simplex.as_ptr(), 0);
            Clp_status(self.simplex.as_ptr())
        }
    }

    /// Pivots of the last solve.
    pub(crate) fn pivots(&self) -> u32 {
        // SAFETY: the model is loaded.
        unsafe { Clp_numberIterations(self.simplex.as_ptr()) }.unsigned_abs()
    }

    /// Value of each column.
    pub(crate) fn values(&self) -> &[f64] {
        // SAFETY: Clp has as many numbers as columns, and they live as long as it is not changed.
        unsafe { numbers(Clp_primalColumnSolution(self.simplex.as_ptr()), self.columns) }
    }

    /// Reduced cost of each column.
    pub(crate) fn reduced_costs(&self) -> &[f64] {
        // SAFETY: as for values.
        unsafe { numbers(Clp_dualColumnSolution(self.simplex.as_ptr()), self.columns) }
    }

    /// What the objective would change by, for one more of each row's sides.
    pub(crate) fn row_prices(&self) -> &[f64] {
        // SAFETY: as for values, by rows.
        unsafe { numbers(Clp_dualRowSolution(self.simplex.as_ptr()), self.rows) }
    }

    /// The statuses of columns, then of rows.
    pub(crate) fn statuses(&self) -> &[u8] {
        // SAFETY: Clp has one a column and row once it was solved or given them.
        unsafe { numbers(Clp_statusArray(self.simplex.as_ptr()), self.columns + self.rows) }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: the model is freed once, here.
        unsafe { Clp_deleteModel(self.simplex.as_ptr()) };
    }
}

/// An array of Clp's; without entries it may be null.
///
/// # Safety
/// `start` has `len` values that stay as they are while the slice lives.
unsafe fn numbers<'a, T>(start: *const T, len: usize) -> &'a [T] {
    if len == 0 || start.is_null() {
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { slice::from_raw_parts(start, len) }
}

/// Sees that all arrays are as long as Clp reads them; gives the counts as Clp takes them.
fn check(program: &Loaded<'_>, columns: usize, rows: usize) -> (c_int, c_int) {
    let counted = |count| c_int::try_from(count).expect("Clp counts in 32 bits");
    counted(columns + rows);
    let of_columns = [program.lower.len(), program.upper.len(), program.starts.len() - 1];
    let entries = program.starts.last().map_or(0, |&end| end as usize);
    let ascending = program.starts.is_sorted() && program.starts.first() == Some(&0);
    assert!(of_columns == [columns; 3], "columns differ in length");
    assert!(program.row_upper.len() == rows, "rows differ in length");
    assert!(ascending && program.rows.len() == entries, "entries are not where columns say");
    assert!(program.factors.len() == entries, "entries without a factor");
    let is_row = |&row: &c_int| usize::try_from(row).is_ok_and(|row| row < rows);
    assert!(program.rows.iter().all(is_row), "an entry of no row");
    (counted(columns), counted(rows))
}
