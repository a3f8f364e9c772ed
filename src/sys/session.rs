//! stub
use crate::core::{listener::Listener, network::Interface, service::Ownership, way_in::WayIn};
/// stub
pub fn ways_in(_l: &[Listener], _o: &Ownership, _i: &[Interface], _s: Option<&str>) -> Vec<WayIn> {
    vec![]
}
