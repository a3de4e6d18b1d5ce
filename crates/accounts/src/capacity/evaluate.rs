//! Which rule is that of a person, and what it says of one more interaction (domain model 6.4).

use std::cmp::Reverse;
use std::collections::BTreeMap;

use scim_protocol::fold::fold;

use super::{CapacityRule, Conjunction, MediaRule, Medium};

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It is assigned to the person.
    Person,
    /// It is that of an agent group of the person.
    Group,
    /// It is the default of the tenant.
    Tenant,
    /// There is none: [`CapacityRule::fallback`].
    Fallback,
}

/// The rule of an enabled agent group.
#[derive(Debug, Clone, Copy)]
pub struct GroupRule<'a> {
    /// The priority of the group; the lowest number counts first.
    pub priority: i64,
    /// Its rule.
    pub rule: &'a CapacityRule,
}

/// The rule that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The rule.
    pub rule: CapacityRule,
    /// Where it comes from.
    pub source: Source,
}

/// The rule of a person: the person's own; else that of an agent group; else the tenant's default;
/// else the fallback. Rules that are disabled do not count. `groups` are the enabled agent groups of
/// the person that have a rule.
///
/// Of several groups those with the lowest priority number count, and of those the one with the most
/// restrictive rule: the rule that lets through the fewest interactions in all; of equal ones the one
/// with the most conditions; of equal ones the first by name. So it is always one rule that somebody
/// has written, and never a mixture that nobody could look up.
pub fn choose(
    person: Option<&CapacityRule>,
    groups: &[GroupRule],
    tenant_default: Option<&CapacityRule>,
) -> Chosen {
    let enabled = |rule: &&CapacityRule| rule.enabled;
    let chosen = |rule: &CapacityRule, source| Chosen { rule: rule.clone(), source };
    if let Some(rule) = person.filter(enabled) {
        return chosen(rule, Source::Person);
    }
    let groups = groups.iter().filter(|group| group.rule.enabled);
    if let Some(group) = groups.min_by_key(|group| (group.priority, openness(group.rule))) {
        return chosen(group.rule, Source::Group);
    }
    if let Some(rule) = tenant_default.filter(enabled) {
        return chosen(rule, Source::Tenant);
    }
    Chosen { rule: CapacityRule::fallback(), source: Source::Fallback }
}

/// How much a rule lets through: the lesser, the more restrictive.
fn openness(rule: &CapacityRule) -> (i64, Reverse<usize>, String) {
    let capacity = rule.media.values().map(|rule| rule.max_capacity).sum();
    let conditions = rule.media.values().map(|rule| rule.block_when.len()).sum();
    (capacity, Reverse(conditions), fold(&rule.name))
}

/// What somebody has of one medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Work {
    /// Interactions that a queue has routed.
    pub acd: i64,
    /// Others, such as calls to a colleague.
    pub other: i64,
}

/// What somebody is doing.
pub type Load = BTreeMap<Medium, Work>;

/// Whether one more interaction may come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may.
    Accepted,
    /// It may not, and why.
    Refused(Refused),
}

/// Why an interaction may not come.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The rule does not let the medium through.
    #[error("the rule has nothing for this medium")]
    NoMediaRule,
    /// There are as many as there may be.
    #[error("there are {load} of at most {max}")]
    Full {
        /// How many there are.
        load: i64,
        /// How many there may be.
        max: i64,
    },
    /// A condition of `blockWhen` holds.
    #[error("it is blocked while {}", in_words(.0))]
    Blocked(Conjunction),
    /// There is something else, and the rule is for the idle.
    #[error("it comes only to who is idle")]
    NotIdle,
}

fn in_words(conjunction: &Conjunction) -> String {
    let terms = conjunction.iter().map(|(media, at_least)| format!("{media} ge {at_least}"));
    terms.collect::<Vec<_>>().join(" and ")
}

/// Whether a person with this rule and this load may have one more interaction of a medium.
///
/// What no queue has routed counts for the media whose rule says `includeNonAcd`; to be idle is to
/// have nothing at all.
pub fn accept(rule: &CapacityRule, media: &Medium, load: &Load) -> Decision {
    let Some(media_rule) = rule.media.get(media) else {
        return Decision::Refused(Refused::NoMediaRule);
    };
    let (load_of_media, max) = (counted(rule, media, load), media_rule.max_capacity);
    if load_of_media >= max {
        return Decision::Refused(Refused::Full { load: load_of_media, max });
    }
    if rule.only_when_idle && load.values().any(|work| work.acd > 0 || work.other > 0) {
        return Decision::Refused(Refused::NotIdle);
    }
    let holds = |conjunction: &&Conjunction| {
        conjunction.iter().all(|(media, at_least)| counted(rule, media, load) >= *at_least)
    };
    match media_rule.block_when.iter().find(holds) {
        Some(conjunction) => Decision::Refused(Refused::Blocked(conjunction.clone())),
        None => Decision::Accepted,
    }
}

