use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pitbird_plot::Color;

use super::*;

/// A picture's width, height and pixels.
struct Picture(usize, usize, Vec<u8>);

impl Picture {
    async fn of(bed: &Bed, widget: Json) -> Picture {
        let answer = bed.ok("GetMetricWidgetImage", json!({"MetricWidget": widget.to_string()})).await;
        let png = STANDARD.decode(answer["MetricWidgetImage"].as_str().expect("a text")).expect("base64");
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("a size")];
        let info = reader.next_frame(&mut pixels).expect("a picture");
        Picture(info.width as usize, info.height as usize, pixels)
    }

    /// The places of a colour's pixels.
    fn places(&self, color: &Color) -> Vec<(usize, usize)> {
        let is = |pixel: &[u8]| pixel[..3] == [color.0, color.1, color.2];
        let pixels = self.2.chunks_exact(4).enumerate().filter(|(_, pixel)| is(pixel));
        pixels.map(|(place, _)| (place % self.0, place / self.0)).collect()
    }
}

const RED: Color = Color(255, 0, 0);
const GREEN: Color = Color(0, 255, 0);

async fn filled() -> Bed {
    let bed = Bed::new();
    for (minute, value) in [(10, 0.0), (9, 8.0), (8, 8.0), (7, 2.0)] {
        bed.put(-minute * MINUTE, value).await;
    }
    bed
}

fn widget(more: Json) -> Json {
    let whole = json!({
        "start": "-PT10M", "period": 60, "legend": {"position": "hidden"}, "yAxis": {"left": {"min": 0, "max": 10}},
        "metrics": [["N", "m", "d", "x", {"color": "#ff0000", "stat": "Sum"}]],
    });
    with(&whole, more)
}

#[tokio::test]
async fn a_widget_is_drawn_from_what_was_put() {
    let bed = filled().await;
    let Picture(width, height, _) = Picture::of(&bed, json!({"metrics": [["N", "m", "d", "x"]]})).await;
    assert_eq!((width, height), (600, 400));
    let picture = Picture::of(&bed, widget(json!({"width": 300, "height": 200}))).await;
    assert_eq!((picture.0, picture.1), (300, 200));
    let places = picture.places(&RED);
    let (highest, lowest) =
        (places.iter().map(|place| place.1).min(), places.iter().map(|place| place.1).max());
    let (highest, lowest) = (highest.expect("a line"), lowest.expect("a line"));
    let leftmost = places.iter().map(|place| place.0).min().expect("a line");
    // From 0, at the left and at the bottom, up to 8 of 10, and to the third minute of ten.
    let bottom = places.iter().filter(|place| place.1 + 3 > lowest).map(|place| place.0).min();
    assert_eq!(bottom, Some(leftmost));
    let rightmost = places.iter().map(|place| place.0).max().expect("a line");
    assert!((60..110).contains(&(rightmost - leftmost)), "{leftmost} {rightmost}");
    assert!(lowest - highest > 100 && highest > 20, "{highest} {lowest}");
}

#[tokio::test]
async fn expressions_shorthand_and_hidden_rows_are_heeded() {
    let bed = filled().await;
    let metrics = json!([
        ["N", "m", "d", "x", {"id": "m1", "visible": false, "color": "#0000ff", "stat": "Sum"}],
        ["...", "y"],
        [{"expression": "m1 / 2", "color": "#ff0000", "label": "half"}],
        [".", ".", ".", "x", {"color": "#00ff00", "stat": "Sum", "yAxis": "right"}],
    ]);
    let picture = Picture::of(&bed, widget(json!({"metrics": metrics}))).await;
    let top = |color: &Color| picture.places(color).iter().map(|place| place.1).min();
    assert_eq!(top(&Color(0, 0, 255)), None);
    assert!(top(&RED).expect("half") > top(&GREEN).expect("the whole"));
}

#[tokio::test]
async fn every_view_and_annotation_is_drawn() {
    let bed = filled().await;
    for view in ["timeSeries", "singleValue", "bar", "pie"] {
        for stacked in [false, true] {
            let picture =
                Picture::of(&bed, widget(json!({"view": view, "stacked": stacked, "title": "t"}))).await;
            assert!(picture.places(&RED).len() > 20, "{view}");
        }
    }
    let annotations = json!({
        "horizontal": [{"value": 5, "color": "#00ff00", "label": "five", "fill": "above"}, [{"value": 1}, {"value": 2}]],
        "vertical": [{"value": "-PT5M", "color": "#0000ff", "fill": "after"}, {"value": "-PT5M", "color": "#00ffff", "visible": false}],
    });
    let picture = Picture::of(&bed, widget(json!({"annotations": annotations}))).await;
    let line = picture.places(&GREEN);
    assert!(line.len() > 300 && picture.places(&Color(0, 0, 255)).len() > 200);
    assert_eq!(picture.places(&Color(0, 255, 255)), []);
}

