//! What is not there, and how to get it.

use std::path::Path;

use crate::app::error::{Error, Kind};
use crate::sys::netns::NetnsError;
use crate::sys::runner::find_program;

/// A package manager: its program, how it installs, and its names for iproute2 and iptables.
struct Manager {
    program: &'static str,
    install: &'static str,
    iproute: &'static str,
    iptables: &'static str,
}

const MANAGERS: [Manager; 5] = [
    Manager {
        program: "apt-get",
        install: "sudo apt install",
        iproute: "iproute2",
        iptables: "iptables",
    },
    Manager {
        program: "dnf",
        install: "sudo dnf install",
        iproute: "iproute",
        iptables: "iptables-nft",
    },
    Manager {
        program: "pacman",
        install: "sudo pacman -S",
        iproute: "iproute2",
        iptables: "iptables",
    },
    Manager {
        program: "zypper",
        install: "sudo zypper install",
        iproute: "iproute2",
        iptables: "iptables",
    },
    Manager {
        program: "apk",
        install: "sudo apk add",
        iproute: "iproute2",
        iptables: "iptables",
    },
];

/// The programs the sandbox does not work without.
pub(super) fn check_programs() -> Result<(), Error> {
    check(&|program| find_program(Path::new(program)).is_some())
}

fn check(is_installed: &dyn Fn(&str) -> bool) -> Result<(), Error> {
    for program in ["ip", "iptables-restore", "ip6tables-restore"] {
        if is_installed(program) {
            continue;
        }
        let present: Vec<_> = MANAGERS
            .iter()
            .filter(|manager| is_installed(manager.program))
            .collect();
        // Where no manager is known, the usual three serve as examples.
        let named = if present.is_empty() {
            MANAGERS.iter().take(3).collect()
        } else {
            present
        };
        let commands: Vec<_> = named
            .into_iter()
            .map(|manager| {
                let package = if program == "ip" {
                    manager.iproute
                } else {
                    manager.iptables
                };
                format!("{} {package}", manager.install)
            })
            .collect();
        return Err(Error::failed(format!(
            "the sandbox needs the program '{program}', which is not installed"
        ))
        .hint(format!("Install it: {}", commands.join("   or   "))));
    }
    Ok(())
}

/// An error of the kernel's, with the way out.
pub(super) fn explain(error: NetnsError) -> Error {
    let message = format!("there is no sandbox to be had: {error}");
    match error {
        NetnsError::Forbidden {
            restriction: Some(restriction),
            ..
        } => Error::new(Kind::NotPermitted, message)
            .hint(format!("Allow it until the next boot: {}", restriction.remedy))
            .hint("Or run it as root: sudo fwtui sandbox"),
        NetnsError::Forbidden { restriction: None, .. } => Error::new(Kind::NotPermitted, message)
            .hint("Run it as root: sudo fwtui sandbox")
            .hint("In a container, start that with more rights: docker run --privileged"),
        NetnsError::Step { .. } => Error::failed(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::netns::Restriction;

    #[test]
    fn a_missing_program_comes_with_its_package() {
        let error = check(&|program| program != "ip" && program != "apt-get" && program != "pacman").unwrap_err();
        assert!(error.message.contains("'ip'"), "{error}");
        assert_eq!(
            error.hints,
            ["Install it: sudo dnf install iproute   or   sudo zypper install iproute2   or   sudo apk add iproute2"]
        );
        let error = check(&|program| program == "ip").unwrap_err();
        assert!(error.message.contains("'iptables-restore'"), "{error}");
        for command in ["apt install iptables", "dnf install iptables-nft", "pacman -S iptables"] {
            assert!(error.hints[0].contains(command), "{error:?}");
        }
        assert!(check(&|_| true).is_ok());
    }

    #[test]
    fn a_forbidden_namespace_comes_with_the_setting_and_the_remedy() {
        let error = explain(NetnsError::Forbidden {
            restriction: Some(Restriction {
                file: "/proc/sys/user/max_user_namespaces",
                value: "0".into(),
                remedy: "sudo sysctl user.max_user_namespaces=10000",
            }),
            source: std::io::Error::other("x"),
        });
        assert_eq!(error.kind, Kind::NotPermitted);
        assert!(
            error.message.ends_with("/proc/sys/user/max_user_namespaces is 0"),
            "{error}"
        );
        assert_eq!(
            error.hints,
            [
                "Allow it until the next boot: sudo sysctl user.max_user_namespaces=10000",
                "Or run it as root: sudo fwtui sandbox"
            ]
        );
    }
}
