//! Inputs and answers are what the model says.

use pitbird_prices::Quantity;
use pitbird_wire::Kind as Shape;

use super::bed::{Bed, model};

#[tokio::test]
async fn the_model_has_what_is_heeded_and_told() {
    let bed = Bed::open().await;
    let all: Vec<&str> = model().operations().iter().map(|operation| operation.name).collect();
    assert_eq!(bed.service.operations().collect::<Vec<_>>(), all, "every operation is written");
    let known = model().operation("GetUsage").unwrap();
    let members = |shape| model().members(shape).iter().map(|member| (member.name, member.reference.shape));
    for operation in model().operations() {
        let input: Vec<&str> = members(operation.input.unwrap()).map(|(name, _)| name).collect();
        let heeded = bed.service.input_members(operation.name).unwrap();
        let mut heeded: Vec<String> = heeded.into_iter().map(|member| member.path).collect();
        heeded.sort_by_key(|name| input.iter().position(|known| known == name));
        assert_eq!(heeded, input, "{}", operation.name);
    }
    let items = members(known.output.unwrap()).find(|(name, _)| *name == "Items").unwrap().1;
    let Shape::List { member: item, .. } = &model().shape(items).kind else { panic!("items are no list") };
    for (name, told) in [
        ("Quantity", Quantity::ALL.iter().map(|quantity| quantity.as_str()).collect::<Vec<_>>()),
        ("Unit", {
            let mut units: Vec<&str> = Vec::new();
            for quantity in Quantity::ALL {
                let unit = quantity.counted_in();
                if !units.contains(&unit) {
                    units.push(unit);
                }
            }
            units
        }),
    ] {
        let shape = members(item.shape).find(|(known, _)| *known == name).unwrap().1;
        assert_eq!(model().shape(shape).constraints.choices.to_vec(), told, "{name}");
    }
}
