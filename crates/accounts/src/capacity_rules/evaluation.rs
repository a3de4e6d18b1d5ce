//! What a capacity rule says of one more interaction: for trying a rule out, and for finding out why
//! somebody gets no work (domain model 6.4).

use std::collections::BTreeMap;

use scim_protocol::error::Error;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{CapacityRules, DEFAULT, is_true};
use crate::Context;
use crate::capacity::{
    CapacityRule, Chosen, Decision, GroupRule, Load, Medium, Source, accept, choose, interrupts,
};
use crate::names;
use crate::objects::ObjectType;
use crate::refusal::Refusal;
use crate::rights::Right;
use crate::tx::{Resource, Tx};
use crate::{Group, GroupKind};

/// What is to be decided.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Question {
    /// The name or identifier of the rule; without it, the rule of the user counts.
    pub rule: Option<String>,
    /// The user.
    pub user: Option<Uuid>,
    /// The medium of the interaction that comes.
    pub media: String,
    /// The interactions that queues have routed, by medium.
    #[serde(default)]
    pub load: BTreeMap<String, i64>,
    /// Other interactions, such as calls to a colleague.
    #[serde(default)]
    pub other_load: BTreeMap<String, i64>,
}

/// What is decided, by which rule and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The rule that counts, and why it is this one; none where the question names it.
    pub rule: String,
    /// Why it is this one; none where the question names it.
    pub source: Option<Source>,
    /// Whether the interaction may come.
    pub decision: Decision,
    /// Whether it may alert although it may not come, because it may interrupt what is there.
    pub interrupts: bool,
}

impl Answer {
    /// For an administrator to read.
    pub fn to_value(&self) -> Value {
        let source = self.source.map(|source| match source {
            Source::Person => "user",
            Source::Group => "group",
            Source::Tenant => "tenant",
            Source::Fallback => "fallback",
        });
        let reason = match &self.decision {
            Decision::Accepted => None,
            Decision::Refused(why) => Some(why.to_string()),
        };
        json!({
            "rule": self.rule, "source": source, "accepted": self.decision == Decision::Accepted,
            "reason": reason, "interrupts": self.interrupts,
        })
    }
}

/// Decides whether one more interaction may come.
///
/// # Errors
/// Refuses what does not name either a rule or a user, names that nobody has, what cannot be a medium
/// or a number, and a rule that is not valid.
pub fn evaluate(
    tx: &mut dyn Tx,
    context: &Context,
    question: &Question,
) -> Result<Answer, Refusal> {
    context.caller.require(Right::Admin)?;
    let (rule, source) = match (&question.rule, question.user) {
        (Some(name), None) => (named(tx, context, name)?, None),
        (None, Some(user)) => {
            let Chosen { rule, source } = of_user(tx, context, user)?;
            (rule, Some(source))
        }
        _ => return Err(Error::invalid_value("name either a rule or a user").into()),
    };
    let media = medium("media", &question.media)?;
    let load = load(question)?;
    let decision = accept(&rule, &media, &load);
    let interrupts = decision != Decision::Accepted && interrupts(&rule, &media, &load);
    Ok(Answer { rule: rule.name, source, decision, interrupts })
}

fn named(tx: &mut dyn Tx, context: &Context, name: &str) -> Result<CapacityRule, Refusal> {
    let kind = CapacityRules::resource_type();
    let found = names::find(tx, context.caller.tenant, kind, "rule", &[name])?;
    let rule = found.first().ok_or_else(|| names::unknown(kind, "rule", name))?;
    Ok(CapacityRule::of(&rule.attributes)?)
}

/// The rule of a user: a rule that is gone or not valid does not count, like one that is disabled.
fn of_user(tx: &mut dyn Tx, context: &Context, user: Uuid) -> Result<Chosen, Refusal> {
    let (scope, kind) = (context.caller.scope(), CapacityRules::resource_type());
    let account = tx.user(scope, user)?.ok_or_else(|| Refusal::not_found("User", user))?;
    let own = match account.standing.capacity_rule {
        Some(rule) => tx.objects_with_ids(scope.tenant, kind, &[rule.id])?,
        None => vec![],
    };
    let own = own.first().and_then(|rule| read(rule));
    let groups = rules_of_groups(tx, context, user)?;
    let groups: Vec<_> =
        groups.iter().map(|(priority, rule)| GroupRule { priority: *priority, rule }).collect();
    let all = tx.all_objects(scope.tenant, kind)?;
    let default = all.iter().find(|rule| is_true(&rule.attributes, DEFAULT));
    let default = default.and_then(|rule| read(rule));
    Ok(choose(own.as_ref(), &groups, default.as_ref()))
}

/// The rules of the enabled agent groups that a user is in, with the priorities of the groups.
fn rules_of_groups(
    tx: &mut dyn Tx,
    context: &Context,
    user: Uuid,
) -> Result<Vec<(i64, CapacityRule)>, Refusal> {
    let scope = context.caller.scope();
    let mut named = Vec::new();
    for membership in tx.memberships_of(scope.tenant, &[user])? {
        let group = tx.group(scope, membership.group)?;
        named.extend(group.as_ref().and_then(rule_of_group));
    }
    if named.is_empty() {
        return Ok(vec![]);
    }
    let ids: Vec<Uuid> = named.iter().map(|(_, rule)| *rule).collect();
    let found = tx.objects_with_ids(scope.tenant, CapacityRules::resource_type(), &ids)?;
    let rule = |(priority, id): &(i64, Uuid)| {
        let rule = found.iter().find(|rule| rule.id == *id)?;
        Some((*priority, read(rule)?))
    };
    Ok(named.iter().filter_map(rule).collect())
}

fn rule_of_group(group: &Group) -> Option<(i64, Uuid)> {
    let standing = &group.standing;
    let rule = standing.capacity_rule.as_ref()?;
    let counts = standing.kind == GroupKind::Agent && standing.enabled;
    counts.then_some((standing.priority.into(), rule.id))
}

fn read(rule: &Resource) -> Option<CapacityRule> {
    CapacityRule::of(&rule.attributes).ok()
}

fn load(question: &Question) -> Result<Load, Error> {
    let mut load = Load::new();
    for (name, number) in &question.load {
        load.entry(medium("load", name)?).or_default().acd = at_least_0(*number)?;
    }
    for (name, number) in &question.other_load {
        let work = load.entry(medium("otherLoad", name)?).or_default();
        work.other = at_least_0(*number)?;
    }
    Ok(load)
}

fn at_least_0(number: i64) -> Result<i64, Error> {
    let number = Some(number).filter(|number| (0..=1_000).contains(number));
    number.ok_or_else(|| Error::invalid_value("load must be from 0 to 1000"))
}

fn medium(attribute: &str, name: &str) -> Result<Medium, Error> {
    Medium::named(name)
        .ok_or_else(|| Error::invalid_value(format!("{attribute}: {name:?} is no medium")))
}
