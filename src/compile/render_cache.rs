//! What the hosts of a role have in common: templates that do not read `host` are rendered once.
//!
//! Most hosts of a role have the same facts and variables, and most templates read nothing else
//! but the murder. In a large murder this saves most of the rendering.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tera::{Context, Value};

use crate::diagnostic::Diagnostic;
use crate::module::Engine;
use crate::name::RoleName;
use crate::state::Facts;

/// So many different caches of one role are kept. Where every host has facts or variables
/// of its own there is nothing to share, and looking for it must not cost.
const KEPT: usize = 16;

/// Everything that a role's templates see beside `host`, and what came of it so far.
#[derive(Debug)]
pub(super) struct RenderCache {
    facts: Facts,
    vars: Value,
    /// `murder`, `facts` and `vars`.
    pub context: Context,
    rendered: RwLock<BTreeMap<String, String>>,
}

/// The caches of a run. The order in which hosts come decides what is remembered, never what is
/// rendered.
#[derive(Debug, Default)]
pub(super) struct RenderCaches(RwLock<BTreeMap<RoleName, Vec<Arc<RenderCache>>>>);

impl RenderCaches {
    /// The cache of a role for these facts and variables; `make` gives the context of a new one.
    pub(super) fn get(
        &self,
        role: &RoleName,
        facts: &Facts,
        vars: Value,
        make: impl FnOnce(&Value) -> Context,
    ) -> Arc<RenderCache> {
        let same = |cache: &&Arc<RenderCache>| cache.facts == *facts && cache.vars == vars;
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let of_role = known.get(role);
        if let Some(cache) = of_role.into_iter().flatten().find(same) {
            return Arc::clone(cache);
        }
        let room = of_role.is_none_or(|caches| caches.len() < KEPT);
        drop(known);
        let cache = Arc::new(RenderCache {
            facts: facts.clone(),
            context: make(&vars),
            vars,
            rendered: RwLock::default(),
        });
        if room {
            let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
            known
                .entry(role.clone())
                .or_default()
                .push(Arc::clone(&cache));
        }
        cache
    }
}

impl RenderCache {
    /// Renders a template: by what is common to hosts where it reads nothing else, or with `own`.
    pub(super) fn render(
        &self,
        engine: &Engine,
        name: &str,
        own: &Context,
    ) -> Result<String, Diagnostic> {
        if engine.reads_host(name) {
            return engine.render(name, own);
        }
        let known = self.rendered.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known.get(name) {
            return Ok(text.clone());
        }
        drop(known);
        let text = engine.render(name, &self.context)?;
        let mut known = self
            .rendered
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), text.clone());
        Ok(text)
    }
}
