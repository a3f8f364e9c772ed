//! stub
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainFamily {
    Ip,
    Ip6,
    Inet,
    Netdev,
}
impl ChainFamily {
    pub const fn name(self) -> &'static str {
        ""
    }
}
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChainHook {
    Ingress,
    Prerouting,
    Input,
    Other,
}
#[derive(Debug, Clone)]
pub struct BaseChain {
    pub family: ChainFamily,
    pub table: String,
    pub name: String,
    pub hook: ChainHook,
    pub has_rules: bool,
    pub drops_by_policy: bool,
}
pub fn base_chains() -> std::io::Result<Vec<BaseChain>> {
    Ok(vec![])
}
