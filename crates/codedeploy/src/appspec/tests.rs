use serde_json::json;

use super::*;

const YAML: &str = r#"
version: 0.0
Resources:
  - myFn:
      Type: AWS::Lambda::Function
      Properties:
        Name: fn
        Alias: live
        CurrentVersion: "1"
        TargetVersion: 2
Hooks:
  - BeforeAllowTraffic: "CodeDeployHook_pre"
  - AfterAllowTraffic: "arn:aws:lambda:us-east-1:000000000000:function:CodeDeployHook_post"
"#;

fn read(content: &str) -> Result<AppSpec, String> {
    parse(&Scope::default(), content.as_bytes()).map_err(|error| error.to_string())
}

fn shift() -> AliasShift {
    AliasShift {
        function: "fn".into(),
        alias: "live".into(),
        current: VersionId::Number(1),
        target: VersionId::Number(2),
    }
}

fn with(properties: Value) -> String {
    let mut all = json!({"Name": "fn", "Alias": "live", "CurrentVersion": "1", "TargetVersion": "2"});
    for (name, value) in properties.as_object().expect("members") {
        all[name] = value.clone();
    }
    json!({"version": 0.0, "Resources": [{"f": {"Type": "AWS::Lambda::Function", "Properties": all}}]})
        .to_string()
}

#[test]
fn yaml_and_json_say_the_same() {
    let hooks = Hooks {
        before: Some("CodeDeployHook_pre".into()),
        after: Some("arn:aws:lambda:us-east-1:000000000000:function:CodeDeployHook_post".into()),
    };
    assert_eq!(read(YAML), Ok(AppSpec { shift: shift(), hooks }));
    assert_eq!(read(&with(json!({}))), Ok(AppSpec { shift: shift(), hooks: Hooks::default() }));
    assert_eq!(read(&write(&shift())).expect("our own").shift, shift());
    assert_eq!(
        read(&YAML.replace("Resources", "resources").replace("Hooks", "hooks")).expect("any case").shift,
        shift()
    );
    let text = with(json!({})).replace("0.0", "\"0.0\"");
    assert!(read(&text).is_ok(), "a version as a text");
}

#[test]
fn what_is_no_appspec_is_refused() {
    for (content, words) in [
        ("a: [".to_owned(), "YAML or JSON"),
        ("[]".to_owned(), "must be a mapping"),
        (YAML.replace("version: 0.0", "version: 1.0"), "version must be 0.0"),
        (json!({"version": 0.0}).to_string(), "exactly one function"),
        (json!({"version": 0.0, "Resources": [{"a": {}}, {"b": {}}]}).to_string(), "exactly one function"),
        (json!({"version": 0.0, "Resources": [{"a": {}, "b": {}}]}).to_string(), "exactly one function"),
        (YAML.replace("AWS::Lambda::Function", "AWS::ECS::Service"), "of type AWS::ECS::Service"),
        (with(json!({"CurrentVersion": "$LATEST"})), "$LATEST is none"),
        (with(json!({"TargetVersion": "0"})), "0 is none"),
        (with(json!({"TargetVersion": "1.5"})), "1.5 is none"),
        (with(json!({"TargetVersion": -1})), "-1 is none"),
        (with(json!({"Alias": ""})), "must have a alias"),
        (with(json!({"Name": "fn:live"})), "names no function here"),
        (
            with(json!({"Name": "arn:aws:lambda:eu-west-1:000000000000:function:fn"})),
            "names no function here",
        ),
        (with(json!({"Colour": "blue"})), "colour of Properties of f"),
        (YAML.replace("BeforeAllowTraffic", "BeforeInstall"), "no hook BeforeInstall"),
        (YAML.replace("BeforeAllowTraffic", "AfterAllowTraffic"), "is there twice"),
        (YAML.replace("CodeDeployHook_pre", "not a name"), "names no function"),
        (format!("{YAML}\nFiles: []\n"), "files of AppSpec"),
    ] {
        let refused = read(&content).expect_err(&content);
        assert!(refused.contains(words), "{content}: {refused}");
    }
}

#[test]
fn an_appspec_has_a_length() {
    let longest = format!("{YAML}#{}", "x".repeat(limits::APPSPEC_BYTES - YAML.len() - 1));
    assert!(read(&longest).is_ok());
    assert!(read(&format!("{longest}x")).expect_err("too long").contains("longer than 65536 bytes"));
}
