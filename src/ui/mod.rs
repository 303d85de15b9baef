//! placeholder until it lands
