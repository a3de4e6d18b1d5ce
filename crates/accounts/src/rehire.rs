//! Whether a new account is a person whom the tenant had before (domain model 4.5).
//!
//! Identity providers send POST again for a person who comes back. If it is the same person, the
//! account comes back under its old identifier; if it is another one, the old names stay reserved.
//! What cannot be told is for an administrator to decide.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::identity::{Claim, ClaimKind};
use crate::policy::{Ambiguous, RehireMatch, RehirePolicy, TenantPolicy};

/// What the request says of the person.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Incoming {
    /// The employeeNumber.
    pub employee_number: Option<String>,
}

/// What has become of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is in use.
    Enabled,
    /// It was deactivated.
    Deactivated,
    /// It was deleted.
    Tombstoned,
}

/// What an account has in common with the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum MatchedBy {
    /// The externalId, in the same connection.
    ExternalId,
    /// The employeeNumber.
    EmployeeNumber,
    /// A userName or login address that the request asks for and the account owns.
    Identity,
}

/// An account of the tenant that matches the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Its identifier.
    pub id: Uuid,
    /// What has become of it.
    pub state: State,
    /// By what it matches.
    pub matched_by: BTreeSet<MatchedBy>,
    /// Its employeeNumber.
    pub employee_number: Option<String>,
    /// Which of the identities that the request asks for it owns.
    pub owns: Vec<Claim>,
}

/// What an administrator has said of an earlier request like this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaseDecision {
    /// It is the same person.
    Same,
    /// It is another one.
    Different,
}

/// Which value is another account's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uniqueness {
    /// The userName.
    UserName,
    /// A login address.
    Email,
    /// The externalId.
    ExternalId,
    /// The employeeNumber.
    EmployeeNumber,
}

/// What to do with the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// Nobody matches: it is a new account.
    Create,
    /// The person is back: the account of this identifier is restored.
    Restore(Uuid),
    /// Another account has this value.
    Conflict(Uniqueness),
    /// What it asks for is reserved for somebody else. The refusal names nobody (rule R3).
    Reserved,
    /// Nobody knows. A case is opened about this account, with this evidence for an administrator.
    Ambiguous(Uuid, String),
}

/// Decides about a request to create an account.
///
/// `candidates` are the accounts of the tenant that match it, in whatever state, each of them once;
/// `decided` is what administrators have said about such an account and this request before.
///
/// The rows of the table, in their order:
///
/// | Candidates | Decision |
/// |---|---|
/// | none | [`Decision::Create`] |
/// | an enabled one | [`Decision::Conflict`] |
/// | more than one | [`Decision::Reserved`] |
/// | one, by externalId or employeeNumber | [`Decision::Restore`] |
/// | one, by its names only; the employeeNumbers differ | [`Decision::Reserved`] |
/// | one, by its names only; somebody has decided | as decided |
/// | one, by its names only, which the policy takes for proof | [`Decision::Restore`] |
/// | one, by its names only | [`Decision::Ambiguous`], or [`Decision::Reserved`] if the policy rejects |
///
/// An externalId or employeeNumber that the policy does not take for proof is still of one account
/// only, and a conflict. Employee numbers that need not be unique say nothing.
pub fn decide(
    policy: &TenantPolicy,
    incoming: &Incoming,
    candidates: &[Candidate],
    decided: &[(Uuid, CaseDecision)],
) -> Decision {
    let candidates: Vec<_> =
        candidates.iter().filter(|candidate| says_something(policy, candidate)).collect();
    if let Some(enabled) = candidates.iter().find(|candidate| candidate.state == State::Enabled) {
        return Decision::Conflict(taken(policy, enabled));
    }
    let candidate = match candidates.as_slice() {
        [] => return Decision::Create,
        [only] => *only,
        _ => return Decision::Reserved,
    };
    if is_proved(policy, candidate) {
        return Decision::Restore(candidate.id);
    }
    if !candidate.matched_by.contains(&MatchedBy::Identity) {
        return Decision::Conflict(taken(policy, candidate));
    }
    by_names_only(&policy.rehire, incoming, candidate, decided)
}

