//! Ports by the names of `/etc/services` that scripts use.

const PORTS: [(&str, u16); 58] = [
    ("auth", 113),
    ("bgp", 179),
    ("bootpc", 68),
    ("bootps", 67),
    ("cvspserver", 2401),
    ("dhcpv6-client", 546),
    ("dhcpv6-server", 547),
    ("domain", 53),
    ("epmap", 135),
    ("finger", 79),
    ("ftp", 21),
    ("ftp-data", 20),
    ("git", 9418),
    ("http", 80),
    ("http-alt", 8080),
    ("https", 443),
    ("ident", 113),
    ("imap", 143),
    ("imap2", 143),
    ("imaps", 993),
    ("ipp", 631),
    ("irc", 194),
    ("ircd", 6667),
    ("isakmp", 500),
    ("kerberos", 88),
    ("ldap", 389),
    ("ldaps", 636),
    ("loc-srv", 135),
    ("mdns", 5353),
    ("microsoft-ds", 445),
    ("ms-sql-s", 1433),
    ("mysql", 3306),
    ("netbios-dgm", 138),
    ("netbios-ns", 137),
    ("netbios-ssn", 139),
    ("nfs", 2049),
    ("nntp", 119),
    ("ntp", 123),
    ("openvpn", 1194),
    ("pop3", 110),
    ("pop3s", 995),
    ("postgresql", 5432),
    ("printer", 515),
    ("rsync", 873),
    ("sip", 5060),
    ("smtp", 25),
    ("smtps", 465),
    ("snmp", 161),
    ("snmp-trap", 162),
    ("snmptrap", 162),
    ("ssh", 22),
    ("submission", 587),
    ("sunrpc", 111),
    ("syslog", 514),
    ("telnet", 23),
    ("tftp", 69),
    ("webcache", 8080),
    ("www", 80),
];

/// A list of ports with names as one of numbers; a name that is not known stays.
pub(super) fn ports(list: &str) -> String {
    let each = |ports: &str| ports.split(':').map(port).collect::<Vec<_>>().join(":");
    list.split(',').map(each).collect::<Vec<_>>().join(",")
}

fn port(word: &str) -> String {
    match PORTS.iter().find(|(name, _)| *name == word) {
        Some((_, number)) => number.to_string(),
        None => word.to_owned(),
    }
}
