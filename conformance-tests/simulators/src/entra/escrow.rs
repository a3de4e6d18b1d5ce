//! What was refused is put aside, and tried again.

use std::collections::BTreeMap;

use crate::directory::Event;

#[derive(Debug)]
struct Escrow {
    /// The cycle in which it is tried again.
    due: u64,
    /// How many cycles it waits the next time.
    wait: u64,
}

/// What is put aside.
#[derive(Debug, Default)]
pub(super) struct Escrows(BTreeMap<Event, Escrow>);

impl Escrows {
    /// Puts something aside in a cycle; each time for twice as many cycles.
    pub(super) fn put(&mut self, event: Event, cycle: u64) {
        let escrow = self.0.entry(event).or_insert(Escrow { due: 0, wait: 1 });
        escrow.due = cycle + escrow.wait;
        escrow.wait *= 2;
    }

    /// It has worked.
    pub(super) fn release(&mut self, event: Event) {
        self.0.remove(&event);
    }

    /// What is tried again in a cycle.
    pub(super) fn due(&self, cycle: u64) -> Vec<Event> {
        self.0.iter().filter(|(_, escrow)| escrow.due <= cycle).map(|(event, _)| *event).collect()
    }

    /// How much is put aside.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;

    #[test]
    fn what_goes_on_failing_is_tried_less_often() {
        let event = Directory::new(10, 1).everything()[0];
        let mut escrows = Escrows::default();
        escrows.put(event, 1);
        let mut tried = Vec::new();
        for cycle in 2..20 {
            if escrows.due(cycle) == [event] {
                tried.push(cycle);
                escrows.put(event, cycle);
            }
        }
        assert_eq!(tried, [2, 4, 8, 16]);
        escrows.release(event);
        assert_eq!((escrows.due(100).len(), escrows.len()), (0, 0));
    }
}
