//! What a service is: operations, caller, fault, registry.