/// Whether a candidate matches by more than a number that may be many people's.
fn says_something(policy: &TenantPolicy, candidate: &Candidate) -> bool {
    candidate.matched_by.iter().any(|matched| counts(policy, *matched))
}

fn counts(policy: &TenantPolicy, matched: MatchedBy) -> bool {
    matched != MatchedBy::EmployeeNumber || policy.unique_employee_numbers
}

fn is_proved(policy: &TenantPolicy, candidate: &Candidate) -> bool {
    let proves = |(by, proof)| {
        candidate.matched_by.contains(&by)
            && counts(policy, by)
            && policy.rehire.matching.contains(&proof)
    };
    [
        (MatchedBy::ExternalId, RehireMatch::ExternalId),
        (MatchedBy::EmployeeNumber, RehireMatch::EmployeeNumber),
    ]
    .into_iter()
    .any(proves)
}

fn by_names_only(
    policy: &RehirePolicy,
    incoming: &Incoming,
    candidate: &Candidate,
    decided: &[(Uuid, CaseDecision)],
) -> Decision {
    let numbers = (incoming.employee_number.as_ref(), candidate.employee_number.as_ref());
    if let (Some(incoming), Some(known)) = numbers
        && incoming != known
    {
        return Decision::Reserved;
    }
    let earlier = decided.iter().find(|(id, _)| *id == candidate.id).map(|(_, decision)| *decision);
    match earlier {
        Some(CaseDecision::Same) => Decision::Restore(candidate.id),
        Some(CaseDecision::Different) => Decision::Reserved,
        None if policy.matching.contains(&RehireMatch::Email) => Decision::Restore(candidate.id),
        None if policy.ambiguous == Ambiguous::Reject => Decision::Reserved,
        None => Decision::Ambiguous(candidate.id, evidence(incoming, candidate)),
    }
}

/// Which value of an account stands in the way; of several the one that a client can best see.
fn taken(policy: &TenantPolicy, candidate: &Candidate) -> Uniqueness {
    let owns = |kind| candidate.owns.iter().any(|claim| claim.kind == kind);
    let matches = |by| candidate.matched_by.contains(&by) && counts(policy, by);
    if owns(ClaimKind::UserName) {
        Uniqueness::UserName
    } else if owns(ClaimKind::Email) || matches(MatchedBy::Identity) {
        Uniqueness::Email
    } else if matches(MatchedBy::ExternalId) {
        Uniqueness::ExternalId
    } else {
        Uniqueness::EmployeeNumber
    }
}

