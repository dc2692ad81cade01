//! [`List`]: a list that comes from the server page by page. What was there stays until the first page of the new one is.

/// Maximum number of entries that are kept of one list.
pub(super) const MAX_ROWS: usize = 20_000;

/// Where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Next {
    /// At the beginning: the list is to be loaded anew.
    First,
    /// After this.
    After(String),
    /// Nowhere: all of it is here.
    End,
}

/// A list.
pub(super) struct List<T> {
    rows: Vec<T>,
    next: Next,
    /// The page that is under way: its request's number, and whether it is the first.
    asked: Option<(u64, bool)>,
    /// It changed while a page was under way.
    again: bool,
}

impl<T> Default for List<T> {
    fn default() -> Self {
        List { rows: Vec::new(), next: Next::First, asked: None, again: false }
    }
}

impl<T> List<T> {
    /// What is here of it.
    pub(super) fn rows(&self) -> &[T] {
        &self.rows
    }

    /// Puts them in the order of this key.
    pub(super) fn sort<K: Ord>(&mut self, key: impl FnMut(&T) -> K) {
        self.rows.sort_by_cached_key(key);
    }

    /// Whether all of it is.
    pub(super) fn is_complete(&self) -> bool {
        self.next == Next::End
    }

    /// What to ask for, if there is something and nothing is under way: after what the page begins.
    pub(super) fn wanted(&self) -> Option<Option<String>> {
        match (&self.asked, &self.next) {
            (Some(_), _) | (None, Next::End) => None,
            (None, Next::First) => Some(None),
            (None, Next::After(after)) => Some(Some(after.clone())),
        }
    }

    /// It was asked for, with this number.
    pub(super) fn asked(&mut self, number: u64) {
        self.asked = Some((number, self.next == Next::First));
    }

    /// The number of what is under way.
    pub(super) fn number(&self) -> Option<u64> {
        self.asked.map(|(number, _)| number)
    }

    /// Nobody answers what is under way.
    pub(super) fn forget_asked(&mut self) {
        self.asked = None;
    }

    /// It may be another one by now.
    pub(super) fn reload(&mut self) {
        self.again = self.asked.is_some();
        if !self.again {
            self.next = Next::First;
        }
    }

    /// The server does not tell it.
    pub(super) fn give_up(&mut self) {
        (self.asked, self.next, self.again) = (None, Next::End, false);
    }

    /// A page came, as the next in the order in which the server tells them.
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
    fn pages_follow_each_other_and_the_old_list_stays_until_the_new_one_begins() {
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
        // It changes once more before the answer is here.
        list.reload();
        list.take(vec![7], Some("x".into()));
        assert_eq!((list.rows(), list.wanted()), (&[7][..], Some(None)));
        list.asked(4);
        list.forget_asked();
        assert_eq!(list.wanted(), Some(None));
        list.take(vec![9], None);
        assert_eq!(list.rows(), [7], "an answer that nobody waits for");
    }

    #[test]
    fn a_server_that_tells_no_end_fills_no_memory() {
        let mut list = List::default();
        while list.wanted().is_some() {
            list.asked(1);
            list.take(vec![0; 7_000], Some("more".into()));
        }
        assert_eq!((list.rows().len(), list.is_complete()), (MAX_ROWS, true));
    }
}
