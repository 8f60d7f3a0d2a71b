//! Temporary.
#[derive(Debug, Clone)]
pub struct ClusterName(String);
impl ClusterName {
    pub fn new(name: &str) -> Result<Self, String> {
        Ok(Self(name.to_owned()))
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
