use super::*;

const ARN: &str = "arn:aws:execute-api:us-east-1:000000000000:abc/prod/GET/pets/7";

fn judged(statements: &str, principal: Option<PolicyPrincipal<'_>>) -> PolicyVerdict {
    let document = PolicyDocument::parse(&format!(r#"{{"Version":"2012-10-17","Statement":{statements}}}"#));
    let question = PolicyQuestion {
        action: "execute-api:Invoke",
        resource: ARN,
        principal,
        source_ip: "10.1.2.3",
        user_agent: Some("curl/8"),
        referer: None,
        is_secure: false,
        at_epoch_s: 1_000,
    };
    document.unwrap().of_api("arn:aws:execute-api:us-east-1:000000000000:abc").judge(&question)
}

#[test]
fn wildcards_and_short_resources_name_methods() {
    for (resource, verdict) in [
        (ARN, PolicyVerdict::Allowed),
        ("*", PolicyVerdict::Allowed),
        ("arn:aws:execute-api:*:*:abc/*/GET/*", PolicyVerdict::Allowed),
        ("arn:aws:execute-api:us-east-1:000000000000:abc/prod/GET/pets/?", PolicyVerdict::Allowed),
        ("arn:aws:execute-api:us-east-1:000000000000:abc/prod/POST/*", PolicyVerdict::NotMentioned),
        ("execute-api:/prod/GET/*", PolicyVerdict::Allowed),
        ("execute-api:/dev/*", PolicyVerdict::NotMentioned),
    ] {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":"*","Action":"EXECUTE-api:*","Resource":"{resource}"}}"#
        );
        assert_eq!(judged(&statement, None), verdict, "{resource}");
    }
}

#[test]
fn a_denial_outweighs_and_an_other_action_says_nothing() {
    let allow = r#"{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"}"#;
    let deny = r#"{"Effect":"Deny","Principal":"*","Action":["a:b","execute-api:*"],"Resource":["x","*"]}"#;
    let other = r#"{"Effect":"Allow","Action":"lambda:*","Resource":"*"}"#;
    assert_eq!(judged(&format!("[{allow},{deny}]"), None), PolicyVerdict::Denied);
    assert_eq!(judged(&format!("[{other}]"), None), PolicyVerdict::NotMentioned);
    assert_eq!(judged("[]", None), PolicyVerdict::NotMentioned);
    let not = r#"{"Effect":"Allow","NotAction":"lambda:*","NotResource":"x"}"#;
    assert_eq!(judged(not, None), PolicyVerdict::Allowed);
}

#[test]
fn principals_are_accounts_users_and_sessions() {
    let session = PolicyPrincipal {
        account: "000000000000",
        arn: "arn:aws:sts::000000000000:assumed-role/r/s",
        may_call: true,
    };
    for (principal, known, nobody) in [
        (r#""*""#, true, true),
        (r#"{"AWS":"*"}"#, true, true),
        (r#"{"AWS":["111111111111","000000000000"]}"#, true, false),
        (r#"{"AWS":"arn:aws:iam::000000000000:root"}"#, true, false),
        (r#"{"AWS":"arn:aws:iam::000000000000:role/path/r"}"#, true, false),
        (r#"{"AWS":"arn:aws:iam::000000000000:role/x"}"#, false, false),
        (r#"{"Service":"*"}"#, false, false),
    ] {
        let statement = format!(
            r#"{{"Effect":"Allow","Principal":{principal},"Action":"execute-api:Invoke","Resource":"*"}}"#
        );
        assert_eq!(judged(&statement, Some(session)) == PolicyVerdict::Allowed, known, "{principal}");
        assert_eq!(judged(&statement, None) == PolicyVerdict::Allowed, nobody, "{principal}");
    }
    let of_account = r#"{"Effect":"Allow","Principal":{"AWS":"000000000000"},"Action":"*","Resource":"*"}"#;
    let unallowed = PolicyPrincipal { may_call: false, ..session };
    assert_eq!(judged(of_account, Some(unallowed)), PolicyVerdict::NotMentioned);
    let denied = of_account.replace("Allow", "Deny");
    assert_eq!(judged(&denied, Some(unallowed)), PolicyVerdict::Denied);
}

#[test]
fn conditions_are_met_or_not_and_the_unknown_is_strict() {
    for (condition, is_met) in [
        (r#"{"IpAddress":{"aws:SourceIp":["192.168.0.0/16","10.0.0.0/8"]}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"10.1.2.3"}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, true),
        (r#"{"IpAddress":{"aws:SourceIp":"10.1.2.0/33"}}"#, false),
        (r#"{"IpAddress":{"aws:SourceIp":"::/0"}}"#, false),
        (r#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, false),
        (r#"{"StringLike":{"aws:UserAgent":"curl*"}}"#, true),
        (r#"{"StringEquals":{"aws:UserAgent":"curl*"}}"#, false),
        (r#"{"StringEquals":{"aws:SourceVpce":"vpce-1"}}"#, false),
        (r#"{"StringNotEquals":{"aws:SourceVpce":"vpce-1"}}"#, true),
        (r#"{"StringEqualsIfExists":{"aws:Referer":"x"}}"#, true),
        (r#"{"Bool":{"aws:SecureTransport":"false"}}"#, true),
        (r#"{"Bool":{"aws:SecureTransport":true}}"#, false),
        (r#"{"Null":{"aws:Referer":"true"}}"#, true),
        (r#"{"NumericLessThan":{"aws:EpochTime":2000},"Bool":{"aws:SecureTransport":false}}"#, true),
        (r#"{"NumericLessThan":{"aws:EpochTime":2000},"Bool":{"aws:SecureTransport":true}}"#, false),
    ] {
        for (effect, when_met) in [("Allow", PolicyVerdict::Allowed), ("Deny", PolicyVerdict::Denied)] {
            let statement = format!(
                r#"{{"Effect":"{effect}","Principal":"*","Action":"*","Resource":"*","Condition":{condition}}}"#
            );
            let expected = if is_met { when_met } else { PolicyVerdict::NotMentioned };
            assert_eq!(judged(&statement, None), expected, "{effect} {condition}");
        }
    }
    for unknown in [
        r#"{"DateLessThan":{"aws:CurrentTime":"2030-01-01"}}"#,
        r#"{"StringEquals":{"aws:ViaAWSService":"x"}}"#,
    ] {
        for (effect, expected) in [("Allow", PolicyVerdict::NotMentioned), ("Deny", PolicyVerdict::Denied)] {
            let statement = format!(
                r#"{{"Effect":"{effect}","Principal":"*","Action":"*","Resource":"*","Condition":{unknown}}}"#
            );
            assert_eq!(judged(&statement, None), expected, "{effect} {unknown}");
        }
    }
}

#[test]
fn what_is_no_document_is_refused() {
    for text in [
        "",
        "[]",
        "{}",
        r#"{"Statement":[{}]}"#,
        r#"{"Statement":{"Effect":"Maybe","Action":"*","Resource":"*"}}"#,
    ] {
        assert!(PolicyDocument::parse(text).is_err(), "{text}");
    }
}
