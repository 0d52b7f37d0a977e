use super::*;

const LAYER: &str = "arn:aws:lambda:us-east-1:000000000000:layer:tools";

pub fn layer(name: &str, content: &str, more: Json) -> Json {
    with(json!({"LayerName": name, "Content": {"ZipFile": zip(content)}}), more)
}

fn arns(shown: &Json) -> Vec<String> {
    let layers = shown["Layers"].as_array().map_or(&[][..], Vec::as_slice);
    layers.iter().map(|layer| text(&layer["Arn"])).collect()
}

async fn set(bed: &Bed, layers: &[&str]) -> Result<Json, Refusal> {
    let answer = bed.run("UpdateFunctionConfiguration", json!({"FunctionName": "f", "Layers": layers})).await;
    bed.state.finish().await;
    answer
}

#[tokio::test]
async fn versions_are_published_read_listed_and_deleted() {
    let bed = Bed::new().await;
    let said = json!({
        "Description": "first", "CompatibleRuntimes": ["python3.11"], "LicenseInfo": "MIT",
        "CompatibleArchitectures": ["x86_64"],
    });
    let (status, first) =
        bed.told("PublishLayerVersion", layer("tools", "one", said)).await.expect("published");
    assert_eq!(status, 201);
    assert_eq!(first["Content"]["CodeSha256"], "dpLDrTVAu4A8Ags67mbNiIcSMjTqDG5xQ8Ct1z/0Me0=");
    let (mut shown, content) = (first.clone(), first["Content"].clone());
    shown.as_object_mut().expect("an object").retain(|name, _| name != "Content" && name != "CreatedDate");
    let expected = json!({
        "LayerArn": LAYER, "LayerVersionArn": format!("{LAYER}:1"), "Version": 1, "Description": "first",
        "CompatibleRuntimes": ["python3.11"], "LicenseInfo": "MIT", "CompatibleArchitectures": ["x86_64"],
    });
    assert_eq!(shown, expected);
    assert_eq!(content["CodeSize"], 3);
    let place = "http://localhost:4566/_pitbird/code/us-east-1/000000000000/layers/tools/";
    assert!(text(&content["Location"]).starts_with(place), "{content}");

    bed.ok("PublishLayerVersion", layer("tools", "two", json!({}))).await;
    bed.ok("PublishLayerVersion", layer("other", "three", json!({"CompatibleRuntimes": ["nodejs20.x"]})))
        .await;
    let placeless = |mut version: Json| {
        version["Content"].as_object_mut().expect("an object").remove("Location").expect("a place");
        version
    };
    let first = placeless(first);
    let read = bed.ok("GetLayerVersion", json!({"LayerName": LAYER, "VersionNumber": 1})).await;
    assert_eq!(placeless(read), first);
    let read = bed.ok("GetLayerVersionByArn", json!({"Arn": format!("{LAYER}:1")})).await;
    assert_eq!(placeless(read), first);

    let numbers = |list: &Json| -> Vec<u64> {
        let versions = list["LayerVersions"].as_array().expect("a list");
        versions.iter().filter_map(|version| version["Version"].as_u64()).collect()
    };
    let page = bed.ok("ListLayerVersions", json!({"LayerName": "tools", "MaxItems": 1})).await;
    assert_eq!(numbers(&page), [2], "the newest first");
    let more = json!({"LayerName": "tools", "Marker": page["NextMarker"]});
    assert_eq!(numbers(&bed.ok("ListLayerVersions", more).await), [1]);
    let python = json!({"LayerName": "tools", "CompatibleRuntime": "python3.11"});
    assert_eq!(numbers(&bed.ok("ListLayerVersions", python).await), [1]);
    assert_eq!(numbers(&bed.ok("ListLayerVersions", json!({"LayerName": "none"})).await), [0; 0]);

    let latest = |list: &Json| -> Vec<(String, u64)> {
        let layers = list["Layers"].as_array().expect("a list");
        let item = |layer: &Json| {
            (text(&layer["LayerName"]), layer["LatestMatchingVersion"]["Version"].as_u64().expect("a number"))
        };
        layers.iter().map(item).collect()
    };
    let (tools, other) = ("tools".to_owned(), "other".to_owned());
    assert_eq!(latest(&bed.ok("ListLayers", json!({})).await), [(other.clone(), 1), (tools.clone(), 2)]);
    let python = bed.ok("ListLayers", json!({"CompatibleRuntime": "python3.11"})).await;
    assert_eq!(latest(&python), [(tools, 1)]);

    for version in [1, 2, 2] {
        let gone =
            bed.told("DeleteLayerVersion", json!({"LayerName": "tools", "VersionNumber": version})).await;
        assert_eq!(gone, Ok((204, Json::Null)), "also what is gone already");
    }
    assert_eq!(latest(&bed.ok("ListLayers", json!({})).await), [(other, 1)]);
    let third = bed.ok("PublishLayerVersion", layer("tools", "one", json!({}))).await;
    assert_eq!(third["Version"], 3, "numbers are never used again");
}

