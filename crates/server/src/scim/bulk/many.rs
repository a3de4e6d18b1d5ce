//! How many new users of a bulk request are created together.

/// Users that are created together at most.
const TOGETHER: usize = 200;

/// How many users are tried to be created together: fewer after some could not be, so that a request
/// whose users are there already does not cost twice as much.
pub(super) struct Many {
    most: usize,
    /// Operations to be done before they are tried together again.
    pause: usize,
}

impl Default for Many {
    fn default() -> Self {
        Self { most: TOGETHER, pause: 0 }
    }
}

impl Many {
    /// How many are to be tried now.
    pub(super) fn wanted(&mut self) -> usize {
        if self.pause > 0 {
            self.pause -= 1;
            return 0;
        }
        self.most
    }

    /// Learns whether so many could be created together.
    pub(super) fn learn(&mut self, created: bool) {
        if created {
            self.most = (self.most * 2).min(TOGETHER);
        } else {
            self.pause = TOGETHER;
            self.most = (self.most / 4).max(2);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_users_are_refused_few_are_tried_together_for_a_while() {
        let mut many = Many::default();
        assert_eq!(many.wanted(), TOGETHER);
        many.learn(false);
        let tried = (0..=TOGETHER).map(|_| many.wanted()).filter(|wanted| *wanted > 0);
        assert_eq!(tried.collect::<Vec<_>>(), [TOGETHER / 4], "after as many by themselves");
        many.learn(true);
        assert_eq!(many.wanted(), TOGETHER / 2);
        many.learn(true);
        many.learn(true);
        assert_eq!(many.wanted(), TOGETHER, "and no more than at first");
    }
}
