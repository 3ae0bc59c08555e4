//! A table for the terminal and for the document.

/// Rows of text below a headline; the first column is on the left.
#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) title: String,
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// What stands below it.
    pub(super) note: String,
}

impl Table {
    pub(super) fn new(title: impl Into<String>, head: &[&str]) -> Self {
        Self {
            title: title.into(),
            head: head.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
            note: String::new(),
        }
    }

    pub(super) fn print(&self) {
        println!("\n## {}", self.title);
        let all = || std::iter::once(&self.head).chain(&self.rows);
        let width = |column: usize| {
            let cells = all().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        for row in all() {
            let cells = row.iter().zip(&widths).enumerate();
            let cells = cells.map(|(column, (cell, width))| match column {
                0 => format!("{cell:<width$}"),
                _ => format!("{cell:>width$}"),
            });
            println!("{}", cells.collect::<Vec<_>>().join("  "));
        }
        if !self.note.is_empty() {
            println!("{}", self.note);
        }
    }

    pub(super) fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
        let mut text = format!("### {}\n\n{}", self.title, line(&self.head));
        let rules = self.head.iter().enumerate();
        let rules: Vec<String> = rules
            .map(|(column, _)| if column == 0 { "---" } else { "---:" }.to_owned())
            .collect();
        text.push_str(&line(&rules));
        for row in &self.rows {
            text.push_str(&line(row));
        }
        if !self.note.is_empty() {
            text.push_str(&format!("\n{}\n", self.note));
        }
        text
    }
}

/// Three digits that count.
pub(super) fn number(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value if value >= 1.0 => format!("{value:.2}"),
        value => format!("{value:.3}"),
    }
}

/// `1 KiB`, `64 MiB`
pub(super) fn size(octets: usize) -> String {
    match octets {
        octets if octets >= 1 << 30 => format!("{} GiB", octets >> 30),
        octets if octets >= 1 << 20 => format!("{} MiB", octets >> 20),
        octets => format!("{} KiB", octets >> 10),
    }
}
