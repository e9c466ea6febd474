//! `plan`: shows what images would hold. Touches no file, and no network unless a relative release
//! has to be looked up.

pub(super) mod document;
pub(super) mod text;

use anyhow::{Result, bail};

use super::next_release::next_release;
use super::set::Uploads;
use super::{Context, answer};
use crate::engine::{self, Conditions, Decided, Planner};
use crate::image::{Image, InstallRecipe, Recipe};
use crate::status::Status;
use crate::virtinstall;

/// What is to be shown.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only these groups; all of them when empty.
    pub groups: Vec<String>,
    /// The next release; looked up when it isn't given and needed.
    pub next_release: Option<u64>,
}

/// What is known of one image.
#[derive(Debug)]
enum Planned {
    /// A layout with everything decided.
    Layout(Box<Decided>),
    /// An installation, of which only the recipe is known, and what was asked for instead.
    Install(Machine),
    /// Why there is no plan.
    Refused(anyhow::Error),
}

/// The virtual machine of an installation: what is asked for on the command line, or else by the
/// configuration.
#[derive(Clone, Copy, Debug)]
struct Machine {
    memory_mib: Option<u64>,
    cpus: Option<u64>,
}

impl Machine {
    fn new(recipe: &InstallRecipe, settings: &virtinstall::Settings) -> Self {
        Self {
            memory_mib: settings.memory_mib_of(recipe),
            cpus: settings.cpus_of(recipe),
        }
    }
}

/// Shows the plans, as text or as one JSON document.
///
/// # Errors
/// When there is no such group. An image that can't be planned is told in its place and by the
/// status.
pub fn run(context: &Context, options: &Options) -> Result<Status> {
    engine::start_common(context.settings.jobs())?;
    let images = images(context, options)?;
    let (find, registry) = (Uploads(&context.data), foreign::registry());
    // Without the network, an upload that isn't in the cache has no size yet.
    let planner = Planner::offline(&images, &find, &registry, &Conditions::from_environment()?);
    let plan = |image: &Image| match &image.recipe {
        Recipe::Install(recipe) => {
            Planned::Install(Machine::new(recipe, &context.settings.install))
        }
        Recipe::Layout(..) => match planner.decide(std::slice::from_ref(image)) {
            Ok(plan) => Planned::Layout(Box::new(plan)),
            Err(error) => Planned::Refused(error),
        },
    };
    let plans: Vec<_> = images.iter().map(plan).collect();
    let all: Vec<_> = images.iter().zip(&plans).collect();
    answer::print(&match context.settings.json {
        true => format!("{:#}\n", document::document(&all)),
        false => text::text(&all),
    })?;
    let is_refused = |plan: &Planned| matches!(plan, Planned::Refused(_));
    Ok(if plans.iter().any(is_refused) {
        Status::Failed
    } else {
        Status::Success
    })
}

/// The images of the wanted groups, in the order of the configuration. The releases of the other
/// groups aren't looked up.
fn images(context: &Context, options: &Options) -> Result<Vec<Image>> {
    for name in &options.groups {
        if context.config.group(name).is_none() {
            let known: Vec<_> = context.config.groups().map(|group| group.name()).collect();
            bail!("there is no group '{name}'; there are {}", known.join(", "));
        }
    }
    let is_wanted = |name: &String| options.groups.is_empty() || options.groups.contains(name);
    let mut config = context.config.clone();
    config.layouts.retain(|group| is_wanted(&group.name));
    config.installs.retain(|group| is_wanted(&group.name));
    let mut next = next_release(options.next_release, &config.distribution);
    config.images(&mut next)
}
