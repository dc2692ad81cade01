//! [`List`]: a list loaded from the server page by page. The old rows stay until the first page of the new
//! list arrives.

/// Maximum number of rows kept of one list.
pub(super) const MAX_ROWS: usize = 20_000;

/// The position of the next page.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    /// The first page: the list is loaded from the start.
    First,
    /// The page after this cursor.
    After(String),
    /// None: the list is complete.
    End,
}

/// A paged list.
pub(super) struct List<T> {
    rows: Vec<T>,
    next: Next,
    /// The request in flight: its number, and whether it asked for the first page.
    asked: Option<(u64, bool)>,
    /// The list changed on the server while a request was in flight.
    again: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { rows: Vec::new(), next: Next::First, asked: None, again: false }
    }
}

impl<T> List<T> {
    /// Rows loaded so far.
    pub(super) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// Sorts the rows by a key.
    pub(super) fn sort<K: Ord>(&mut self, key: impl FnMut(&T) -> K) {
        self.rows.sort_by_cached_key(key);
    }

    /// Whether the whole list is loaded.
    pub(super) fn is_complete(&self) -> bool {
        self.next == Next::End
    }

    /// The cursor to request the next page with (`None` inside: the first page). `None` if a request is in
    /// flight or the list is complete.
    pub(super) fn wanted(&self) -> Option<Option<String>> {
        match (&self.asked, &self.next) {
            (Some(_), _) | (None, Next::End) => None,
            (None, Next::First) => Some(None),
            (None, Next::After(after)) => Some(Some(after.clone())),
        }
    }

    /// Records that the request with this number was sent.
    pub(super) fn asked(&mut self, number: u64) {
        self.asked = Some((number, self.next == Next::First));
    }

    /// Number of the request in flight.
    pub(super) fn number(&self) -> Option<u64> {
        self.asked.map(|(number, _)| number)
    }

    /// Drops the request in flight: it will not be answered.
    pub(super) fn forget_asked(&mut self) {
        self.asked = None;
    }

    /// Loads the list again, once the request in flight is answered.
    pub(super) fn reload(&mut self) {
        self.again = self.asked.is_some();
        if !self.again {
            self.next = Next::First;
        }
    }

    /// Stops loading: the server refused the list.
    pub(super) fn give_up(&mut self) {
        (self.asked, self.next, self.again) = (None, Next::End, false);
    }

    /// Adds a page, in the order in which the server sends them.
    pub(super) fn take(&mut self, page: Vec<T>, next: Option<String>) {
        let Some((_, first)) = self.asked.take() else { return };
        if first {
            self.rows.clear();
        }
        self.rows.extend(page);
        self.rows.truncate(MAX_ROWS);
        self.next = match next {
            _ if std::mem::take(&mut self.again) => Next::First,
            Some(next) if self.rows.len() < MAX_ROWS => Next::After(next),
            _ => Next::End,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_rows_stay_until_the_first_new_page_arrives() {
        let mut list = List::default();
        assert_eq!(list.wanted(), Some(None));
        list.asked(1);
        assert_eq!((list.wanted(), list.number()), (None, Some(1)));
        list.take(vec![3, 1], Some("b".into()));
        assert_eq!(list.wanted(), Some(Some("b".into())));
        list.asked(2);
        list.take(vec![2], None);
        list.sort(|n| *n);
        assert_eq!((list.rows(), list.is_complete(), list.wanted()), (&[1, 2, 3][..], true, None));
        list.reload();
        assert_eq!((list.rows().len(), list.wanted()), (3, Some(None)));
        list.asked(3);
        // It changes again before the answer arrives.
        list.reload();
        list.take(vec![7], Some("x".into()));
        assert_eq!((list.rows(), list.wanted()), (&[7][..], Some(None)));
        list.asked(4);
        list.forget_asked();
        assert_eq!(list.wanted(), Some(None));
        list.take(vec![9], None);
        assert_eq!(list.rows(), [7], "an answer without a request is ignored");
    }

    #[test]
    fn an_endless_list_is_capped() {
        let mut list = List::default();
        while list.wanted().is_some() {
            list.asked(1);
            list.take(vec![0; 7_000], Some("more".into()));
        }
        assert_eq!((list.rows().len(), list.is_complete()), (MAX_ROWS, true));
    }
}
