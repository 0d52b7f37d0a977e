//! pitbird's own service: starts, shows and executes rollouts.
