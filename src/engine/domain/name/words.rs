//! Which words a container is named with when nobody named it.
//! Words are short, plain and kind; the grammar of names is in the parent module.

const ADJECTIVES: [&str; 72] = [
    "able", "amber", "azure", "balmy", "bold", "brave", "breezy", "bright", "brisk", "calm", "candid", "cheerful",
    "clear", "clever", "coastal", "cobalt", "copper", "coral", "cosy", "crisp", "dapper", "daring", "deft", "eager",
    "early", "fair", "fleet", "fresh", "gentle", "gilded", "glad", "golden", "grand", "hardy", "hearty", "honest",
    "jolly", "keen", "kind", "lively", "lucky", "mellow", "merry", "mild", "misty", "neat", "nimble", "noble",
    "pearly", "placid", "plucky", "polar", "proud", "quick", "quiet", "ready", "salty", "sandy", "serene", "silver",
    "sleek", "snug", "spry", "steady", "sturdy", "sunny", "swift", "tidal", "trim", "trusty", "warm", "windy",
];

const NOUNS: [&str; 80] = [
    "albatross",
    "anchor",
    "atoll",
    "barge",
    "bay",
    "beacon",
    "bell",
    "bollard",
    "bow",
    "breaker",
    "brig",
    "buoy",
    "cabin",
    "canoe",
    "captain",
    "catamaran",
    "channel",
    "clipper",
    "cod",
    "compass",
    "cove",
    "crane",
    "crab",
    "current",
    "cutter",
    "deck",
    "delta",
    "dinghy",
    "dock",
    "dolphin",
    "ferry",
    "fjord",
    "flag",
    "fleet",
    "galley",
    "gannet",
    "gull",
    "harbour",
    "hawser",
    "heron",
    "herring",
    "island",
    "jetty",
    "kayak",
    "keel",
    "ketch",
    "lagoon",
    "lantern",
    "lighthouse",
    "lobster",
    "mariner",
    "marina",
    "mast",
    "mooring",
    "narwhal",
    "oar",
    "osprey",
    "otter",
    "oyster",
    "pelican",
    "petrel",
    "pier",
    "pilot",
    "porpoise",
    "puffin",
    "quay",
    "raft",
    "reef",
    "rudder",
    "sail",
    "schooner",
    "seal",
    "sextant",
    "skiff",
    "sloop",
    "tern",
    "tide",
    "trawler",
    "tugboat",
    "walrus",
];

/// `adjective_noun`; neighbouring seeds give unlike pairs.
pub(super) fn pair(seed: u64) -> String {
    // splitmix64's finish spreads every bit of the seed over the whole word.
    let mut bits = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    format!("{}_{}", pick(&ADJECTIVES, bits & 0xffff_ffff), pick(&NOUNS, bits >> 32))
}

fn pick(words: &[&'static str], draw: u64) -> &'static str {
    let at = draw % words.len() as u64;
    words.iter().copied().nth(usize::try_from(at).unwrap_or(0)).unwrap_or("harbour")
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_word_stands_twice() {
        assert_eq!(ADJECTIVES.iter().collect::<HashSet<_>>().len(), ADJECTIVES.len());
        assert_eq!(NOUNS.iter().collect::<HashSet<_>>().len(), NOUNS.len());
    }

    #[test]
    fn neighbouring_seeds_rarely_clash() {
        let names: HashSet<String> = (0..100).map(pair).collect();
        assert!(names.len() > 95, "{}", names.len());
    }
}
