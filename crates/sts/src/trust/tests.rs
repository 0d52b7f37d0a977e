use std::collections::BTreeMap;

use pitbird_names::Account;

use super::*;

const ROOT: &str = "arn:aws:iam::123456789012:root";
const ADA: &str = "arn:aws:iam::123456789012:user/ada";
const BOB: &str = "arn:aws:iam::123456789012:user/bob";
const STRANGER: &str = "arn:aws:iam::210987654321:user/ada";
const SESSION: &str = "arn:aws:sts::123456789012:assumed-role/Deployer/s1";
const DEPLOYER: &str = "arn:aws:iam::123456789012:role/ci/Deployer";

fn statement(is_allow: bool, aws: &[&str], conditions: &[(&str, &str, &[&str])]) -> TrustStatement {
    let mut met: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (operator, key, values) in conditions {
        let values = values.iter().map(|value| (*value).to_owned()).collect();
        met.entry((*operator).to_owned()).or_default().insert((*key).to_owned(), values);
    }
    TrustStatement {
        is_allow,
        actions: vec!["sts:AssumeRole".into()],
        services: Vec::new(),
        aws: aws.iter().map(|name| (*name).to_owned()).collect(),
        conditions: met,
    }
}

fn role(trust: Vec<TrustStatement>) -> Role {
    Role {
        account: Account::parse("123456789012").expect("an account"),
        path: "/".into(),
        name: "r".into(),
        id: "AROAAAAAAAAAAAAAAAAAA".into(),
        description: None,
        created_ms: 0,
        trust_document: String::new(),
        trust,
        session_s_max: 3600,
        permissions_boundary: None,
        tags: BTreeMap::new(),
        policies: BTreeMap::new(),
        attached: Vec::new(),
    }
}

fn check(trust: Vec<TrustStatement>, principal: &str, expected: Verdict) {
    let asking =
        Asking { principal, external_id: Some("secret-7"), session_name: "s1", source_identity: None };
    assert_eq!(judge(&role(trust.clone()), &asking), expected, "{principal} {trust:?}");
}

#[test]
fn principals_are_matched_as_aws_does() {
    use Verdict::*;
    for (named, principal, expected) in [
        ("*", STRANGER, Trusted),
        ("123456789012", ADA, Trusted),
        (ROOT, ADA, Trusted),
        (ROOT, SESSION, Trusted),
        (ROOT, STRANGER, NotTrusted),
        ("210987654321", STRANGER, Trusted),
        ("210987654321", ADA, NotTrusted),
        (ADA, ADA, Trusted),
        (ADA, BOB, NotTrusted),
        (ADA, ROOT, Trusted),
        (STRANGER, ROOT, NotTrusted),
        (DEPLOYER, SESSION, Trusted),
        (SESSION, SESSION, Trusted),
        ("arn:aws:iam::123456789012:role/Other", SESSION, NotTrusted),
        (ADA, "nonsense", NotTrusted),
    ] {
        check(vec![statement(true, &[named], &[])], principal, expected);
    }
    check(Vec::new(), ROOT, NotTrusted);
    check(vec![statement(true, &[], &[])], ROOT, NotTrusted);
}

#[test]
fn a_deny_wins() {
    use Verdict::*;
    let allow = statement(true, &[ROOT], &[]);
    check(vec![allow.clone(), statement(false, &[ADA], &[])], ADA, NotTrusted);
    check(vec![statement(false, &[ADA], &[]), allow.clone()], ADA, NotTrusted);
    check(vec![allow.clone(), statement(false, &[ADA], &[])], BOB, Trusted);
    check(vec![allow, statement(false, &[ADA], &[])], ROOT, Trusted);
}

#[test]
fn conditions_are_evaluated_or_keep_out() {
    use Verdict::*;
    let unknown = |what: &str| Unknown(what.to_owned());
    for (operator, key, values, expected) in [
        ("StringEquals", "sts:ExternalId", &["secret-7"][..], Trusted),
        ("StringEquals", "STS:externalid", &["other", "secret-7"][..], Trusted),
        ("StringEquals", "sts:ExternalId", &["secret-*"][..], NotTrusted),
        ("StringLike", "sts:ExternalId", &["secret-*"][..], Trusted),
        ("StringEquals", "sts:RoleSessionName", &["s2"][..], NotTrusted),
        ("StringEquals", "sts:SourceIdentity", &["x"][..], NotTrusted),
        ("StringEqualsIfExists", "sts:SourceIdentity", &["x"][..], Trusted),
        ("ArnLike", "aws:PrincipalArn", &["arn:aws:iam::*:user/a*"][..], Trusted),
        ("StringEquals", "aws:PrincipalAccount", &["123456789012"][..], Trusted),
        ("Bool", "aws:MultiFactorAuthPresent", &["true"][..], unknown("Bool aws:MultiFactorAuthPresent")),
        ("StringNotEquals", "sts:ExternalId", &["x"][..], unknown("StringNotEquals sts:ExternalId")),
    ] {
        check(vec![statement(true, &[ROOT], &[(operator, key, values)])], ADA, expected);
    }
    let strange = statement(false, &[ROOT], &[("Bool", "aws:SecureTransport", &["false"])]);
    check(vec![statement(true, &[ROOT], &[]), strange], ADA, unknown("Bool aws:SecureTransport"));
    let either = [statement(true, &[ROOT], &[("Bool", "x", &["true"])]), statement(true, &[ADA], &[])];
    check(either.to_vec(), ADA, Trusted);
}

#[test]
fn a_source_identity_must_be_allowed_too() {
    let asking =
        Asking { principal: ADA, external_id: None, session_name: "s1", source_identity: Some("ada") };
    let mut trust = statement(true, &[ROOT], &[]);
    assert_eq!(judge(&role(vec![trust.clone()]), &asking), Verdict::NotTrusted);
    trust.actions.push("sts:SetSourceIdentity".into());
    assert_eq!(judge(&role(vec![trust]), &asking), Verdict::Trusted);
}
