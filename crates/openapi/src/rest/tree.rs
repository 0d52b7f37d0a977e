//! The tree of resources that a document's paths make.

use std::collections::HashMap;

use pitbird_records::Resource;

use super::model::Models;
use super::{Laid, Mode, Options, Picture, bare, method};
use crate::document::{Document, segments};

/// The resources so far, by their paths.
struct Tree<'p> {
    over: HashMap<&'p str, &'p Resource>,
    places: HashMap<String, usize>,
    resources: Vec<Resource>,
    mode: Mode,
    resources_max: usize,
}

pub fn lay(
    document: &Document,
    over: &Picture,
    options: &Options,
    laid: &mut Laid,
    models: &mut Models<'_>,
    fresh_id: &mut dyn FnMut(usize) -> String,
) {
    let mut resources = std::mem::take(&mut laid.picture.resources);
    resources.sort_by_key(|resource| segments(&resource.path).count());
    let mut tree = Tree {
        over: over.resources.iter().map(|resource| (resource.path.as_str(), resource)).collect(),
        places: resources.iter().enumerate().map(|(at, it)| (it.path.clone(), at)).collect(),
        resources,
        mode: options.mode,
        resources_max: options.resources_max,
    };
    let base = options.base_path.of(&document.base_path);
    for path in &document.paths {
        let Some(at) = tree.grow(&format!("{base}{}", path.template), fresh_id) else {
            laid.is_full = true;
            break;
        };
        for operation in &path.operations {
            let resource = &tree.resources[at];
            let known = tree.over.get(resource.path.as_str()).and_then(|it| it.methods.get(&operation.verb));
            let known = known.filter(|_| options.mode == Mode::Merge);
            let made = method::lay(document, operation, known, resource, laid, models, fresh_id);
            if let Some(made) = made {
                tree.resources[at].methods.insert(operation.verb.clone(), made);
            }
        }
    }
    laid.picture.resources = tree.resources;
}

impl Tree<'_> {
    /// The resource at a path, made with all above it where there is none; `None` beyond the most that may be.
    fn grow(&mut self, template: &str, fresh_id: &mut dyn FnMut(usize) -> String) -> Option<usize> {
        let mut at = *self.places.get("/")?;
        let mut path = String::new();
        for segment in segments(template) {
            path.push('/');
            path.push_str(segment);
            at = match self.places.get(&path) {
                Some(known) => *known,
                None if self.resources.len() >= self.resources_max => return None,
                None => self.add(at, segment, path.clone(), fresh_id),
            };
        }
        Some(at)
    }

    fn add(
        &mut self,
        parent: usize,
        part: &str,
        path: String,
        fresh_id: &mut dyn FnMut(usize) -> String,
    ) -> usize {
        let parent = &self.resources[parent];
        let known = self.over.get(path.as_str()).filter(|_| self.mode == Mode::Overwrite);
        let resource = known.map_or_else(
            || Resource {
                scope: parent.scope.clone(),
                api_id: parent.api_id.clone(),
                id: fresh_id(6),
                parent_id: Some(parent.id.clone()),
                path_part: Some(part.to_owned()),
                path: path.clone(),
                methods: Default::default(),
            },
            |known| bare((*known).clone()),
        );
        self.places.insert(path, self.resources.len());
        self.resources.push(resource);
        self.resources.len() - 1
    }
}
