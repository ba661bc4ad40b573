//! Tables for people: as wide as what they are printed to, without what says nothing.
//!
//! A table that is wider than its line goes on below itself, with its first columns repeated; text
//! that is too long for the rest of the line is wrapped between words. Where nobody looks, because
//! stdout is no terminal, lines are as long as they come.

use std::{
    io::{IsTerminal, stdout},
    sync::atomic::{AtomicBool, Ordering},
};
use unicode_width::UnicodeWidthStr;

/// Spaces between columns.
const GAP: usize = 2;
/// How far to the right a note goes on.
const NOTE_INDENT: usize = 8;
/// Least width that text is wrapped to.
const LEAST: usize = 24;

/// Whether the user wants to see every column.
static WIDE: AtomicBool = AtomicBool::new(false);

/// From now on tables show all they have, however wide they become.
pub(crate) fn show_all() {
    WIDE.store(true, Ordering::Relaxed);
}

/// Whether tables show all they have.
pub(crate) fn shows_all() -> bool {
    WIDE.load(Ordering::Relaxed)
}

/// Columns of a line on stdout: those of `COLUMNS` where it is set, those of the terminal where it
/// is one; `None` where lines may be as long as they come.
pub(crate) fn line_width() -> Option<usize> {
    if shows_all() {
        return None;
    }
    let set = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let of_terminal =
        || terminal_size::terminal_size_of(stdout()).map(|(width, _)| usize::from(width.0));
    set.or_else(of_terminal).filter(|width| *width > 0)
}

/// Whether words on stdout may be coloured.
fn is_coloured() -> bool {
    // By its convention (no-color.org) the variable counts unless it is empty.
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let plain = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    !refused && !plain && stdout().is_terminal()
}

/// How a cell is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Weight {
    /// As any other.
    #[default]
    Plain,
    /// What should not be overlooked.
    Notable,
    /// What went wrong.
    Wrong,
}

impl Weight {
    fn paint(self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Notable => format!("\x1b[1;33m{text}\x1b[0m"),
            Self::Wrong => format!("\x1b[1;31m{text}\x1b[0m"),
        }
    }
}

/// A table without rules.
pub(crate) struct Table {
    /// Headings; none for a list of names and what they mean.
    pub header: Vec<String>,
    /// Cells, as many in each row as there are headings.
    pub rows: Vec<Vec<String>>,
    /// Columns, from 0, whose cells are aligned to the right.
    pub right: Vec<usize>,
    /// How many columns say what a row is.
    pub keys: usize,
    /// How the cells of each column are shown; plain where this has none.
    pub column_weights: Vec<Weight>,
    /// How the name of each row is shown; plain where this has none.
    pub row_weights: Vec<Weight>,
}

impl Table {
    /// A table whose first column says what a row is.
    pub(crate) fn new(header: &[&str], rows: Vec<Vec<String>>, right: &[usize]) -> Self {
        let header = header.iter().map(|&heading| heading.to_owned()).collect();
        let right = right.to_vec();
        Self { header, rows, right, keys: 1, column_weights: Vec::new(), row_weights: Vec::new() }
    }

    /// Leaves out the columns of which all cells say that there is nothing, unless all are to be
    /// shown.
    pub(crate) fn without_zeros(mut self) -> Self {
        if shows_all() {
            return self;
        }
        let kept: Vec<usize> =
            (0..self.header.len()).filter(|&column| self.says_something(column)).collect();
        self.rows = self.rows.iter().map(|row| picked(row, &kept)).collect();
        self.right = (0..kept.len()).filter(|at| self.right.contains(&kept[*at])).collect();
        self.column_weights = kept.iter().map(|&column| self.column_weight(column)).collect();
        self.header = picked(&self.header, &kept);
        self
    }

    /// Whether a column says what a row is, or anything of any row.
    fn says_something(&self, column: usize) -> bool {
        column < self.keys || self.rows.iter().any(|row| !is_nothing(&row[column]))
    }

    /// The table, as wide as stdout is.
    pub(crate) fn fitted(&self) -> String {
        self.within(line_width(), is_coloured())
    }

    /// The table in lines of at most `width` columns.
    fn within(&self, width: Option<usize>, coloured: bool) -> String {
        let widths = self.widths();
        let blocks = self.blocks(&widths, width).into_iter();
        let blocks = blocks.map(|columns| self.block(&columns, &widths, width, coloured));
        blocks.collect::<Vec<_>>().join("\n\n")
    }

