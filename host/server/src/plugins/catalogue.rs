//! All panels and tools of the loaded plugins, by name. Nothing comes out without a decision of the matrix.

use std::collections::BTreeMap;
use std::sync::Arc;

use chm_access::{Allowed, Caller, Denial, Matrix, Permission, PluginId, Posture, near_names};
use chm_sandbox::Plugin;
use chm_sandbox::bindings::panels::Shape;

use super::BUNDLED;
use super::action::Action;
use super::panel::{Panel, Unfit, unfit};
use super::tool::Tool;

/// Something that only a caller with the right may have.
#[derive(Debug)]
pub struct Gated<T> {
    permission: Permission,
    item: Arc<T>,
}

impl<T> Clone for Gated<T> {
    fn clone(&self) -> Self {
        Self { permission: self.permission.clone(), item: self.item.clone() }
    }
}

impl<T> Gated<T> {
    fn new(permission: Permission, item: T) -> Self {
        Self { permission, item: Arc::new(item) }
    }

    /// What it needs.
    #[must_use]
    pub fn permission(&self) -> &Permission {
        &self.permission
    }

    /// Opens it for a caller.
    ///
    /// # Errors
    /// The matrix's denial.
    pub fn open(&self, matrix: &Matrix, caller: &Caller, posture: Posture) -> Result<(Arc<T>, Allowed), Denial> {
        matrix.decide(caller, &self.permission, posture).map(|allowed| (self.item.clone(), allowed))
    }

    /// For generating documents, which name what exists without running it.
    #[must_use]
    pub fn for_documentation(&self) -> &T {
        &self.item
    }
}

/// No such name; with names like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What was asked for.
    pub name: String,
    /// Names like it, nearest first.
    pub near: Vec<String>,
}

/// Panels, charts and tools by the name clients use.
#[derive(Debug, Default, Clone)]
pub struct Catalogue {
    tables: BTreeMap<String, Gated<Panel>>,
    charts: BTreeMap<String, Gated<Panel>>,
    counters: BTreeMap<String, Gated<Panel>>,
    cluster_counters: BTreeMap<String, Gated<Panel>>,
    tools: BTreeMap<String, Gated<Tool>>,
    actions: BTreeMap<String, Gated<Action>>,
}

impl Catalogue {
    /// Enters everything a plugin described, or nothing of it.
    ///
    /// # Errors
    /// When a description is not acceptable, or a name is taken.
    pub fn enter(&mut self, plugin: &Arc<Plugin>) -> Result<(), Unfit> {
        let mut next = self.clone();
        for described in &plugin.described().panels {
            let name = public_name(plugin.id(), &described.id);
            let panel = Panel::new(plugin.clone(), name.clone(), described.clone())?;
            let shelf = match described.shape {
                Shape::Table => &mut next.tables,
                Shape::Chart => &mut next.charts,
                Shape::Counter => &mut next.counters,
                Shape::ClusterCounter => &mut next.cluster_counters,
            };
            if shelf.contains_key(&name) {
                return Err(unfit("panel", &described.id, format!("the name `{name}` is described twice")));
            }
            shelf.insert(name, Gated::new(panel.permission.clone(), panel));
        }
        for described in &plugin.described().tools {
            let name = public_name(plugin.id(), &described.name);
            let tool = Tool::new(plugin.clone(), name.clone(), described.clone())?;
            if next.tools.contains_key(&name) {
                return Err(unfit("tool", &described.name, format!("the name `{name}` is described twice")));
            }
            next.tools.insert(name, Gated::new(tool.permission.clone(), tool));
        }
        for described in &plugin.described().actions {
            let name = public_name(plugin.id(), &described.name);
            let action = Action::new(plugin.clone(), name.clone(), described.clone())?;
            if next.actions.contains_key(&name) {
                return Err(unfit("action", &described.name, format!("the name `{name}` is described twice")));
            }
            next.actions.insert(name, Gated::new(Action::permission(), action));
        }
        *self = next;
        Ok(())
    }