#[tokio::test]
async fn what_names_no_layer_is_said_to_be_none() {
    let bed = Bed::new().await;
    bed.ok("PublishLayerVersion", layer("tools", "one", json!({}))).await;
    let absent = missing("The resource you requested does not exist.");
    for (name, number) in [("tools", 2), ("none", 1)] {
        let input = json!({"LayerName": name, "VersionNumber": number});
        assert_eq!(bed.refused("GetLayerVersion", input).await, absent);
    }
    for operation in ["GetLayerVersion", "DeleteLayerVersion"] {
        let refused = bed.refused(operation, json!({"LayerName": "tools", "VersionNumber": 0})).await;
        assert_eq!(refused, invalid("Layer Version Cannot be less than 1."));
    }
    let foreign = LAYER.replace("000000000000", "111111111111");
    let refused = bed.refused("GetLayerVersionByArn", json!({"Arn": format!("{foreign}:1")})).await;
    let words = format!(
        "User: arn:aws:iam::000000000000:root is not authorized to perform: lambda:GetLayerVersion on resource: \
         {foreign}:1 because no resource-based policy allows the lambda:GetLayerVersion action"
    );
    assert_eq!(refused, refusal(403, "AccessDeniedException", words));
    let refused = bed.refused("GetLayerVersionByArn", json!({"Arn": LAYER})).await;
    assert!(refused.message.contains("at 'arn' failed to satisfy constraint"), "{refused:?}");
    assert_eq!(
        bed.refused("PublishLayerVersion", json!({"LayerName": "tools", "Content": {}})).await,
        invalid("Please provide a source for function code.")
    );
    assert_eq!(
        bed.refused("PublishLayerVersion", layer("tools", "bad", json!({}))).await,
        invalid("Could not unzip uploaded file. Please check your file, then try to upload again.")
    );
}

#[tokio::test]
async fn a_function_has_its_layers_in_order_and_keeps_those_that_are_deleted() {
    let bed = Bed::new().await;
    for (name, content) in [("tools", "one"), ("tools", "two"), ("other", "three")] {
        bed.ok("PublishLayerVersion", layer(name, content, json!({}))).await;
    }
    let (tools, other) = (format!("{LAYER}:2"), LAYER.replace("tools", "other:1"));
    let created = bed.ok("CreateFunction", with(function("f"), json!({"Layers": [tools, other]}))).await;
    bed.state.finish().await;
    assert_eq!(arns(&created), [tools.clone(), other.clone()]);
    assert_eq!(created["Layers"][0]["CodeSize"], 3);
    let served = bed.served().settings.layers;
    assert_eq!(
        served.iter().map(|layer| layer.arn.clone()).collect::<Vec<_>>(),
        [tools.clone(), other.clone()]
    );
    bed.ok("PublishVersion", json!({"FunctionName": "f"})).await;
    bed.ok("DeleteLayerVersion", json!({"LayerName": "tools", "VersionNumber": 2})).await;
    let described = json!({"FunctionName": "f", "Description": "other"});
    assert_eq!(arns(&bed.ok("UpdateFunctionConfiguration", described).await), [tools.clone(), other.clone()]);
    bed.state.finish().await;

    let changed = set(&bed, &[&format!("{LAYER}:1")]).await.expect("changed");
    assert_eq!(arns(&changed), [format!("{LAYER}:1")]);
    assert_eq!(set(&bed, &[]).await.expect("changed").get("Layers"), None, "none is no member");
    assert_eq!(arns(&bed.configuration("1").await), [tools, other], "a version stays as it was published");
}