    /// The width of each column.
    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.first().unwrap_or(&self.header).len();
        (0..columns).map(|column| self.width(column)).collect()
    }

    /// The width of a column: that of its widest cell, or of its heading.
    fn width(&self, column: usize) -> usize {
        let all = self.rows.iter().chain((!self.header.is_empty()).then_some(&self.header));
        all.map(|row| row[column].width()).max().unwrap_or_default()
    }

    /// The columns that stand beside each other, block by block.
    fn blocks(&self, widths: &[usize], width: Option<usize>) -> Vec<Vec<usize>> {
        let keys: Vec<usize> = (0..self.keys.min(widths.len())).collect();
        let begins: usize = keys.iter().map(|&key| widths[key] + GAP).sum();
        let mut blocks = vec![keys.clone()];
        let mut taken = begins;
        for (column, own) in widths.iter().enumerate().skip(keys.len()) {
            let is_full = width.is_some_and(|width| taken + own > width) && taken > begins;
            if is_full {
                blocks.push(keys.clone());
                taken = begins;
            }
            blocks.last_mut().expect("there is a first").push(column);
            taken += own + GAP;
        }
        blocks
    }

    fn block(
        &self,
        columns: &[usize],
        widths: &[usize],
        width: Option<usize>,
        coloured: bool,
    ) -> String {
        let mut lines = Vec::new();
        if !self.header.is_empty() {
            // Headings are no words to wrap, and have no weight.
            let heading = Row { cells: &self.header, number: None };
            lines.extend(self.lines(heading, columns, widths, width));
        }
        for (number, cells) in self.rows.iter().enumerate() {
            let row = Row { cells, number: coloured.then_some(number) };
            lines.extend(self.lines(row, columns, widths, width));
        }
        lines.join("\n")
    }

    /// A row: its last cell is wrapped where it does not fit, below its own beginning.
    fn lines(
        &self,
        row: Row<'_>,
        columns: &[usize],
        widths: &[usize],
        width: Option<usize>,
    ) -> Vec<String> {
        let Some((&last, others)) = columns.split_last() else { return Vec::new() };
        let mut begins = String::new();
        let mut beside = 0;
        for &column in others {
            begins += &self.cell(row, column, widths[column]);
            begins += &" ".repeat(GAP);
            beside += widths[column] + GAP;
        }
        let is_text = !self.right.contains(&last);
        let Some(width) = width.filter(|width| is_text && beside + widths[last] > *width) else {
            return vec![(begins + &self.cell(row, last, widths[last])).trim_end().to_owned()];
        };
        // Where too little is left beside what says which row it is, the text goes below it.
        let indent = if width < beside + LEAST { GAP } else { beside };
        let pieces = wrapped(&row.cells[last], width.saturating_sub(indent).max(1));
        let mut lines = pieces.iter().map(|piece| " ".repeat(reach(piece, indent, width)) + piece);
        let first =
            pieces.first().is_some_and(|piece| indent == beside && beside + piece.width() <= width);
        let first =
            if first { begins + lines.next().unwrap_or_default().trim_start() } else { begins };
        let lines = std::iter::once(first).chain(lines).map(|line| line.trim_end().to_owned());
        lines.collect()
    }

    fn cell(&self, row: Row<'_>, column: usize, width: usize) -> String {
        let text = &row.cells[column];
        // By the bare text: what colours it takes no room.
        let blank = " ".repeat(width.saturating_sub(text.width()));
        let shown = self.weight(row, column).paint(text);
        if self.right.contains(&column) { blank + &shown } else { shown + &blank }
    }

    /// How a cell is shown; one that says nothing is as any other.
    fn weight(&self, row: Row<'_>, column: usize) -> Weight {
        let Some(number) = row.number.filter(|_| !is_nothing(&row.cells[column])) else {
            return Weight::Plain;
        };
        match column {
            0 => self.row_weights.get(number).copied().unwrap_or_default(),
            column => self.column_weight(column),
        }
    }

    fn column_weight(&self, column: usize) -> Weight {
        self.column_weights.get(column).copied().unwrap_or_default()
    }
}

/// The cells of these columns.
fn picked(cells: &[String], columns: &[usize]) -> Vec<String> {
    columns.iter().map(|&column| cells[column].clone()).collect()
}

/// A row on its way to lines.
#[derive(Clone, Copy)]
struct Row<'a> {
    cells: &'a [String],
    /// Which row it is; `None` where its cells have no weight.
    number: Option<usize>,
}

/// Whether a cell says that there is nothing: it is empty, a dash, or made of zeros.
pub(crate) fn is_nothing(cell: &str) -> bool {
    cell.chars().all(|c| "0.,-± ".contains(c))
}

/// What is said around a table, in lines that fit: what does not fit goes on a little to the right.
pub(crate) fn notes(text: &str) -> String {
    let Some(width) = line_width() else { return text.to_owned() };
    notes_within(text, width)
}

