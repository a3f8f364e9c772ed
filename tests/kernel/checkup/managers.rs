//! Two tools that do not know of each other.

use fwtui::app::sandbox::{Knock, Neighbour};
use fwtui::core::listener::{Family, Protocol};

use super::{CLOSED, finds_id, finds_no};
use crate::docker::{Docker, PUBLISHED};
use crate::harness::in_sandbox;
use crate::machine::policy;
use crate::reach::settle_in;

/// Ufw refuses what it was not told of; what docker publishes never comes to its rules.
#[test]
fn what_docker_publishes_is_open_behind_ufw() {
    in_sandbox(|lab| {
        const ID: &str = "docker-bypasses-ufw";
        let fares = |port| Family::ALL.map(|family| lab.knock(Neighbour::Stranger, family, Protocol::Tcp, port));
        lab.listen_everywhere(CLOSED);
        settle_in(lab, "ufw");
        finds_no(lab, ID);
        let _docker = Docker::started(lab, "nft");
        assert_eq!(fares(CLOSED), [Knock::Silent; 2]);
        assert_eq!(fares(PUBLISHED), [Knock::Answered; 2]);
        finds_id(lab, ID);
        lab.keep(&policy(&[]));
        assert!(fares(PUBLISHED).iter().all(|knock| knock.is_refused()));
    });
}
