use super::*;

fn invalid(message: &str) -> Refusal {
    Refusal { status: 400, code: "InvalidParameterValueException".to_owned(), message: message.to_owned() }
}

#[tokio::test]
async fn a_source_that_is_not_here_is_refused_by_name() {
    let bed = Bed::new().await;
    bed.create("f").await;
    let create = async |function: &str, source: Json| {
        let input = with(json!({"FunctionName": function, "BatchSize": 10, "Enabled": true}), source);
        bed.refused("CreateEventSourceMapping", input).await
    };
    let queue = json!({"EventSourceArn": "arn:aws:sqs:us-east-1:000000000000:q"});
    assert_eq!(create("f", queue.clone()).await, unsupported("An event source of sqs"));
    assert_eq!(create("g", queue).await, invalid("Function does not exist"));
    let other = json!({"EventSourceArn": "arn:aws:s3:::bucket"});
    assert_eq!(create("f", other).await, invalid("Unrecognized event source."));
    assert_eq!(create("f", json!({})).await, unsupported("An event source outside AWS"));
}

#[tokio::test]
async fn there_are_no_mappings() {
    let bed = Bed::new().await;
    bed.create("f").await;
    let listed = bed.ok("ListEventSourceMappings", json!({"FunctionName": "f"})).await;
    assert_eq!(listed, json!({"EventSourceMappings": []}));
    let one = json!({"UUID": "a1b2c3d4-5678-90ab-cdef-11111EXAMPLE"});
    let absent = missing("The resource you requested does not exist.");
    for operation in ["GetEventSourceMapping", "DeleteEventSourceMapping"] {
        assert_eq!(bed.refused(operation, one.clone()).await, absent, "{operation}");
    }
    let changed = with(one, json!({"BatchSize": 5, "FunctionName": "f"}));
    assert_eq!(bed.refused("UpdateEventSourceMapping", changed).await, absent);
}
