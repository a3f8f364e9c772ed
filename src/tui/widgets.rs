//! Stateless pieces of screens.

pub mod alerts;
pub mod banner;
pub mod bars;
pub mod footer;
pub mod found;
pub mod proof;
pub mod rule;
pub mod symbols;
pub mod text;