#[tokio::test]
async fn layers_that_no_function_can_have_are_refused() {
    let bed = Bed::new().await;
    bed.create("f").await;
    for name in ["a", "b", "c", "d", "e", "g"] {
        bed.ok("PublishLayerVersion", layer(name, "one", json!({}))).await;
    }
    bed.ok("PublishLayerVersion", layer("a", "two", json!({}))).await;
    let arn = |name: &str| LAYER.replace("tools", name);
    let all: Vec<String> = ["a:1", "b:1", "c:1", "d:1", "e:1", "g:1"].map(arn).to_vec();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    let refused = async |layers: &[&str]| set(&bed, layers).await.expect_err("it was not refused");
    assert_eq!(refused(&all).await, invalid("Cannot reference more than 5 layers."));
    let absent = arn("a:7");
    assert_eq!(refused(&[&absent]).await, invalid(format!("Layer version {absent} does not exist.")));
    let (one, two) = (arn("a:1"), arn("a:2"));
    let words = format!(
        "Two different versions of the same layer are not allowed to be referenced in the same function. {one} and \
         {two} are versions of the same layer."
    );
    assert_eq!(refused(&[&one, &two]).await, invalid(words));
    let elsewhere = one.replace("us-east-1", "eu-west-1");
    let words =
        "Layers are not in the same region as the function. Layers are expected to be in region us-east-1.";
    assert_eq!(refused(&[&elsewhere]).await, invalid(words));
    let foreign = one.replace("000000000000", "111111111111");
    assert_eq!(refused(&[&foreign]).await.code, "AccessDeniedException");
    let nameless = refused(&["layer"]).await;
    assert!(
        nameless.message.contains("Value '[layer]' at 'layers' failed to satisfy constraint"),
        "{nameless:?}"
    );
    assert_eq!(arns(&bed.configuration("$LATEST").await), [""; 0], "nothing was set");
}

#[tokio::test]
async fn code_and_layers_fit_together_or_not_at_all() {
    let bed = Bed::new().await;
    bed.create("f").await;
    for name in ["a", "b"] {
        bed.ok("PublishLayerVersion", layer(name, "large", json!({}))).await;
    }
    let (a, b) = (LAYER.replace("tools", "a:1"), LAYER.replace("tools", "b:1"));
    let too_much = set(&bed, &[&a, &b]).await.expect_err("it was not refused");
    assert_eq!(too_much, invalid("Layers consume more than the available size of 262144000 bytes"));
    set(&bed, &[&a]).await.expect("one fits");
    let words = "Function code combined with layers exceeds the maximum allowed size of 262144000 bytes. The actual size \
                 is 300000000 bytes.";
    let large = json!({"FunctionName": "f", "ZipFile": zip("large")});
    assert_eq!(bed.refused("UpdateFunctionCode", large.clone()).await, invalid(words));
    let dry = with(large, json!({"DryRun": true}));
    assert_eq!(bed.refused("UpdateFunctionCode", dry).await, invalid(words));
    let create = with(function("g"), json!({"Code": {"ZipFile": zip("large")}, "Layers": [a]}));
    assert_eq!(bed.refused("CreateFunction", create).await, invalid(words));
}

#[tokio::test]
async fn layers_are_for_runtimes_that_there_are() {
    let bed = Bed::new().await;
    bed.ok("PublishLayerVersion", layer("tools", "one", json!({"CompatibleRuntimes": ["go1.x"]}))).await;
    let one = "Value 'cobol' at 'compatibleRuntime' failed to satisfy constraint: Member must satisfy enum value set: [";
    let all = "Value '[java21, cobol]' at 'compatibleRuntimes' failed to satisfy constraint: Member must satisfy \
               constraint: [Member must satisfy enum value set: [";
    for (operation, input, words) in [
        (
            "PublishLayerVersion",
            layer("tools", "two", json!({"CompatibleRuntimes": ["java21", "cobol"]})),
            all,
        ),
        ("ListLayers", json!({"CompatibleRuntime": "cobol"}), one),
        ("ListLayerVersions", json!({"LayerName": "tools", "CompatibleRuntime": "cobol"}), one),
    ] {
        let refused = bed.refused(operation, input).await;
        assert_eq!(refused.code, "ValidationException");
        let words = format!("1 validation error detected: {words}");
        assert!(refused.message.starts_with(&words) && refused.message.contains("java21, "), "{refused:?}");
    }
}
