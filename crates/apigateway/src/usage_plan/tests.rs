use pitbird_records::Texts;

use super::*;
use crate::patch::{Op, Patch};

fn plan() -> UsagePlan {
    let stage = ApiStage { api_id: "a".to_owned(), stage: "dev".to_owned(), throttle: Default::default() };
    UsagePlan {
        scope: Scope::default(),
        id: "p".to_owned(),
        name: "plan".to_owned(),
        description: None,
        api_stages: vec![stage],
        throttle: None,
        quota: None,
        product_code: None,
        tags: Texts::new(),
    }
}

fn patched(lines: &[&str]) -> Result<UsagePlan, String> {
    let mut plan = plan();
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let op: Op = serde_json::from_value(words.next().expect("an op").into()).expect("a known op");
        let path = words.next().expect("a path");
        let patch = Patch { op, path, value: words.next(), from: None };
        apply(&mut plan, &patch).map_err(|error| error.to_string())?;
    }
    Ok(plan)
}

#[test]
fn limits_are_set_one_by_one() {
    let plan = patched(&[
        "add /throttle/rateLimit 10.5",
        "add /throttle/burstLimit 5",
        "add /quota/limit 100",
        "add /quota/offset 2",
        "replace /quota/period WEEK",
        "replace /apiStages/a:dev/throttle//pets/GET/rateLimit 1",
        "replace /apiStages/a:dev/throttle//pets/GET/burstLimit 2",
        "add /apiStages/a:dev/throttle/~1pets~1{id}/ANY/burstLimit 3",
    ])
    .expect("a plan");
    assert_eq!(plan.throttle, Some(Throttle { burst_limit: 5, rate_limit: 10.5 }));
    assert_eq!(plan.quota, Some(Quota { limit: 100, offset: 2, period: "WEEK".to_owned() }));
    let limits = &plan.api_stages[0].throttle;
    assert_eq!(limits["/pets/GET"], Throttle { burst_limit: 2, rate_limit: 1.0 });
    assert_eq!(limits["/pets/{id}/ANY"].burst_limit, 3);
}

#[test]
fn what_was_set_is_removed() {
    let plan = patched(&[
        "add /throttle/rateLimit 1",
        "add /quota/limit 1",
        "replace /apiStages/a:dev/throttle//x/GET/rateLimit 1",
        "replace /apiStages/a:dev/throttle//y/GET/rateLimit 1",
        "remove /apiStages/a:dev/throttle//x/GET",
        "remove /throttle",
        "remove /quota",
    ])
    .expect("a plan");
    assert_eq!((plan.throttle, plan.quota), (None, None));
    assert_eq!(plan.api_stages[0].throttle.keys().collect::<Vec<_>>(), ["/y/GET"]);
    let plan = patched(&["remove /apiStages a:dev", "add /apiStages b:prod"]).expect("moved");
    assert_eq!(plan.api_stages.iter().map(name).collect::<Vec<_>>(), ["b:prod"]);
}

#[test]
fn what_no_plan_has_is_refused() {
    let removable = "[/apiStages, /quota, /throttle, /productCode, \
                     /apiStages/<apidId:stageName>/throttle/<resourcePath>/<httpMethod>, \
                     /apiStages/<apidId:stageName>/throttle]";
    for (line, text) in [
        ("remove /apiStages", "Invalid API Stage specified"),
        ("remove /apiStages a", "Invalid API Stage specified"),
        ("add /apiStages a:b:c", "Invalid API Stage specified"),
        ("remove /apiStages b:dev", "Invalid API Stage {api: b, stage: dev} specified for usageplan p"),
        ("replace /apiStages/b:dev/throttle//x/GET/rateLimit 1", "Invalid API Stage specified"),
        ("replace /quota/limit many", "Invalid value specified for quota/limit: many"),
        (
            "remove /apiStages/a:dev",
            &format!(
                "Invalid patch path  '/apiStages/a:dev' specified for op 'remove'. Must be one of: {removable}"
            ),
        ),
        ("move /name x", "Invalid patch operation specified. Must be 'add'|'remove'|'replace'"),
    ] {
        assert_eq!(patched(&[line]).expect_err(line), text);
    }
    for line in
        ["replace /id x", "add /name x", "replace /throttle/limit 1", "add /apiStages/a:dev/throttle x"]
    {
        assert!(patched(&[line]).expect_err(line).starts_with("Invalid patch path  '"), "{line}");
    }
}

#[test]
fn quotas_and_throttles_have_bounds() {
    let quota = |limit, offset, period: &str| {
        check_quota(&Quota { limit, offset, period: period.to_owned() }).map_err(|error| error.to_string())
    };
    for (offset, period) in [(0, "DAY"), (6, "WEEK"), (27, "MONTH")] {
        assert_eq!(quota(1, offset, period), Ok(()));
        assert!(quota(1, offset + 1, period).is_err() && quota(1, -1, period).is_err());
    }
    assert!(quota(-1, 0, "DAY").is_err() && quota(1 << 31, 0, "DAY").is_err() && quota(1, 0, "").is_err());
    let throttle = |burst_limit, rate_limit| check_throttle(&Throttle { burst_limit, rate_limit }).is_ok();
    assert!(throttle(0, 0.0) && throttle(i64::from(i32::MAX), 1e6));
    assert!(!throttle(-1, 0.0) && !throttle(1 << 31, 0.0) && !throttle(0, f64::NAN) && !throttle(0, -0.1));
}
