//! Lists by cursor: newest first, a page at a time, stable while rows are added.

use std::{collections::HashMap, fmt, str::FromStr};

use octroi_domain::Moment;

/// Where a page ended: the instant and the key of its last row. Opaque outside, URL-safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub(crate) at: i64,
    pub(crate) id: u128,
}
impl Cursor {
    pub(crate) const fn of_uuid(at: i64, id: uuid::Uuid) -> Self {
        Self { at, id: id.as_u128() }
    }
    pub(crate) fn of_number(at: i64, id: i64) -> Self {
        Self { at, id: u128::try_from(id).unwrap_or(0) }
    }
    pub(crate) const fn uuid(self) -> uuid::Uuid {
        uuid::Uuid::from_u128(self.id)
    }
    pub(crate) fn number(self) -> i64 {
        i64::try_from(self.id).unwrap_or(i64::MAX)
    }
    /// The instant of the last row of the page.
    #[must_use]
    pub const fn at(self) -> Moment {
        Moment::from_micros(self.at)
    }
}
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:x}", self.at, self.id)
    }
}
/// The text is not a cursor that a list gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: use the one that the previous page gave")]
pub struct CursorError;
impl FromStr for Cursor {
    type Err = CursorError;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (at, id) = text.split_once('.').ok_or(CursorError)?;
        let cursor = Self { at: at.parse().map_err(|_| CursorError)?, id: u128::from_str_radix(id, 16).map_err(|_| CursorError)? };
        if cursor.to_string() == text { Ok(cursor) } else { Err(CursorError) }
    }
}

/// The text is not the name of an order that the list has: these are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct UnknownSort(pub(crate) &'static str);

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    pub after: Option<Cursor>,
    /// Rows, 1 to 1000; anything else is brought into that range.
    pub limit: u32,
}
impl Page {
    pub const MAX: u32 = 1000;

    #[must_use]
    pub const fn first(limit: u32) -> Self {
        Self { after: None, limit }
    }
    #[must_use]
    pub const fn new(after: Option<Cursor>, limit: u32) -> Self {
        Self { after, limit }
    }
    pub(crate) fn rows(self) -> usize {
        self.limit.clamp(1, Self::MAX) as usize
    }
    /// One row more than wanted tells whether there is another page.
    pub(crate) fn fetch(self) -> u64 {
        u64::from(self.limit.clamp(1, Self::MAX)) + 1
    }

    /// Cuts what was fetched, and turns each row into an item.
    pub(crate) fn cut<R, T, E>(
        self,
        mut rows: Vec<R>,
        cursor: impl Fn(&R) -> Cursor,
        item: impl FnMut(R) -> Result<T, E>,
    ) -> Result<Listing<T>, E> {
        let more = rows.len() > self.rows();
        rows.truncate(self.rows());
        let next = if more { rows.last().map(cursor) } else { None };
        let items = rows.into_iter().map(item).collect::<Result<_, _>>()?;
        Ok(Listing { items, next })
    }

    /// Puts rows that were fetched by their numbers into the order of `places` (instant and number), where there
    /// is one more than the page holds if another page follows, and turns each into an item.
    pub(crate) fn arrange<R, T, E>(
        self,
        places: &[(i64, i64)],
        rows: Vec<R>,
        number: impl Fn(&R) -> i64,
        item: impl Fn(R) -> Result<T, E>,
    ) -> Result<Listing<T>, E> {
        let here = places.get(..self.rows()).unwrap_or(places);
        let next = here.last().filter(|_| places.len() > here.len()).map(|(at, number)| Cursor::of_number(*at, *number));
        let mut rows: HashMap<i64, R> = rows.into_iter().map(|row| (number(&row), row)).collect();
        let items = here.iter().filter_map(|(_, number)| rows.remove(number)).map(item).collect::<Result<_, _>>()?;
        Ok(Listing { items, next })
    }
}

/// One page of a list, and where the next one begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Listing<T> {
    pub items: Vec<T>,
    /// None on the last page.
    pub next: Option<Cursor>,
}
impl<T> Listing<T> {
    #[must_use]
    pub fn map<U>(self, f: impl FnMut(T) -> U) -> Listing<U> {
        Listing { items: self.items.into_iter().map(f).collect(), next: self.next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_has_one_spelling() {
        let cursor = Cursor { at: -5, id: 255 };
        assert_eq!(cursor.to_string(), "-5.ff");
        assert_eq!("-5.ff".parse(), Ok(cursor));
        for bad in ["", ".", "5", "5.", ".5", "5.FF", "05.f", "+5.f", "5.0f", "5.f.f", "x.f", "99999999999999999999.1"] {
            assert_eq!(bad.parse::<Cursor>(), Err(CursorError), "{bad}");
        }
    }

    #[test]
    fn a_page_knows_whether_there_is_another() {
        let cut = |rows: Vec<i64>, limit| {
            Page::first(limit).cut(rows, |row| Cursor::of_number(*row, *row), Ok::<_, ()>).map(|l| (l.items, l.next.map(Cursor::number)))
        };
        assert_eq!(cut(vec![3, 2, 1], 2), Ok((vec![3, 2], Some(2))));
        assert_eq!(cut(vec![3, 2], 2), Ok((vec![3, 2], None)));
        assert_eq!(cut(vec![], 0), Ok((vec![], None)));
        assert_eq!(Page::first(0).fetch(), 2);
        assert_eq!(Page::first(u32::MAX).fetch(), 1001);
    }
}
