use super::*;

/// Ends a service as a crash would, and starts another on the same data.
async fn restart(bed: Bed) -> Bed {
    let Bed { service, state, store, stand, directory, .. } = bed;
    drop((service, state, stand, store));
    // Tasks that were cut off still hold the store until the runtime has dropped them.
    let store = loop {
        match Store::open(directory.path()) {
            Ok(store) => break store,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    Bed::on(store, directory, Semaphore::MAX_PERMITS)
}

#[tokio::test]
async fn what_was_pending_becomes_active_after_a_restart() {
    let bed = Bed::preparing(0).await;
    bed.ok("CreateFunction", with(function("f"), json!({"Publish": true}))).await;
    let bed = restart(bed).await;
    bed.state.finish().await;
    for qualifier in ["$LATEST", "1"] {
        assert_eq!(bed.configuration(qualifier).await["State"], "Active");
    }
}

#[tokio::test]
async fn an_update_in_progress_is_finished_after_a_restart() {
    let bed = Bed::preparing(1).await;
    bed.create("f").await;
    let updated = bed.ok("UpdateFunctionCode", json!({"FunctionName": "f", "ZipFile": zip("two")})).await;
    let bed = restart(bed).await;
    bed.state.finish().await;
    let after = bed.configuration("$LATEST").await;
    assert_eq!(
        (&after["LastUpdateStatus"], &after["CodeSha256"]),
        (&json!("Successful"), &updated["CodeSha256"])
    );
}