    /// A table panel.
    ///
    /// # Errors
    /// Names like it.
    pub fn table(&self, name: &str) -> Result<&Gated<Panel>, Unknown> {
        find(&self.tables, name)
    }

    /// A chart.
    ///
    /// # Errors
    /// Names like it.
    pub fn chart(&self, name: &str) -> Result<&Gated<Panel>, Unknown> {
        find(&self.charts, name)
    }

    /// A number beside a menu entry.
    ///
    /// # Errors
    /// Names like it.
    pub fn counter(&self, name: &str) -> Result<&Gated<Panel>, Unknown> {
        find(&self.counters, name)
    }

    /// A number about a whole cluster.
    ///
    /// # Errors
    /// Names like it.
    pub fn cluster_counter(&self, name: &str) -> Result<&Gated<Panel>, Unknown> {
        find(&self.cluster_counters, name)
    }

    /// A tool.
    ///
    /// # Errors
    /// Names like it.
    pub fn tool(&self, name: &str) -> Result<&Gated<Tool>, Unknown> {
        find(&self.tools, name)
    }

    /// An action.
    ///
    /// # Errors
    /// Names like it.
    pub fn action(&self, name: &str) -> Result<&Gated<Action>, Unknown> {
        find(&self.actions, name)
    }

    /// All actions, by name.
    pub fn actions(&self) -> impl Iterator<Item = (&str, &Gated<Action>)> {
        self.actions.iter().map(|(name, action)| (name.as_str(), action))
    }

    /// All table panels, by name.
    pub fn tables(&self) -> impl Iterator<Item = (&str, &Gated<Panel>)> {
        self.tables.iter().map(|(name, panel)| (name.as_str(), panel))
    }

    /// All charts, by name.
    pub fn charts(&self) -> impl Iterator<Item = (&str, &Gated<Panel>)> {
        self.charts.iter().map(|(name, panel)| (name.as_str(), panel))
    }

    /// All panels of every shape, for what is said about them without running one.
    pub fn panels(&self) -> impl Iterator<Item = &Panel> {
        let shelves = [&self.tables, &self.charts, &self.counters, &self.cluster_counters];
        shelves.into_iter().flat_map(BTreeMap::values).map(Gated::for_documentation)
    }

    /// All counters, by name.
    pub fn counters(&self) -> impl Iterator<Item = (&str, &Gated<Panel>)> {
        self.counters.iter().map(|(name, panel)| (name.as_str(), panel))
    }

    /// All counters of clusters, by name.
    pub fn cluster_counters(&self) -> impl Iterator<Item = (&str, &Gated<Panel>)> {
        self.cluster_counters.iter().map(|(name, panel)| (name.as_str(), panel))
    }

    /// All tools, by name.
    pub fn tools(&self) -> impl Iterator<Item = (&str, &Gated<Tool>)> {
        self.tools.iter().map(|(name, tool)| (name.as_str(), tool))
    }

    /// Features of the plugins' own that something in here uses.
    #[must_use]
    pub fn plugin_features(&self) -> Vec<PluginId> {
        let panels = [&self.tables, &self.charts, &self.counters, &self.cluster_counters];
        let panels = panels.into_iter().flat_map(BTreeMap::values).map(Gated::permission);
        let mut ids: Vec<PluginId> = panels
            .chain(self.tools.values().map(Gated::permission))
            .filter_map(|permission| match &permission.feature {
                chm_access::FeatureId::Plugin(id) => Some(id.clone()),
                chm_access::FeatureId::Builtin(_) => None,
            })
            .collect();
        ids.sort();
        ids.dedup();
        ids
    }
}

fn public_name(plugin: &str, id: &str) -> String {
    if BUNDLED.contains(&plugin) { id.to_owned() } else { format!("{plugin}.{id}") }
}

fn find<'c, T>(shelf: &'c BTreeMap<String, Gated<T>>, name: &str) -> Result<&'c Gated<T>, Unknown> {
    shelf.get(name).ok_or_else(|| Unknown {
        name: name.chars().take(64).collect(),
        near: near_names(name, shelf.keys().map(String::as_str)).into_iter().map(str::to_owned).collect(),
    })
}
