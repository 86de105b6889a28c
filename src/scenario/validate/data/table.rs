//! Reads rows from a table: comma-separated values (RFC 4180) below a header.
//!
//! The separator is a tab in a `.tsv` file, and a semicolon if the header contains semicolons but no comma. Spaces
//! around cells are trimmed.

use csv::{ErrorKind, Position, ReaderBuilder, StringRecord, Trim};
use serde_json::{Map, Number, Value};

use super::super::Validator;
use super::rows::{WrittenRow, id};
use crate::scenario::problem::{DataMistake, Problem, ProblemKind};
use crate::scenario::source::Span;
use crate::scenario::units::MAX_TOTAL;

/// Reads the rows of a table file.
pub(super) fn rows(span: Span, check: &mut Validator<'_>) -> Option<Vec<WrittenRow>> {
    let (source, _) = check.document.sources().locate(span)?;
    let text = source.text();
    let is_tsv = source.path().extension().is_some_and(|ending| ending.eq_ignore_ascii_case("tsv"));
    let table = Table { text, delimiter: delimiter(text, is_tsv), start: span.start };
    if text.trim().is_empty() {
        check.report(DataMistake::EmptyDataFile.into(), span);
        return None;
    }
    let mut reader =
        ReaderBuilder::new().delimiter(table.delimiter).trim(Trim::All).has_headers(true).from_reader(text.as_bytes());
    let headers = reader.headers().cloned().unwrap_or_default();
    check_headers(&headers, &table, check);
    let (mut rows, mut last, mut unequal) = (Vec::new(), 0, None);
    for record in reader.records() {
        unequal.take().into_iter().for_each(|problem| check.document.report(problem));
        match record {
            Ok(record) => {
                last = table.row(record.position());
                rows.push(row(&record, &headers, last, &table, check));
            }
            Err(error) => {
                // Reading UTF-8 text from memory cannot fail.
                let ErrorKind::UnequalLengths { pos, expected_len, len } = error.kind() else { break };
                last = table.row(pos.as_ref());
                let kind = DataMistake::UnequalRow { cells: *len, fields: *expected_len }.into();
                unequal = Some(Problem::new(kind, table.line(last)));
            }
        }
    }
    // An unclosed quote also swallows cells of its row, so it takes precedence.
    let unclosed = table.unclosed_quote(last).map(|span| Problem::new(DataMistake::UnclosedQuote.into(), span));
    unclosed.or(unequal).into_iter().for_each(|problem| check.document.report(problem));
    Some(rows)
}

fn delimiter(text: &str, is_tsv: bool) -> u8 {
    let header = text.trim_start().lines().next().unwrap_or_default();
    match header {
        _ if is_tsv => b'\t',
        header if header.contains(';') && !header.contains(',') => b';',
        _ => b',',
    }
}

/// Reports empty and duplicate column names.
fn check_headers(headers: &StringRecord, table: &Table, check: &mut Validator<'_>) {
    let at = table.row(None);
    for (index, name) in headers.iter().enumerate() {
        if name.is_empty() {
            check.report(ProblemKind::EmptyName("the name of a column"), table.cell(at, index));
        } else if let Some(first) = headers.iter().take(index).position(|before| before == name) {
            let problem = Problem::new(ProblemKind::DuplicateKey(name.to_owned()), table.cell(at, index));
            check.document.report(problem.related_to(table.cell(at, first)));
        }
    }
}

fn row(
    record: &StringRecord,
    headers: &StringRecord,
    at: usize,
    table: &Table,
    check: &mut Validator<'_>,
) -> WrittenRow {
    let mut row = WrittenRow { id: None, fields: Map::with_capacity(headers.len()) };
    for (index, (name, cell)) in headers.iter().zip(record).enumerate() {
        let Some(value) = value(cell) else { continue };
        if name == "id" {
            // Everything except an integer is text, because a table cannot mark text otherwise.
            let value = if value.is_i64() { value } else { cell.into() };
            row.id = id(&value, table.cell(at, index), check);
        } else {
            row.fields.insert(name.to_owned(), value);
        }
    }
    row
}

