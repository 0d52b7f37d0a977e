use pitbird_records::alarm::{AlarmHead, AlarmQuery, AlarmRule, AlarmState, MetricStatistic, Watched};
use pitbird_records::{Alarm, CompositeAlarm, Texts};
use pitbird_store::Error;
use serde_json::json;

use super::bed::{Bed, NOW_MS};
use crate::meter::tell;

fn head(name: &str) -> AlarmHead {
    AlarmHead {
        scope: Default::default(),
        name: name.to_owned(),
        description: None,
        actions_enabled: false,
        actions: Default::default(),
        configured_ms: 0,
        state: AlarmState {
            value: "OK".to_owned(),
            reason: String::new(),
            reason_data: None,
            updated_ms: 0,
            transitioned_ms: 0,
        },
        tags: Texts::new(),
    }
}

fn metric(period_s: u32) -> MetricStatistic {
    MetricStatistic {
        namespace: "App".to_owned(),
        metric: "m".to_owned(),
        dimensions: Vec::new(),
        statistic: "Sum".to_owned(),
        unit: None,
        period_s,
    }
}

fn alarm(name: &str, watched: Watched) -> Alarm {
    let rule = AlarmRule {
        watched,
        evaluation_periods: 1,
        datapoints_to_alarm: None,
        threshold: Some(1.0),
        threshold_metric: None,
        comparison: "GreaterThanThreshold".to_owned(),
        treat_missing_data: None,
        low_samples: None,
    };
    Alarm { head: head(name), rule }
}

fn query(statistic: Option<MetricStatistic>) -> AlarmQuery {
    AlarmQuery {
        id: "q".to_owned(),
        expression: statistic.is_none().then(|| "a + b".to_owned()),
        statistic,
        label: None,
        return_data: None,
        period_s: None,
        account: None,
    }
}

#[tokio::test]
async fn what_is_configured_counts_by_the_minute() {
    let bed = Bed::open().await;
    bed.fill().await;
    let two = vec![query(Some(metric(60))), query(Some(metric(300))), query(None)];
    let written = bed.state.store.write::<(), Error>(move |tx| {
        tx.put(&alarm("plain", Watched::Metric(metric(60))))?;
        let mut band =
            alarm("band", Watched::Queries { queries: vec![query(Some(metric(60))), query(None)] });
        band.rule.threshold_metric = Some("q".to_owned());
        tx.put(&band)?;
        tx.put(&alarm("quick", Watched::Metric(metric(10))))?;
        tx.put(&alarm("math", Watched::Queries { queries: two }))?;
        let (rule, suppressor, suppression) = ("ALARM(plain)".to_owned(), None, None);
        tx.put(&CompositeAlarm { head: head("both"), rule, suppressor, suppression }).map(drop)
    });
    written.await.unwrap();
    for minutes in [0, 2, 10] {
        tell(&bed.state, NOW_MS + minutes * 60_000).await.unwrap();
    }
    let expected = [
        "CompositeAlarmMinutes 10 alarm-minutes",
        "HighResolutionAlarmMinutes 10 alarm-minutes",
        "ProvisionedConcurrencyX86 15360 MiB-minutes",
        "StandardAlarmMinutes 60 alarm-minutes",
    ];
    let found = bed.rows(json!({})).await;
    assert_eq!(
        found,
        expected.map(|row| row.replace("X86", if cfg!(target_arch = "aarch64") { "Arm" } else { "X86" }))
    );
    let version = bed.rows(json!({"GroupBy": "Version"})).await;
    assert!(version.iter().any(|row| row.starts_with("pets/1 ProvisionedConcurrency")), "{version:?}");
}
