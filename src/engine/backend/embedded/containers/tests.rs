//! Do the verbs keep their promises, whole and cut at every step?