/// Returns the value of a cell: a number, `true` or `false` in JSON notation, otherwise text. `None` if the cell is
/// empty. Integers that JavaScript cannot represent exactly are text.
fn value(cell: &str) -> Option<Value> {
    Some(match cell {
        "" => return None,
        "true" => true.into(),
        "false" => false.into(),
        _ if cell.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            let number: Option<Number> = serde_json::from_str(cell).ok();
            let is_integer = !cell.contains(['.', 'e', 'E']);
            let is_exact = |number: &Number| number.as_i64().is_some_and(|it| (-MAX_TOTAL..=MAX_TOTAL).contains(&it));
            let number = number.filter(|number| !is_integer || is_exact(number));
            number.map_or_else(|| cell.into(), Value::Number)
        }
        _ => cell.into(),
    })
}

/// The text of a table, from which spans are computed.
struct Table<'t> {
    text: &'t str,
    delimiter: u8,
    /// The offset of the first byte.
    start: u32,
}

impl Table<'_> {
    fn span(&self, from: usize, to: usize) -> Span {
        let place = |at: usize| self.start.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
        Span { start: place(from), end: place(to) }
    }

    /// Returns the start of a row. The reader's position of a row includes the line ends before it.
    fn row(&self, position: Option<&Position>) -> usize {
        let at = position.map_or(0, |position| usize::try_from(position.byte()).unwrap_or(usize::MAX));
        let rest = self.text.get(at..).unwrap_or_default();
        at + (rest.len() - rest.trim_start_matches(['\r', '\n']).len())
    }

    /// Returns the span of the line that starts at byte `at`.
    fn line(&self, at: usize) -> Span {
        let rest = self.text.get(at..).unwrap_or_default();
        self.span(at, at + rest.find(['\r', '\n']).unwrap_or(rest.len()))
    }

    /// Returns the span of the cell at `index` in the row that starts at byte `row`.
    fn cell(&self, row: usize, index: usize) -> Span {
        let rest = self.text.get(row..).unwrap_or_default();
        let (mut start, mut left, mut quotes) = (row, index, Quotes::new(self.delimiter));
        for (at, byte) in (row..).zip(rest.bytes()) {
            let is_inside = quotes.step(at, byte).is_some();
            let is_end = !is_inside && (byte == self.delimiter || matches!(byte, b'\r' | b'\n'));
            if is_end && (left == 0 || byte != self.delimiter) {
                return self.trimmed(start, at);
            }
            if is_end {
                (left, start) = (left - 1, at + 1);
            }
        }
        self.trimmed(start, self.text.len())
    }

    fn trimmed(&self, from: usize, to: usize) -> Span {
        let cell = self.text.get(from..to).unwrap_or_default();
        let start = from + (cell.len() - cell.trim_start().len());
        self.span(start, start + cell.trim().len())
    }

    /// Returns the span of a quote that is never closed, in the last row, which starts at byte `row`.
    fn unclosed_quote(&self, row: usize) -> Option<Span> {
        let rest = self.text.get(row..).unwrap_or_default();
        let mut quotes = Quotes::new(self.delimiter);
        let open = (row..).zip(rest.bytes()).fold(None, |_, (at, byte)| quotes.step(at, byte));
        open.map(|at| self.span(at, at + 1))
    }
}

/// A scanner that tracks quotes in a row.
struct Quotes {
    delimiter: u8,
    before: u8,
    open: Option<usize>,
    /// The offset after the last closing quote.
    closed: Option<usize>,
}

impl Quotes {
    fn new(delimiter: u8) -> Self {
        Self { delimiter, before: delimiter, open: None, closed: None }
    }

    /// Advances past a byte, and returns the offset of the quote that is open after it.
    fn step(&mut self, at: usize, byte: u8) -> Option<usize> {
        // The second quote of a doubled quote reopens the cell.
        let can_open = self.before == self.delimiter || matches!(self.before, b'\r' | b'\n') || self.closed == Some(at);
        if byte == b'"' && self.open.take().is_some() {
            self.closed = Some(at + 1);
        } else if byte == b'"' && can_open {
            self.open = Some(at);
        }
        self.before = byte;
        self.open
    }
}