#[tokio::test]
async fn the_newest_minute_is_live_data() {
    let bed = Bed::new();
    bed.put(0, 5.0).await;
    let widget = |live: bool| widget(json!({"view": "singleValue", "liveData": live, "end": "PT1M"}));
    let (live, whole) = (Picture::of(&bed, widget(true)).await, Picture::of(&bed, widget(false)).await);
    assert_ne!(live.2, whole.2);
}

#[tokio::test]
async fn what_can_t_be_drawn_is_refused_by_name() {
    let bed = filled().await;
    let refused = async |more: Json| {
        bed.refused("GetMetricWidgetImage", json!({"MetricWidget": widget(more).to_string()})).await
    };
    for (more, name) in [
        (json!({"view": "gauge"}), "MetricWidget.view gauge"),
        (json!({"sparkline": true}), "MetricWidget.sparkline"),
        (json!({"theme": "dark"}), "MetricWidget.theme other than light"),
        (json!({"yAxis": {"left": {"showUnits": true}}}), "MetricWidget.yAxis.left.showUnits"),
        (json!({"annotations": {"alarms": ["a"]}}), "MetricWidget.annotations.alarms"),
        (json!({"region": "eu-west-1"}), "MetricWidget.region of another region"),
        (
            json!({"metrics": [["N", "m", {"region": "eu-west-1"}]]}),
            "MetricWidget.metrics[0].region of another region",
        ),
        (json!({"metrics": [["N", "m", {"bandColor": "x"}]]}), "MetricWidget.metrics[0].bandColor"),
        (
            json!({"metrics": [["N", "m", {"accountId": "1"}]]}),
            "MetricWidget.metrics[0].accountId of another account",
        ),
    ] {
        assert_eq!(refused(more).await, unsupported(name));
    }
    let input = json!({"MetricWidget": "{}", "OutputFormat": "image/png"});
    assert_eq!(bed.refused("GetMetricWidgetImage", input).await, unsupported("OutputFormat image/png"));
    for (more, words) in [
        (json!({"width": 2001}), "The value 2001 for parameter MetricWidget.width is invalid."),
        (json!({"height": 0}), "The value 0 for parameter MetricWidget.height is invalid."),
        (json!({"start": "soon"}), "The value soon for parameter MetricWidget.start is invalid."),
        (json!({"start": "PT1H"}), "The parameter StartTime must be less than the parameter EndTime."),
        (json!({"timezone": "CET"}), "The value CET for parameter LabelOptions.Timezone is invalid."),
        (
            json!({"legend": {"position": "top"}}),
            "The value top for parameter MetricWidget.legend.position is invalid.",
        ),
        (
            json!({"yAxis": {"left": {"min": 1, "max": 1}}}),
            "The value 1 for parameter MetricWidget.yAxis.left.min is invalid.",
        ),
        (
            json!({"metrics": [["N", "m", {"color": "red"}]]}),
            "The value red for parameter MetricWidget.metrics[0].color is invalid.",
        ),
        (
            json!({"metrics": [["N", "m", {"stat": "Most"}]]}),
            "The value Most for parameter MetricDataQueries.member.1.MetricStat.Stat is invalid.",
        ),
        (
            json!({"metrics": vec![json!(["N", "m"]); 501]}),
            "The collection MetricWidget.metrics must not have a size greater than 500.",
        ),
        (
            json!({"annotations": {"horizontal": vec![json!({"value": 1}); 501]}}),
            "The collection MetricWidget.annotations.horizontal must not have a size greater than 500.",
        ),
    ] {
        assert_eq!(refused(more).await, invalid(words));
    }
    for text in ["", "[]", "{", "1"] {
        let refused = bed.refused("GetMetricWidgetImage", json!({"MetricWidget": text})).await;
        assert_eq!(refused, invalid("The parameter MetricWidget must be a valid JSON object."));
    }
    for metrics in
        [json!({}), json!([1]), json!([[]]), json!([["N"]]), json!([["N", 1]]), json!([[".", "m"]])]
    {
        assert!(refused(json!({"metrics": metrics})).await.message.contains("has to be an array of array"));
    }
}
