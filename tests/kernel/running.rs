//! Running connections live through everything fwtui does.

use fwtui::app::sandbox::Neighbour;
use fwtui::core::listener::Family;

use crate::harness::{Lab, in_sandbox};
use crate::machine::policy;
use crate::sessions::Session;

/// Sessions in both families, idle until asked.
fn sessions(lab: &Lab, from: Neighbour) -> [Session; 2] {
    Family::ALL.map(|family| Session::open(lab, from, family, 8080))
}

fn all_work(sessions: &mut [Session], when: &str) {
    for session in sessions {
        assert!(session.works(), "cut {when}");
    }
}

#[test]
fn an_idle_session_survives_the_very_first_apply_and_its_revert() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        // Nothing has made the kernel track connections yet, and nobody speaks before the client.
        let mut idle = sessions(lab, Neighbour::Public);
        let mut later = sessions(lab, Neighbour::Trusted);
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["apply", "--yes"]);
        assert!(lab.refuses(Neighbour::Public, 8080), "new ones are refused");
        all_work(&mut idle, "by the first apply");
        lab.does(&["revert"]);
        all_work(&mut idle, "by the revert");
        all_work(&mut later, "while idle over an apply and a revert");
    });
}

#[test]
fn a_session_survives_what_conntrack_forgets() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        let mut before = sessions(lab, Neighbour::Public);
        lab.keep(&policy(&[("8080/tcp", "open")]));
        let mut since = sessions(lab, Neighbour::Stranger);
        lab.does(&["set", "8080/tcp", "confine"]);
        lab.does(&["apply", "--yes"]);
        lab.run(&["conntrack", "-F"]);
        all_work(&mut before, "by a flush of conntrack");
        all_work(&mut since, "by a flush of conntrack");
        lab.run(&["conntrack", "-F"]);
        lab.does(&["revert"]);
        all_work(&mut before, "by a revert");
        all_work(&mut since, "by a revert");
        // Out for good, with nothing known of the connections.
        lab.does(&["off", "--yes"]);
        lab.run(&["conntrack", "-F"]);
        all_work(&mut before, "by taking the rules out");
    });
}

#[test]
fn a_session_survives_where_conntrack_takes_up_nothing_in_the_middle() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        std::fs::write("/proc/sys/net/netfilter/nf_conntrack_tcp_loose", "0").unwrap();
        let mut idle = sessions(lab, Neighbour::Public);
        lab.does(&["apply", "--yes"]);
        all_work(&mut idle, "by the first apply, without tcp_loose");
        lab.run(&["conntrack", "-F"]);
        all_work(&mut idle, "by a flush of conntrack, without tcp_loose");
        assert!(lab.refuses(Neighbour::Public, 8080));
    });
}

#[test]
fn a_session_through_iptables_legacy_survives_as_well() {
    in_sandbox(|lab| {
        lab.listen_everywhere(8080);
        lab.use_legacy();
        let mut idle = sessions(lab, Neighbour::Public);
        lab.does(&["apply", "--yes"]);
        assert!(lab.refuses(Neighbour::Public, 8080));
        all_work(&mut idle, "by the first apply");
        lab.run(&["conntrack", "-F"]);
        all_work(&mut idle, "by a flush of conntrack");
        assert_eq!(lab.json(&["status", "--json"])["state"], "trial");
        lab.does(&["revert"]);
        all_work(&mut idle, "by the revert");
    });
}