fn evidence(incoming: &Incoming, candidate: &Candidate) -> String {
    let names: Vec<_> = candidate
        .owns
        .iter()
        .map(|claim| format!("{} {}", claim.kind.as_str(), claim.key))
        .collect();
    let names = if names.is_empty() { "its names".to_owned() } else { names.join(", ") };
    let state = match candidate.state {
        State::Enabled => "in use",
        State::Deactivated => "deactivated",
        State::Tombstoned => "deleted",
    };
    let number = match (&incoming.employee_number, &candidate.employee_number) {
        (None, None) => "neither has an employeeNumber",
        (None, Some(_)) => "the request has no employeeNumber",
        (Some(_), None) => "the account has no employeeNumber",
        // Equal, but the policy does not take it for proof.
        (Some(_), Some(_)) => "they have the same employeeNumber",
    };
    format!("the account is {state} and owns {names}; {number}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use scim_protocol::Object;

    use MatchedBy::{EmployeeNumber, ExternalId, Identity};
    use State::{Deactivated, Enabled, Tombstoned};

    const ONE: Uuid = Uuid::from_u128(1);
    const TWO: Uuid = Uuid::from_u128(2);
    const GONE: [State; 2] = [Deactivated, Tombstoned];

    fn production() -> TenantPolicy {
        TenantPolicy::of(&Object::new()).unwrap()
    }

    /// What the public conformance suites need: they delete a user and create it again.
    fn conformance() -> TenantPolicy {
        let tenant = serde_json::json!({"rehireMatch": ["externalId", "employeeNumber", "email"]});
        TenantPolicy::of(tenant.as_object().unwrap()).unwrap()
    }

    fn candidate(id: Uuid, state: State, matched_by: &[MatchedBy]) -> Candidate {
        let name = Claim { kind: ClaimKind::UserName, key: "ada".to_owned() };
        let owns = if matched_by.contains(&Identity) { vec![name] } else { Vec::new() };
        let matched_by = matched_by.iter().copied().collect();
        Candidate { id, state, matched_by, employee_number: None, owns }
    }

    fn numbered(number: &str, candidate: Candidate) -> Candidate {
        Candidate { employee_number: Some(number.to_owned()), ..candidate }
    }

    fn incoming(number: Option<&str>) -> Incoming {
        Incoming { employee_number: number.map(str::to_owned) }
    }

    fn decided_by(policy: &TenantPolicy, candidates: &[Candidate]) -> Decision {
        decide(policy, &incoming(None), candidates, &[])
    }

    #[test]
    fn rehire_4_5_nobody_matches_and_it_is_a_new_account() {
        assert_eq!(decided_by(&production(), &[]), Decision::Create);
        assert_eq!(decided_by(&conformance(), &[]), Decision::Create);
    }

    #[test]
    fn rehire_4_5_an_enabled_account_is_a_conflict() {
        let email = Claim { kind: ClaimKind::Email, key: "ada@x.example".to_owned() };
        let by_email =
            Candidate { owns: vec![email], ..candidate(ONE, Enabled, &[ExternalId, Identity]) };
        let two =
            [candidate(TWO, Deactivated, &[Identity]), candidate(ONE, Enabled, &[ExternalId])];
        for (candidates, taken) in [
            (vec![candidate(ONE, Enabled, &[Identity, ExternalId])], Uniqueness::UserName),
            (vec![by_email], Uniqueness::Email),
            (vec![candidate(ONE, Enabled, &[ExternalId, EmployeeNumber])], Uniqueness::ExternalId),
            (vec![candidate(ONE, Enabled, &[EmployeeNumber])], Uniqueness::EmployeeNumber),
            (two.to_vec(), Uniqueness::ExternalId),
        ] {
            for policy in [production(), conformance()] {
                let decision = decide(
                    &policy,
                    &incoming(Some("7")),
                    &candidates,
                    &[(ONE, CaseDecision::Same), (TWO, CaseDecision::Same)],
                );
                assert_eq!(decision, Decision::Conflict(taken), "{candidates:?}");
            }
        }
    }

    #[test]
    fn rehire_4_5_the_same_external_id_is_the_same_person() {
        for state in GONE {
            for matched_by in
                [&[ExternalId][..], &[ExternalId, Identity], &[ExternalId, EmployeeNumber]]
            {
                // Not even another number speaks against it.
                let candidate = numbered("8", candidate(ONE, state, matched_by));
                let decision = decide(&production(), &incoming(Some("7")), &[candidate], &[]);
                assert_eq!(decision, Decision::Restore(ONE), "{state:?} {matched_by:?}");
            }
        }
    }

    #[test]
    fn rehire_4_5_the_same_employee_number_is_the_same_person() {
        for state in GONE {
            for matched_by in [&[EmployeeNumber][..], &[EmployeeNumber, Identity]] {
                let candidate = numbered("7", candidate(ONE, state, matched_by));
                let decision = decide(&production(), &incoming(Some("7")), &[candidate], &[]);
                assert_eq!(decision, Decision::Restore(ONE), "{state:?} {matched_by:?}");
            }
        }
    }

    #[test]
    fn rehire_4_5_other_employee_numbers_are_other_people() {
        for state in GONE {
            for policy in [production(), conformance()] {
                let candidate = numbered("8", candidate(ONE, state, &[Identity]));
                let decision = decide(
                    &policy,
                    &incoming(Some("7")),
                    &[candidate],
                    // Said before the number was known.
                    &[(ONE, CaseDecision::Same)],
                );
                assert_eq!(decision, Decision::Reserved, "{state:?}");
            }
        }
    }

    #[test]
    fn rehire_4_5_only_a_name_is_ambiguous() {
        for state in GONE {
            for (of_incoming, of_account, evidence) in [
                (None, None, "neither has an employeeNumber"),
                (None, Some("8"), "the request has no employeeNumber"),
                (Some("7"), None, "the account has no employeeNumber"),
            ] {
                let mut candidate = candidate(ONE, state, &[Identity]);
                candidate.employee_number = of_account.map(str::to_owned);
                let candidates = [candidate];
                let said = |policy: &TenantPolicy, decided: &[_]| {
                    decide(policy, &incoming(of_incoming), &candidates, decided)
                };
                let word = if state == Deactivated { "deactivated" } else { "deleted" };
                let evidence = format!("the account is {word} and owns userName ada; {evidence}");
                let open = Decision::Ambiguous(ONE, evidence);
                assert_eq!(said(&production(), &[]), open);
                assert_eq!(said(&production(), &[(TWO, CaseDecision::Same)]), open);

                let mut rejecting = production();
                rejecting.rehire.ambiguous = Ambiguous::Reject;
                assert_eq!(said(&rejecting, &[]), Decision::Reserved);
                for policy in [production(), rejecting, conformance()] {
                    let same = said(&policy, &[(ONE, CaseDecision::Same)]);
                    assert_eq!(same, Decision::Restore(ONE));
                    let different = said(&policy, &[(ONE, CaseDecision::Different)]);
                    assert_eq!(different, Decision::Reserved);
                }
            }
        }
    }

    #[test]
    fn rehire_4_5_in_the_conformance_profile_a_name_is_proof() {
        for state in GONE {
            let candidates = [candidate(ONE, state, &[Identity])];
            assert_eq!(decided_by(&conformance(), &candidates), Decision::Restore(ONE));
        }
    }

    #[test]
    fn r3_rehire_4_5_two_candidates_are_a_conflict_that_names_neither() {
        for (one, two) in [
            (&[ExternalId][..], &[Identity][..]),
            (&[ExternalId], &[EmployeeNumber]),
            (&[Identity], &[Identity]),
        ] {
            let candidates = [candidate(ONE, Deactivated, one), candidate(TWO, Tombstoned, two)];
            for policy in [production(), conformance()] {
                let decision = decided_by(&policy, &candidates);
                assert_eq!(decision, Decision::Reserved, "{one:?} {two:?}");
            }
        }
    }

    #[test]
    fn r7_r8_rehire_4_5_what_is_no_proof_is_unique_all_the_same() {
        let mut policy = production();
        policy.rehire.matching = vec![RehireMatch::Email];
        for (matched_by, taken) in
            [(ExternalId, Uniqueness::ExternalId), (EmployeeNumber, Uniqueness::EmployeeNumber)]
        {
            let alone = [candidate(ONE, Deactivated, &[matched_by])];
            assert_eq!(decided_by(&policy, &alone), Decision::Conflict(taken));
            let with_name = [candidate(ONE, Deactivated, &[matched_by, Identity])];
            assert_eq!(decided_by(&policy, &with_name), Decision::Restore(ONE));
        }
    }

    #[test]
    fn r8_rehire_4_5_numbers_that_need_not_be_unique_prove_nothing() {
        let mut policy = production();
        policy.unique_employee_numbers = false;
        for state in [Enabled, Deactivated, Tombstoned] {
            let candidates = [candidate(ONE, state, &[EmployeeNumber])];
            assert_eq!(decided_by(&policy, &candidates), Decision::Create);
        }
        let with_name = [numbered("7", candidate(ONE, Deactivated, &[EmployeeNumber, Identity]))];
        match decide(&policy, &incoming(Some("7")), &with_name, &[]) {
            Decision::Ambiguous(ONE, evidence) => {
                assert!(evidence.ends_with("they have the same employeeNumber"), "{evidence}");
            }
            other => panic!("{other:?}"),
        }
        let two = [
            candidate(ONE, Deactivated, &[ExternalId]),
            candidate(TWO, Deactivated, &[EmployeeNumber]),
        ];
        assert_eq!(decided_by(&policy, &two), Decision::Restore(ONE));
    }
}
