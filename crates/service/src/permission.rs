/// What somebody's own policies say of what he asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission {
    Allowed,
    /// Whatever others say: a denial outweighs all.
    Denied,
    /// Nothing. He mayn't, unless the policy of what he asks for lets him.
    NotMentioned,
}

impl Permission {
    /// What is said of two things that both are asked for.
    pub fn and(self, other: Permission) -> Permission {
        match (self, other) {
            (Permission::Denied, _) | (_, Permission::Denied) => Permission::Denied,
            (Permission::Allowed, Permission::Allowed) => Permission::Allowed,
            _ => Permission::NotMentioned,
        }
    }
}
