//! What reading has found so far.

use std::sync::Arc;

use disklayout::Naming;

use super::place::Place;
use super::problem::Problem;

/// What is wrong with the values of a file, and how what is made of them is called.
#[derive(Debug, Default)]
pub struct Findings {
    /// What is wrong.
    pub errors: Vec<Problem>,
    /// What is doubtful but does no harm.
    pub warnings: Vec<Problem>,
    naming: Option<Arc<dyn Naming>>,
}

impl Findings {
    /// Nothing yet, of a file whose objects `naming` names.
    pub fn with(naming: Arc<dyn Naming>) -> Self {
        Self {
            naming: Some(naming),
            ..Self::default()
        }
    }

    /// Records an error at `place`.
    pub fn refuse<T>(&mut self, place: &Place, message: impl Into<String>) -> Option<T> {
        self.errors.push(Problem::new(place.clone(), message));
        None
    }

    /// Records a warning at `place`.
    pub fn warn(&mut self, place: &Place, message: impl Into<String>) {
        self.warnings.push(Problem::new(place.clone(), message));
    }

    /// The value of `result`, or an error at `place`.
    pub fn check<T>(&mut self, place: &Place, result: Result<T, String>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(message) => self.refuse(place, message),
        }
    }

    /// The place of an object for those who know neither files nor keys.
    pub fn named(&self, place: &Place) -> disklayout::Place {
        match &self.naming {
            Some(naming) => disklayout::Place::new(&place.path, Arc::clone(naming)),
            None => place.to_string().into(),
        }
    }
}