fn notes_within(text: &str, width: usize) -> String {
    let indent = if width < NOTE_INDENT + LEAST { 0 } else { NOTE_INDENT };
    let room = (width - indent).max(1);
    let mut fitting = Vec::new();
    for line in text.lines() {
        if line.width() <= width {
            fitting.push(line.to_owned());
            continue;
        }
        let words = line.trim_start();
        let begins = &line[..line.len() - words.len()];
        let lines = wrapped(words, room).into_iter();
        let lines: Vec<String> =
            lines.map(|piece| " ".repeat(reach(&piece, indent, width)) + &piece).collect();
        fitting.push(format!("{begins}{}", lines.join("\n").trim_start()));
    }
    fitting.join("\n")
}

/// How far a line is set in: by `indent`, or less where its one word is longer than the rest.
fn reach(line: &str, indent: usize, width: usize) -> usize {
    width.saturating_sub(line.width()).min(indent)
}

/// Text in lines of at most `room` columns, broken between words; a word that is longer is not
/// broken.
fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is a first");
        if line.is_empty() {
            line.push_str(word);
        } else if line.width() + 1 + word.width() <= room {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(header: &[&str], rows: &[&[&str]], right: &[usize]) -> Table {
        let rows =
            rows.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect();
        Table::new(header, rows, right)
    }

    #[test]
    fn a_table_that_is_too_wide_goes_on_below_with_its_first_column() {
        let table = table(
            &["who", "cost", "saving"],
            &[&["a", "1.0", "20.00"], &["bc", "12.5", "0.10"]],
            &[1, 2],
        );
        assert_eq!(
            table.within(None, false),
            "who  cost  saving\na     1.0   20.00\nbc   12.5    0.10"
        );
        assert_eq!(table.within(Some(17), false), table.within(None, false));
        let narrow = "who  cost\na     1.0\nbc   12.5\n\nwho  saving\na     20.00\nbc     0.10";
        assert_eq!(table.within(Some(16), false), narrow);
        assert_eq!(table.within(Some(5), false), narrow, "a column is never cut");
    }

    #[test]
    fn text_is_wrapped_between_words_below_its_beginning() {
        let table =
            table(&[], &[&["note", "one two three four five six seven"], &["file", "/a"]], &[]);
        let narrow = "note  one two three four five\n      six seven\nfile  /a";
        assert_eq!(table.within(Some(30), false), narrow);
        assert_eq!(wrapped("a/path/that/is/long b", 5), ["a/path/that/is/long", "b"]);
    }

    #[test]
    fn nothing_is_cut_and_only_words_longer_than_a_line_are_left_to_the_terminal() {
        let text = "charges at once, as fast as possible, until \
            /a/path/of/thirty-five/columns.so is reached";
        let table = table(
            &["policy", "what it does", "kW", "kWh"],
            &[&["smart-incentive", text, "1,234.5", "0.1"]],
            &[2, 3],
        );
        let list =
            Table { header: Vec::new(), ..self::table(&[], &[&["smart-incentive", text]], &[]) };
        let words = |shown: &str| shown.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        for width in 36..200 {
            for shown in [table.within(Some(width), false), list.within(Some(width), false)] {
                assert!(shown.lines().all(|line| line.width() <= width), "{width}:\n{shown}");
                let shown = words(&shown);
                assert!(words(text).iter().all(|word| shown.contains(word)), "{width}: {shown:?}");
            }
            let note = notes_within(text, width);
            assert!(note.lines().all(|line| line.width() <= width), "{width}:\n{note}");
        }
    }

    #[test]
    fn notes_go_on_a_little_to_the_right() {
        let note = "cost: what drivers pay less what they earn, wear included\n\nshort";
        let narrow = "cost: what drivers pay less what\n        they earn, wear included\n\nshort";
        assert_eq!(notes_within(note, 41), narrow);
        assert_eq!(notes_within(note, 80), note);
    }

    #[test]
    fn columns_that_say_nothing_are_left_out() {
        let rows: [&[&str]; 2] = [&["0", "0.0 ± 0.0", "-", "0"], &["0", "0.0 ± 0.0", "0", "3"]];
        let table = table(&["key", "a", "b", "c"], &rows, &[1, 2, 3]).without_zeros();
        assert_eq!(table.within(None, false), "key  c\n0    0\n0    3");
    }

    #[test]
    fn weight_does_not_move_cells() {
        let mut table = table(&["a", "b", "c"], &[&["1", "x", "0"], &["2", "0", "y"]], &[0]);
        table.row_weights = vec![Weight::Wrong];
        table.column_weights = vec![Weight::Plain, Weight::Notable];
        let shown = "a  b  c\n\x1b[1;31m1\x1b[0m  \x1b[1;33mx\x1b[0m  0\n2  0  y";
        assert_eq!(table.within(None, true), shown, "what says nothing has no weight");
        assert_eq!(table.within(None, false), "a  b  c\n1  x  0\n2  0  y");
        let table = table.without_zeros();
        assert_eq!(table.within(None, true), shown);
    }
}
