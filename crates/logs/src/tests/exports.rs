//! Export tasks: from a group's events to files in a bucket.

use std::io::Read;

use flate2::read::GzDecoder;
use pitbird_records::Bucket;
use pitbird_store::Transaction;

use super::*;

async fn bed_with_bucket() -> Bed {
    let bed = Bed::new();
    bed.group("g").await;
    bed.stream("g", "s/1").await;
    bed.stream("g", "t").await;
    let bucket = Bucket {
        scope: Scope::default(),
        name: "birds".to_owned(),
        created_ms: 0,
        tags: Default::default(),
        settings: Default::default(),
    };
    let put = move |tx: &mut Transaction<'_>| tx.put(&bucket).map(drop);
    bed.state.store.write(put).await.expect("a bucket");
    bed
}

fn task(bed: &Bed, more: Json) -> Json {
    let mut input = json!({"logGroupName": "g", "from": bed.start_ms - HOUR, "to": bed.start_ms + 1,
        "destination": "birds"});
    input.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    input
}

/// Waits until a task has ended; its last description.
async fn ended(bed: &Bed, id: &Json) -> Json {
    loop {
        let found = bed.ok("DescribeExportTasks", json!({"taskId": id})).await["exportTasks"][0].clone();
        match found["status"]["code"].as_str().expect("a code") {
            "PENDING" | "RUNNING" | "PENDING_CANCEL" => tokio::task::yield_now().await,
            _ => return found,
        }
    }
}

#[tokio::test]
async fn events_of_the_time_go_to_the_bucket_by_stream() {
    let bed = bed_with_bucket().await;
    bed.put("g", "s/1", &[(0, "one\n"), (1, "two"), (2, "too late")]).await;
    bed.put("g", "t", &[(0, "three")]).await;
    let created = bed.ok("CreateExportTask", task(&bed, json!({"taskName": "n"}))).await;
    let id = created["taskId"].clone();
    let found = ended(&bed, &id).await;
    assert_eq!(found["status"], json!({"code": "COMPLETED"}));
    assert_eq!((&found["taskName"], &found["destinationPrefix"]), (&json!("n"), &json!("exportedlogs")));
    assert!(
        found["executionInfo"]["completionTime"].as_i64() >= found["executionInfo"]["creationTime"].as_i64()
    );
    let kept = bed.kept.lock().expect("no panic before").clone();
    let id = id.as_str().expect("an id");
    let keys: Vec<&str> = kept.iter().map(|file| file.key.as_str()).collect();
    let of = |stream: &str| format!("exportedlogs/{id}/{stream}/000000.gz");
    assert_eq!(keys, ["exportedlogs/aws-logs-write-test", &of("s-1"), &of("t")]);
    let mut text = String::new();
    GzDecoder::new(kept[1].content.as_slice()).read_to_string(&mut text).expect("gzip");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].ends_with("Z one") && lines[1].ends_with("Z two") && lines.len() == 2, "{text}");
    assert_eq!(lines[0].len(), "2025-11-23T12:00:00.123Z one".len());
    assert!(kept.iter().all(|file| file.bucket == "birds"));
    let over = refusal("InvalidOperationException", "The specified export task has already finished.");
    assert_eq!(bed.refused("CancelExportTask", json!({"taskId": id})).await, over);
    // What another process has left is taken up, and a cancelled task ends as such.
    for (left, after) in [("RUNNING", "COMPLETED"), ("PENDING_CANCEL", "CANCELLED")] {
        let key = pitbird_records::ExportTask::key_of(&Scope::default(), id);
        let status = serde_json::from_value(json!(left)).expect("a status");
        let leave = move |tx: &mut Transaction<'_>| {
            let mut task = tx.get::<pitbird_records::ExportTask>(&key)?.expect("a task").record;
            task.status = status;
            tx.put(&task).map(drop)
        };
        bed.state.store.write(leave).await.expect("written");
        let limit = refusal("LimitExceededException", "Resource limit exceeded.");
        assert_eq!(bed.refused("CreateExportTask", task(&bed, json!({}))).await, limit, "one at a time");
        crate::export::resume(&bed.state).expect("resumed");
        assert_eq!(ended(&bed, &json!(id)).await["status"]["code"], after);
    }
}

#[tokio::test]
async fn streams_of_one_folder_keep_their_files_apart() {
    let bed = bed_with_bucket().await;
    bed.stream("g", "s-1").await;
    bed.put("g", "s/1", &[(0, "of a slash")]).await;
    bed.put("g", "s-1", &[(0, "of a dash")]).await;
    let created = bed.ok("CreateExportTask", task(&bed, json!({}))).await;
    ended(&bed, &created["taskId"]).await;
    let kept = bed.kept.lock().expect("no panic before").clone();
    let id = created["taskId"].as_str().expect("an id");
    let of = |file: &str| format!("exportedlogs/{id}/s-1/{file}.gz");
    let keys: Vec<&str> = kept.iter().skip(1).map(|file| file.key.as_str()).collect();
    assert_eq!(keys, [of("000000"), of("000001")]);
}

#[tokio::test]
async fn the_servers_end_is_no_failure() {
    let bed = bed_with_bucket().await;
    bed.put("g", "t", &[(0, "one")]).await;
    let created = bed.ok("CreateExportTask", task(&bed, json!({}))).await;
    ended(&bed, &created["taskId"]).await;
    let id = created["taskId"].as_str().expect("an id");
    let key = pitbird_records::ExportTask::key_of(&Scope::default(), id);
    let record =
        bed.state.store.get::<pitbird_records::ExportTask>(&key).expect("read").expect("a task").record;
    bed.state.telemetry.close().await.expect("closed");
    crate::export::start(bed.state.clone(), record).await.expect("no panic");
    let found = bed.ok("DescribeExportTasks", json!({"taskId": id})).await;
    assert_eq!(found["exportTasks"][0]["status"]["code"], "RUNNING", "the next start takes it up");
}

#[tokio::test]
async fn a_task_that_can_t_be_is_refused() {
    let bed = bed_with_bucket().await;
    let none = bed.ok("DescribeExportTasks", json!({"taskId": "none"})).await;
    assert_eq!(none, json!({"exportTasks": []}));
    for (more, refused) in [
        (json!({"logGroupName": "h"}), no_group()),
        (
            json!({"destination": "nowhere"}),
            bad("The given bucket does not exist. Please make sure the bucket is valid."),
        ),
        (json!({"to": 0}), bad("The from time must be before the to time.")),
    ] {
        assert_eq!(bed.refused("CreateExportTask", task(&bed, more)).await, refused);
    }
    let none = refusal("ResourceNotFoundException", "The specified export task does not exist.");
    assert_eq!(bed.refused("CancelExportTask", json!({"taskId": "none"})).await, none);
}
