//! Tables, lists of facts, the filters above a list and the way to its next page.

use askama::Template;

use super::{Field, Link, PostButton, Prose, Tag, When, markup};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub name: String,
    /// Numbers stand at the right.
    pub numeric: bool,
}
impl Column {
    pub fn text(name: impl Into<String>) -> Self {
        Self { name: name.into(), numeric: false }
    }
    pub fn number(name: impl Into<String>) -> Self {
        Self { name: name.into(), numeric: true }
    }
}

/// What stands in a cell, or beside the name of a fact.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/cell.html")]
pub enum Cell {
    Text(String),
    Link(Link),
    Tag(Tag),
    Tags(Vec<Tag>),
    When(When),
    Code(String),
    /// As it was typed, several lines perhaps.
    Typed(String),
    Prose(Prose),
    Items(Vec<String>),
    /// Buttons that each are a form.
    Actions(Vec<PostButton>),
    Links(Vec<Link>),
    /// One thing, and below it, smaller, what belongs to it: a code, a date, a reason.
    Lines(Vec<Self>),
}
impl Cell {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
    /// A name, and below it the code that programs know it by.
    pub fn coded(name: Self, code: impl Into<String>) -> Self {
        Self::Lines(vec![name, Self::Code(code.into())])
    }
    pub fn link(href: impl Into<String>, text: impl Into<String>) -> Self {
        Self::Link(Link::new(href, text))
    }
}

/// A table; it scrolls by itself where the page is narrower. The first cell of a row is its header.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/table.html")]
pub struct Table {
    pub caption: String,
    pub columns: Vec<Column>,
    pub rows: Vec<Vec<Cell>>,
    /// What stands there when there is no row: say what to do.
    pub empty: String,
}
impl Table {
    fn numeric(&self, place: &usize) -> bool {
        self.columns.get(*place).is_some_and(|column| column.numeric)
    }
    fn heading(&self, place: &usize) -> &str {
        self.columns.get(*place).map_or("", |column| column.name.as_str())
    }
}

/// Names and values.
#[derive(Debug, Clone, PartialEq, Eq, Default, Template)]
#[template(path = "components/facts.html")]
pub struct Facts {
    pub facts: Vec<(String, Cell)>,
}
impl Facts {
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, cell: Cell) -> Self {
        self.facts.push((name.into(), cell));
        self
    }
    #[must_use]
    pub fn text(self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.with(name, Cell::Text(text.into()))
    }
}

/// The filters of a list: a GET form.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/filters.html")]
pub struct Filters {
    /// Names the search region, for example "Search the register".
    pub label: String,
    pub action: String,
    pub fields: Vec<Field>,
    pub submit: String,
    /// Back to the whole list.
    pub reset: Option<Link>,
    /// How many were found, in words; read out; may be empty.
    pub found: String,
}

/// The way through a long list.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "components/pages.html")]
pub struct Pages {
    pub label: String,
    pub first: Option<Link>,
    pub next: Option<Link>,
}

markup!(Cell, Table, Facts, Filters, Pages);
