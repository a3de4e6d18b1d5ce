//! What a provider shows its administrator when the service refuses something.

use serde::Serialize;

/// Something that did not work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trouble {
    /// Whom or what it was about.
    pub about: String,
    /// What the provider wanted to do, such as `create user`.
    pub action: &'static str,
    /// The status of the answer.
    pub status: u16,
    /// What the service said.
    pub detail: String,
    /// What the administrator of the provider reads.
    pub shown: String,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether it worked in the end.
    pub settled: bool,
}

/// What did not work, each once.
#[derive(Debug, Default)]
pub struct Troubles(Vec<Trouble>);

impl Troubles {
    /// Something did not work, perhaps again; `answered` is the status and what the service said.
    pub fn add(&mut self, action: &'static str, about: &str, answered: (u16, &str), shown: String) {
        let trouble = Trouble {
            about: about.to_owned(),
            action,
            status: answered.0,
            detail: answered.1.to_owned(),
            shown,
            attempts: 1,
            settled: false,
        };
        let same =
            |known: &&mut Trouble| known.about == trouble.about && known.action == trouble.action;
        match self.0.iter_mut().find(same) {
            Some(known) => *known = Trouble { attempts: known.attempts + 1, ..trouble },
            None => self.0.push(trouble),
        }
    }

    /// Everything about somebody or something has worked.
    pub fn settle(&mut self, about: &str) {
        for trouble in self.0.iter_mut().filter(|trouble| trouble.about == about) {
            trouble.settled = true;
        }
    }

    /// All of it.
    pub fn list(&self) -> &[Trouble] {
        &self.0
    }
}
