//! Somebody of the directory.

use uuid::Uuid;

use super::names::Office;

/// Who somebody is in the directory, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey(pub(super) usize);

/// What somebody is to the company.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Works there.
    Active,
    /// Has left; the provider still has the account, disabled.
    Left,
    /// Has left, and the provider has deleted the account for good.
    Purged,
}

/// Somebody, as the directory has them.
#[derive(Debug, Clone)]
pub struct Person {
    /// The provider's object; another one if the person comes back after it was deleted.
    pub object: Uuid,
    /// The given name.
    pub given: &'static str,
    /// The family name.
    pub family: &'static str,
    /// The name to log in with, an address.
    pub user_name: String,
    /// The name of the mailbox.
    pub mail_nickname: String,
    /// An address by which mail comes too.
    pub alias: Option<String>,
    /// The private address.
    pub home_mail: Option<String>,
    /// The number at work.
    pub work_phone: String,
    /// The number of the mobile telephone.
    pub mobile: Option<String>,
    /// The number of the fax.
    pub fax: Option<String>,
    /// The department.
    pub department: &'static str,
    /// Its cost centre.
    pub cost_center: &'static str,
    /// What the person is.
    pub title: &'static str,
    /// Where the person works.
    pub office: &'static Office,
    /// Where in the office.
    pub desk: String,
    /// The number that payroll knows the person by, also when they come back.
    pub employee_number: String,
    /// Who leads the person.
    pub manager: Option<PersonKey>,
    /// What the person may do in the service.
    pub role: &'static str,
    /// What the person is to the company.
    pub standing: Standing,
}

impl Person {
    /// Given name and family name.
    pub fn display_name(&self) -> String {
        format!("{} {}", self.given, self.family)
    }

    /// Whether the person works there.
    pub fn is_active(&self) -> bool {
        self.standing == Standing::Active
    }
}
