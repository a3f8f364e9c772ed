//! The screens.
//!
//! [`update`] takes the model and a message and says what is to be done outside; [`view`] draws the
//! model. Neither reads a file, a clock or the environment, so whole sessions replay in tests. One
//! runtime ([`run`]) owns the terminal and the threads, and reaches the machine through [`Machine`]
//! only, which the layer that starts the screens provides.

pub mod ascii;
pub mod availability;
pub mod commands;
pub mod layout;
pub mod model;
mod msg;
pub mod popups;
mod port;
mod runtime;
pub mod screens;
mod settings;
pub mod theme;
mod update;
mod view;
pub mod widgets;

pub use model::Model;
pub use msg::{Effect, Msg};
pub use port::{ApplyRequest, Cancel, Changes, Depth, Knock, Machine, Neighbour, Restored, Seen, Started, Stops};
pub use runtime::{Options, Outcome, Start, run};
pub use settings::Settings;
pub use update::update;
pub use view::view;
