//! Pages made from the data dictionary: `outputs/README.md` and `outputs/views.sql`.

use crate::{
    column::{Column, Table},
    table::TABLES,
};
use std::fmt::Write as _;
use voltide_model::rounding::SHARE;

/// The canonical questions, by the name of their file in `outputs/queries`.
pub const QUERIES: [(&str, &str); 10] = [
    ("01-system-cost.sql", include_str!("../../../outputs/queries/01-system-cost.sql")),
    ("02-driver-cost.sql", include_str!("../../../outputs/queries/02-driver-cost.sql")),
    ("03-net-load.sql", include_str!("../../../outputs/queries/03-net-load.sql")),
    ("04-margin-shortfall.sql", include_str!("../../../outputs/queries/04-margin-shortfall.sql")),
    ("05-missed-targets.sql", include_str!("../../../outputs/queries/05-missed-targets.sql")),
    ("06-soc-fan.sql", include_str!("../../../outputs/queries/06-soc-fan.sql")),
    ("07-plugged-by-hour.sql", include_str!("../../../outputs/queries/07-plugged-by-hour.sql")),
    ("08-energy-mix.sql", include_str!("../../../outputs/queries/08-energy-mix.sql")),
    ("09-audit-net-load.sql", include_str!("../../../outputs/queries/09-audit-net-load.sql")),
    ("10-audit-ev-sums.sql", include_str!("../../../outputs/queries/10-audit-ev-sums.sql")),
];

/// What `outputs/README.md` says before the tables.
const HEAD: &str = include_str!("page.md");

/// The text of `outputs/README.md`.
pub fn readme() -> String {
    let mut page = HEAD.to_owned();
    page.push_str("\n## Questions\n\n");
    for (name, text) in QUERIES {
        let question = text.lines().next().unwrap_or_default().trim_start_matches("-- ");
        let _ = writeln!(page, "* [`{name}`](queries/{name}): {question}");
    }
    page.push_str("\n## Tables\n");
    for table in TABLES {
        page.push_str(&section(table));
    }
    page
}

fn section(table: &Table) -> String {
    let mut text = format!("\n### {}\n\n{}", table.name, table.description);
    if !table.key.is_empty() {
        let _ = write!(text, " Key: {}.", table.key.join(", "));
    }
    text.push_str("\n\n| column | type | unit | meaning |\n|---|---|---|---|\n");
    for column in table.columns {
        text.push_str(&line(column));
    }
    text
}

fn line(column: &Column) -> String {
    let sign = if column.sign.is_empty() { String::new() } else { format!("; {}", column.sign) };
    let nullable = if column.nullable { ", may be null" } else { "" };
    format!(
        "| `{}` | {}{nullable} | {} | {}{sign} |\n",
        column.name,
        column.kind.name(),
        column.unit,
        column.description
    )
}

/// What `outputs/views.sql` says before the views.
const VIEWS_HEAD: &str = include_str!("views.sql");

/// What it says after them.
const VIEWS_TAIL: &str = "
-- A run that lies there twice would be joined with itself.
SET VARIABLE twice = (SELECT min(run_id) FROM (FROM runs SELECT run_id GROUP BY run_id HAVING count(*) > 1));
SET VARIABLE twice = (
    SELECT error(getvariable('twice') || ' lies twice below ' || getvariable('outputs'))
    WHERE getvariable('twice') IS NOT NULL
);
";

/// The text of `outputs/views.sql`: one view a table over the runs of all worlds.
pub fn views() -> String {
    let mut text = format!(
        "{VIEWS_HEAD}\n-- An amount, or 0 where it is what rounding leaves of sums as large as `summed`.\n\
         CREATE OR REPLACE MACRO without_rounding(amount, summed) AS\n    \
         if(abs(amount) > {SHARE:e} * summed, amount, amount * 0);\n"
    );
    for table in TABLES {
        let _ = write!(
            text,
            "\nCREATE OR REPLACE VIEW {} AS\n{}UNION ALL BY NAME\nFROM read_parquet(getvariable('outputs') || \
             '/**/{}',\n    hive_partitioning = true, union_by_name = true);\n",
            table.name,
            no_row(table),
            table.glob()
        );
    }
    text + VIEWS_TAIL
}

/// A selection of no row that has all columns of a table, which an earlier version may not have
/// written.
fn no_row(table: &Table) -> String {
    let typed = |column: &Column| format!("NULL::{} AS {}", column.kind.sql(), column.name);
    let mut columns = std::iter::once("NULL::VARCHAR AS run_id".to_owned())
        .chain(table.columns.iter().map(typed));
    let mut lines = vec![format!("SELECT {}", columns.next().unwrap_or_default())];
    for column in columns {
        let last = lines.len() - 1;
        lines[last].push(',');
        if lines[last].len() + column.len() + 1 < VIEW_WIDTH {
            lines[last] = format!("{} {column}", lines[last]);
        } else {
            lines.push(format!("    {column}"));
        }
    }
    format!("{}\nWHERE false\n", lines.join("\n"))
}

/// Lines of views are narrower than this.
const VIEW_WIDTH: usize = 100;
