use proptest::prelude::*;

use super::*;

fn one(text: &str) -> IpSet {
    let mut sets = parse(text);
    assert_eq!(sets.len(), 1, "{sets:?}");
    sets.remove(0)
}

fn ip(text: &str) -> u128 {
    crate::core::netfilter::number(text.parse().unwrap())
}

#[test]
fn addresses_and_networks_are_ranges() {
    let set = one(
        "create a hash:net family inet hashsize 1024 maxelem 65536 bucketsize 12 initval 0x1\n\
        add a 10.0.0.0/8 timeout 299\nadd a 10.1.0.0/16 nomatch\nadd a 192.0.2.7 comment \"nomatch at all\"\n",
    );
    assert_eq!((set.family, set.unknown), (Some(Family::Ipv4), None));
    let found: Vec<_> = set
        .elements
        .iter()
        .map(|element| (element.key[0].clone(), element.is_exception))
        .collect();
    assert_eq!(
        found,
        [
            (Part::Range(ip("10.0.0.0"), ip("10.255.255.255")), false),
            (Part::Range(ip("10.1.0.0"), ip("10.1.255.255")), true),
            (Part::number(ip("192.0.2.7")), false),
        ]
    );
    let six = one("create s hash:ip family inet6 hashsize 64 maxelem 9 netmask 64\nadd s 2001:db8::\n");
    assert_eq!(six.family, Some(Family::Ipv6));
    assert_eq!(
        six.elements[0].key,
        [Part::Range(ip("2001:db8::"), ip("2001:db8::ffff:ffff:ffff:ffff"))]
    );
    let range = one("create b bitmap:ip range 192.0.2.0-192.0.2.255\nadd b 192.0.2.9\n");
    assert_eq!(range.elements[0].key, [Part::number(ip("192.0.2.9"))]);
}

#[test]
fn ports_come_with_their_protocol() {
    let set = one("create p hash:ip,port,net family inet hashsize 64 maxelem 9\n\
        add p 192.0.2.1,tcp:80,198.51.100.0/24\nadd p 192.0.2.1,udplite:53,0.0.0.0/0\nadd p 192.0.2.1,icmp:8/0,0.0.0.0/0\n");
    assert_eq!(set.unknown, None);
    assert_eq!(set.elements[0].key[1..3], [Part::number(6), Part::number(80)]);
    assert_eq!(set.elements[1].key[1..3], [Part::number(136), Part::number(53)]);
    assert_eq!(set.elements[2].key[1], Part::number(1));
    let resolved = of_family(&[set], Family::Ipv4);
    let Some(Asked::Key(key)) = condition(&resolved[0], "src,dst,dst", Family::Ipv4) else {
        panic!("it is of this family");
    };
    assert_eq!(key.len(), resolved[0].set.elements[0].key.len());
    assert_eq!(condition(&resolved[0], "src,dst", Family::Ipv4), Some(Asked::Nothing));
    assert_eq!(condition(&resolved[0], "src,sideways,dst", Family::Ipv4), None);
    let bitmap = one("create b bitmap:port range 0-1024\nadd b 22\n");
    assert_eq!(bitmap.elements[0].key, [Part::number(22)]);
    assert_eq!(bitmap.family, None);
}

#[test]
fn interfaces_may_be_wildcards() {
    let set = one("create i hash:net,iface family inet hashsize 64 maxelem 9\n\
        add i 10.0.0.0/8,eth0\nadd i 0.0.0.0/0,veth wildcard\n");
    assert_eq!(set.elements[0].key[1], Part::Name(Pattern::exact("eth0")));
    assert_eq!(set.elements[1].key[1], Part::Name(Pattern::parse("veth*", '*')));
    let resolved = of_family(&[set], Family::Ipv4);
    let key = vec![Field::Address(Family::Ipv4, End::Source), Field::InInterface];
    assert_eq!(condition(&resolved[0], "src,src", Family::Ipv4), Some(Asked::Key(key)));
    let port = one("create i hash:net,iface family inet hashsize 64 maxelem 9\nadd i 10.0.0.0/8,physdev:eth0\n");
    assert!(port.unknown.is_some());
}

#[test]
fn what_is_not_understood_makes_the_set_unknown() {
    for text in [
        "create m hash:mac hashsize 64\nadd m 00:11:22:33:44:55\n",
        "create m hash:tomorrow hashsize 64\nadd m x\n",
        "create m hash:ip family inet bitmask 255.0.0.255\nadd m 10.0.0.1\n",
        "create m hash:ip family inet\nadd m 10.0.0.1,80\n",
        "create m hash:ip family inet\nadd m 2001:db8::1\n",
        "create m hash:net family inet\nadd m 10.0.0.0/8\nadd m 10.1.0.0/16 nomatch\nadd m 10.1.1.0/24\n",
        "create m hash:ip family inet\nadd other 10.0.0.1\n",
        "create m hash:ip family inet\nwhat is this\n",
    ] {
        assert!(one(text).unknown.is_some(), "{text}");
    }
    assert_eq!(
        one("create m hash:mac hashsize 64\n").unknown,
        None,
        "an empty one holds nothing"
    );
}

#[test]
fn lists_are_what_their_sets_hold() {
    let text = "create a hash:ip family inet\nadd a 192.0.2.1\ncreate b hash:ip family inet\nadd b 192.0.2.2\n\
        create c hash:ip family inet6\nadd c 2001:db8::1\ncreate l list:set size 8\nadd l a\nadd l b\nadd l c\n";
    let sets = parse(text);
    let list = |sets: &[IpSet], family| of_family(sets, family).pop().unwrap();
    let four = list(&sets, Family::Ipv4);
    assert_eq!((four.set.elements.len(), four.set.unknown.clone()), (2, None));
    assert_eq!(four.kinds, Some(vec![Kind::Address]));
    assert_eq!(list(&sets, Family::Ipv6).set.elements.len(), 1);
    let mixed = parse(&format!(
        "create n hash:ip,port family inet\nadd n 192.0.2.1,tcp:1\n{text}add l n\n"
    ));
    let mixed = list(&mixed, Family::Ipv4);
    assert!(mixed.set.unknown.is_some());
    assert!(matches!(condition(&mixed, "src", Family::Ipv4), Some(Asked::Key(_))));
    let empty = list(&parse("create l list:set size 8\n"), Family::Ipv4);
    assert_eq!(condition(&empty, "src", Family::Ipv4), Some(Asked::Nothing));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "((create|add) [a-c] [!-~]{0,12} ?[ -~]{0,16}\n){0,8}") {
        let sets = parse(&text);
        for family in Family::ALL {
            for set in of_family(&sets, family) {
                drop(condition(&set, "src,dst,dst", family));
            }
        }
    }
}
