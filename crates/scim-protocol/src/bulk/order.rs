//! The order in which operations can be carried out (RFC 7644 section 3.7.1).

/// Groups operations so that each comes after those it refers to: `references[n]` has the
/// positions that operation `n` refers to. Operations that refer to each other in a circle are in
/// one group; otherwise the order in which they were sent is kept as far as references allow.
///
/// This is Tarjan's algorithm for strongly connected components, in time linear in operations and
/// references.
pub fn order(references: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut search = Search {
        references,
        found: vec![None; references.len()],
        is_open: vec![false; references.len()],
        open: Vec::new(),
        next: 0,
        groups: Vec::new(),
    };
    for operation in 0..references.len() {
        if search.found[operation].is_none() {
            search.visit(operation);
        }
    }
    search.groups
}

struct Search<'a> {
    references: &'a [Vec<usize>],
    /// When each operation was found.
    found: Vec<Option<usize>>,
    /// Operations that are found and in no group yet.
    open: Vec<usize>,
    is_open: Vec<bool>,
    next: usize,
    groups: Vec<Vec<usize>>,
}

/// An operation whose references are being followed.
struct Visit {
    operation: usize,
    /// The next reference to follow.
    at: usize,
    /// The earliest open operation that it leads to, by when it was found.
    earliest: usize,
}

impl Search<'_> {
    /// Visits an operation and what it leads to, without recursion: chains may be long.
    fn visit(&mut self, first: usize) {
        let mut path = vec![self.enter(first)];
        while let Some(visit) = path.last_mut() {
            let Some(&referred) = self.references[visit.operation].get(visit.at) else {
                let earliest = visit.earliest;
                self.leave(visit.operation, earliest);
                path.pop();
                if let Some(before) = path.last_mut() {
                    before.earliest = before.earliest.min(earliest);
                }
                continue;
            };
            visit.at += 1;
            match self.found[referred] {
                None => path.push(self.enter(referred)),
                Some(found) if self.is_open[referred] => {
                    visit.earliest = visit.earliest.min(found);
                }
                Some(_) => {}
            }
        }
    }

    fn enter(&mut self, operation: usize) -> Visit {
        let earliest = self.next;
        self.found[operation] = Some(earliest);
        self.next += 1;
        self.open.push(operation);
        self.is_open[operation] = true;
        Visit { operation, at: 0, earliest }
    }

    /// What is open since the first operation of a circle is that circle.
    fn leave(&mut self, operation: usize, earliest: usize) {
        if self.found[operation] != Some(earliest) {
            return;
        }
        let begin = self.open.iter().rposition(|open| *open == operation).unwrap_or_default();
        let mut group = self.open.split_off(begin);
        for member in &group {
            self.is_open[*member] = false;
        }
        group.sort_unstable();
        self.groups.push(group);
    }
}
