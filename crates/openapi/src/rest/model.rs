//! Models: a document's schemas, and those that its bodies write themselves.

use std::collections::{BTreeMap, BTreeSet};

use pitbird_records::{Model, RestApi};
use serde_json::Value;

use super::Picture;
use crate::document::{Document, Form, Schema, Texts};
use crate::schema::{document_part, link, relink};
use crate::text;

/// The models of an API as a document is laid over it.
pub struct Models<'p> {
    over: &'p [Model],
    api: RestApi,
    form: Form,
    by_name: BTreeMap<String, Model>,
    described: BTreeSet<String>,
}

impl<'p> Models<'p> {
    /// With those that the document names.
    pub fn new(
        document: &Document,
        over: &'p Picture,
        picture: &mut Picture,
        fresh_id: &mut dyn FnMut(usize) -> String,
    ) -> Models<'p> {
        let kept = std::mem::take(&mut picture.models).into_iter();
        let mut models = Models {
            over: &over.models,
            api: picture.api.clone(),
            form: document.form,
            by_name: kept.map(|model| (model.name.clone(), model)).collect(),
            described: BTreeSet::new(),
        };
        for (name, schema) in &document.schemas {
            models.put(name, schema, fresh_id);
        }
        models
    }

    /// Model names by media type.
    pub fn names(&mut self, bodies: &[(String, Schema)], fresh_id: &mut dyn FnMut(usize) -> String) -> Texts {
        let mut names = Texts::new();
        for (media, schema) in bodies {
            let name = match schema {
                Schema::Named(name) => name.clone(),
                Schema::Inline(schema) => self.inline(schema, fresh_id),
            };
            names.insert(media.clone(), name);
        }
        names
    }

    /// Puts all of them into the picture, and answers the names of those that the document describes.
    pub fn store(self, picture: &mut Picture) -> BTreeSet<String> {
        picture.models = self.by_name.into_values().collect();
        self.described
    }

    /// Same schemas have one model, and the same one each time the document comes.
    fn inline(&mut self, schema: &Value, fresh_id: &mut dyn FnMut(usize) -> String) -> String {
        let mut hash = fnv(schema.to_string().as_bytes());
        loop {
            let name = format!("MODEL{:06x}", hash & 0xff_ffff);
            let written = self.linked(&name, schema);
            match self.by_name.get(&name) {
                Some(model) if !says(model, &written) => hash = hash.rotate_right(11).wrapping_add(1),
                Some(_) => {
                    self.described.insert(name.clone());
                    return name;
                }
                None => {
                    self.put(&name, schema, fresh_id);
                    return name;
                }
            }
        }
    }

    fn put(&mut self, name: &str, schema: &Value, fresh_id: &mut dyn FnMut(usize) -> String) {
        let schema = self.linked(name, schema);
        let known = self.over.iter().find(|model| model.name == name);
        let model = match known {
            Some(known) if says(known, &schema) => known.clone(),
            known => Model {
                scope: self.api.scope.clone(),
                api_id: self.api.id.clone(),
                id: known.map_or_else(|| fresh_id(6), |known| known.id.clone()),
                name: name.to_owned(),
                description: known.and_then(|known| known.description.clone()),
                schema: Some(text::to_json(&schema)),
                content_type: "application/json".to_owned(),
            },
        };
        self.by_name.insert(name.to_owned(), model);
        self.described.insert(name.to_owned());
    }

    /// A model's schema, whose references to the document's schemas lead to the API's models, and those to its own parts to these.
    fn linked(&self, own: &str, schema: &Value) -> Value {
        relink(schema, &mut |reference| {
            Some(match document_part(reference, self.form) {
                Some((name, "")) => link(&self.api.id, name),
                Some((name, part)) if name == own => format!("#{part}"),
                Some((name, part)) => format!("{}#{part}", link(&self.api.id, name)),
                None => reference.to_owned(),
            })
        })
    }
}

fn says(model: &Model, schema: &Value) -> bool {
    let own = model.schema.as_deref().and_then(|own| serde_json::from_str::<Value>(own).ok());
    own.is_some_and(|own| own == *schema)
}

/// FNV-1a: names needn't be secret, only the same each time.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