/// Whether an interaction that would be refused may alert all the same, because it may interrupt
/// what stands in its way: it would be accepted if the person had none of the media whose rule names
/// it in `interruptedBy`. How many of a medium there may be, no interruption changes.
pub fn interrupts(rule: &CapacityRule, media: &Medium, load: &Load) -> bool {
    if accept(rule, media, load) == Decision::Accepted {
        return false;
    }
    let stays = |other: &Medium| {
        let yields = |rule: &MediaRule| rule.interrupted_by.contains(media);
        other == media || !rule.media.get(other).is_some_and(yields)
    };
    let rest = load.iter().filter(|(other, _)| stays(other));
    let rest = rest.map(|(other, work)| (other.clone(), *work)).collect();
    accept(rule, media, &rest) == Decision::Accepted
}

fn counted(rule: &CapacityRule, media: &Medium, load: &Load) -> i64 {
    let work = load.get(media).copied().unwrap_or_default();
    let counts_other = rule.media.get(media).is_some_and(|rule| rule.include_non_acd);
    work.acd.saturating_add(if counts_other { work.other } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn rule(name: &str, media_rules: &Value) -> CapacityRule {
        let attributes = json!({"name": name, "mediaRules": media_rules});
        CapacityRule::of(attributes.as_object().unwrap()).unwrap()
    }

    fn medium(name: &str) -> Medium {
        Medium::named(name).unwrap()
    }

    fn load(work: &[(&str, i64)]) -> Load {
        work.iter().map(|(name, acd)| (medium(name), Work { acd: *acd, other: 0 })).collect()
    }

    fn accepts(rule: &CapacityRule, media: &str, work: &[(&str, i64)]) -> bool {
        accept(rule, &medium(media), &load(work)) == Decision::Accepted
    }

    #[test]
    fn domain_6_4_one_voice_and_one_email() {
        let rule = rule("and", &json!([{"media": "voice"}, {"media": "email"}]));
        for (voices, emails, voice, email) in
            [(0, 0, true, true), (1, 0, false, true), (0, 1, true, false), (1, 1, false, false)]
        {
            let work = [("voice", voices), ("email", emails)];
            assert_eq!(accepts(&rule, "voice", &work), voice, "{work:?}");
            assert_eq!(accepts(&rule, "email", &work), email, "{work:?}");
            assert!(!accepts(&rule, "chat", &work));
        }
    }

    #[test]
    fn domain_6_4_one_voice_or_one_email_not_both() {
        let rule = rule(
            "or",
            &json!([{"media": "voice", "blockWhen": "email ge 1"},
                                      {"media": "email", "blockWhen": "voice ge 1"}]),
        );
        for (voices, emails, both) in [(0, 0, true), (1, 0, false), (0, 1, false), (1, 1, false)] {
            let work = [("voice", voices), ("email", emails)];
            assert_eq!(accepts(&rule, "voice", &work), both, "{work:?}");
            assert_eq!(accepts(&rule, "email", &work), both, "{work:?}");
        }
    }

    #[test]
    fn domain_6_4_three_chats_but_none_with_an_email_and_a_chat_or_a_voice() {
        let rule = rule(
            "chats",
            &json!([{"media": "voice"}, {"media": "email"},
            {"media": "chat", "maxCapacity": 3,
             "blockWhen": "(email ge 1 and chat ge 1) or voice ge 1"}]),
        );
        for (chats, emails, voices, accepted) in [
            (0, 0, 0, true),
            (1, 0, 0, true),
            (2, 0, 0, true),
            (3, 0, 0, false),
            (0, 1, 0, true),
            (1, 1, 0, false),
            (2, 1, 0, false),
            (3, 1, 0, false),
            (0, 0, 1, false),
            (1, 0, 1, false),
            (0, 1, 1, false),
            (1, 1, 1, false),
        ] {
            let work = [("chat", chats), ("email", emails), ("voice", voices)];
            assert_eq!(accepts(&rule, "chat", &work), accepted, "{work:?}");
        }
    }

    #[test]
    fn domain_6_4_without_a_rule_one_voice_and_only_when_idle() {
        let rule = CapacityRule::fallback();
        assert!(accepts(&rule, "voice", &[]));
        assert!(accepts(&rule, "voice", &[("email", 0)]));
        for busy in ["voice", "callback", "chat", "email", "message", "fax"] {
            assert!(!accepts(&rule, "voice", &[(busy, 1)]), "{busy}");
            if busy != "voice" {
                assert!(!accepts(&rule, busy, &[]), "{busy}");
            }
        }
        let private = Load::from([(medium("voice"), Work { acd: 0, other: 1 })]);
        let decision = accept(&rule, &medium("voice"), &private);
        assert_eq!(decision, Decision::Refused(Refused::NotIdle));
    }

    #[test]
    fn a_refusal_says_why() {
        let rule = rule(
            "x",
            &json!([{"media": "voice", "maxCapacity": 2,
                                      "blockWhen": "email ge 1 and chat ge 2"}]),
        );
        for (media, work, reason) in [
            (
                "fax",
                [("voice", 0), ("email", 0), ("chat", 0)],
                "the rule has nothing for this medium",
            ),
            ("voice", [("voice", 2), ("email", 1), ("chat", 2)], "there are 2 of at most 2"),
            (
                "voice",
                [("voice", 1), ("email", 1), ("chat", 2)],
                "it is blocked while chat ge 2 and email ge 1",
            ),
        ] {
            match accept(&rule, &medium(media), &load(&work)) {
                Decision::Refused(refused) => assert_eq!(refused.to_string(), reason),
                Decision::Accepted => panic!("{media} {work:?}"),
            }
        }
    }

    #[test]
    fn what_no_queue_routed_counts_where_the_rule_says_so() {
        let counting = |count: bool| {
            rule(
                "x",
                &json!([{"media": "voice", "includeNonAcd": count},
                              {"media": "email", "blockWhen": "voice ge 1"}]),
            )
        };
        let private = Load::from([(medium("voice"), Work { acd: 0, other: 1 })]);
        for media in ["voice", "email"] {
            let of = |count| accept(&counting(count), &medium(media), &private);
            assert_eq!(of(false), Decision::Accepted, "{media}");
            assert_ne!(of(true), Decision::Accepted, "{media}");
        }
    }

    #[test]
    fn domain_6_4_what_may_be_interrupted_does_not_stand_in_the_way() {
        let rule = rule(
            "x",
            &json!([
            {"media": "voice", "blockWhen": "email ge 1 or chat ge 1"},
            {"media": "email", "maxCapacity": 3, "interruptedBy": "voice"},
            {"media": "chat", "interruptedBy": "callback"},
            {"media": "message", "interruptedBy": "message"}]),
        );
        let interrupts = |media, work: &[_]| interrupts(&rule, &medium(media), &load(work));
        assert!(interrupts("voice", &[("email", 3)]));
        assert!(!interrupts("voice", &[]), "it is accepted");
        assert!(!interrupts("voice", &[("chat", 1)]), "a chat gives way to callbacks only");
        assert!(!interrupts("voice", &[("email", 1), ("chat", 1)]));
        assert!(!interrupts("voice", &[("email", 1), ("voice", 1)]), "one is the most");
        assert!(!interrupts("callback", &[("chat", 1)]), "the rule has nothing for callbacks");
        assert!(!interrupts("email", &[("email", 3)]));
        assert!(!interrupts("message", &[("message", 1)]), "no medium makes way for itself");
    }

    #[test]
    fn domain_6_4_person_then_group_then_tenant_then_the_fallback() {
        let named =
            |name: &str, max: i64| rule(name, &json!([{"media": "voice", "maxCapacity": max}]));
        let (person, group, tenant) = (named("person", 3), named("group", 2), named("tenant", 1));
        let groups = [GroupRule { priority: 100, rule: &group }];
        let off = CapacityRule { enabled: false, ..named("off", 1) };
        let off_groups = [GroupRule { priority: 1, rule: &off }];
        for (of_person, of_groups, of_tenant, name, source) in [
            (Some(&person), &groups[..], Some(&tenant), "person", Source::Person),
            (Some(&off), &groups[..], Some(&tenant), "group", Source::Group),
            (None, &groups[..], Some(&tenant), "group", Source::Group),
            (None, &[], Some(&tenant), "tenant", Source::Tenant),
            (None, &off_groups[..], Some(&tenant), "tenant", Source::Tenant),
            (None, &[], Some(&off), "default", Source::Fallback),
            (None, &[], None, "default", Source::Fallback),
        ] {
            let chosen = choose(of_person, of_groups, of_tenant);
            assert_eq!((chosen.rule.name.as_str(), chosen.source), (name, source));
        }
    }

    #[test]
    fn domain_6_4_of_groups_the_lowest_priority_number_then_the_most_restrictive() {
        let wide = rule("wide", &json!([{"media": "voice"}, {"media": "chat", "maxCapacity": 3}]));
        let narrow = rule("narrow", &json!([{"media": "voice"}, {"media": "chat"}]));
        let blocking = rule(
            "s blocking",
            &json!([
            {"media": "voice", "blockWhen": "chat ge 1"}, {"media": "chat"}]),
        );
        let a =
            rule("A", &json!([{"media": "voice", "blockWhen": "chat ge 1"}, {"media": "chat"}]));
        let of = |rules: &[(i64, &CapacityRule)]| {
            let groups: Vec<_> = rules
                .iter()
                .map(|(priority, rule)| GroupRule { priority: *priority, rule })
                .collect();
            choose(None, &groups, None).rule.name
        };
        assert_eq!(of(&[(1, &wide), (2, &narrow)]), "wide");
        assert_eq!(of(&[(1, &wide), (1, &narrow)]), "narrow");
        assert_eq!(of(&[(1, &narrow), (1, &blocking), (1, &wide)]), "s blocking");
        assert_eq!(of(&[(1, &blocking), (1, &a)]), "A");
        assert_eq!(of(&[(1, &a), (1, &blocking)]), "A");
    }
}
