//! What happens in a company, day by day.

/// Something that happens to people or groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Somebody begins.
    Join,
    /// Somebody goes to another department, with another title, manager and cost centre.
    Move,
    /// Somebody leads a team from now on.
    Promote,
    /// Somebody gets another mobile telephone, or gives it back, and gives back the fax.
    ChangeTelephone,
    /// Somebody marries: family name, address and userName change; the old address stays, too.
    Rename,
    /// Somebody leaves; whom they led is led by somebody else.
    Leave,
    /// Somebody who left comes back to the old account.
    Return,
    /// The account of somebody who left is deleted in the directory for good.
    Purge,
    /// Somebody whose account was deleted comes back, with a new one of the old name.
    ReturnAnew,
    /// Somebody else begins and is given the address of a person whose account was deleted.
    TakeAddress,
    /// Somebody sets another password.
    SetPassword,
    /// A project begins.
    BeginProject,
    /// A group gets another name.
    RenameGroup,
    /// Some leave a project and some come to it.
    Reshuffle,
    /// A project ends.
    EndProject,
}

/// How often something happens on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Often {
    /// Once.
    Once,
    /// To so many of a hundred people, and to one at least.
    Percent(usize),
}

/// A day: what it is called, and what happens.
#[derive(Debug)]
pub struct Day {
    /// The name of the day.
    pub title: &'static str,
    /// What happens, in this order.
    pub changes: &'static [(Change, Often)],
}

use Change::{
    BeginProject, ChangeTelephone, EndProject, Join, Leave, Move, Promote, Purge, Rename,
    RenameGroup, Reshuffle, Return, ReturnAnew, SetPassword, TakeAddress,
};
use Often::{Once, Percent};

/// The days after the first push.
///
/// Fewer leave than a service holds for an accident: 20 of a hundred in an hour.
pub const DAYS: &[Day] = &[
    Day {
        title: "joiners",
        changes: &[(Join, Percent(4)), (BeginProject, Once), (BeginProject, Once)],
    },
    Day {
        title: "movers",
        changes: &[
            (Move, Percent(5)),
            (Promote, Percent(1)),
            (ChangeTelephone, Percent(4)),
            (Reshuffle, Once),
        ],
    },
    Day { title: "leavers", changes: &[(Leave, Percent(6)), (SetPassword, Percent(2))] },
    Day { title: "renames", changes: &[(Rename, Percent(3)), (RenameGroup, Once)] },
    Day {
        title: "rehires",
        changes: &[(Return, Percent(2)), (Join, Percent(2)), (Reshuffle, Once)],
    },
    Day {
        title: "deletions",
        changes: &[(Purge, Percent(4)), (EndProject, Once), (Move, Percent(2))],
    },
    Day {
        title: "returns after deletion",
        changes: &[
            (ReturnAnew, Percent(1)),
            (TakeAddress, Once),
            (Join, Percent(1)),
            (RenameGroup, Once),
        ],
    },
    Day {
        title: "a reorganisation",
        changes: &[(Move, Percent(8)), (Leave, Percent(1)), (Reshuffle, Once)],
    },
    Day { title: "a quiet day", changes: &[] },
];
