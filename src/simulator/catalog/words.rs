//! The words that invented names are made of. Within a list no two begin with the same two letters,
//! which keeps tickers distinct.

/// First names begin so …
pub(super) const FIRST_SYLLABLES: [&str; 20] = [
    "Ar", "Bel", "Cor", "Dav", "El", "Fen", "Gar", "Hal", "Ish", "Jor", "Kel", "Lor", "Mar", "Nor",
    "Or", "Per", "Rav", "Sel", "Tor", "Vel",
];
/// … and end so.
pub(super) const LAST_SYLLABLES: [&str; 10] = [
    "an", "eth", "ian", "ka", "mir", "ora", "ric", "sa", "tin", "ya",
];
/// Family names.
pub(super) const SURNAMES: [&str; 30] = [
    "Ashford",
    "Baal",
    "Castellan",
    "Draven",
    "Eskari",
    "Falk",
    "Grimm",
    "Hakaari",
    "Ivarsson",
    "Jenko",
    "Kador",
    "Lantas",
    "Morrow",
    "Nakamura",
    "Ossian",
    "Petrov",
    "Quill",
    "Raske",
    "Sarum",
    "Tash",
    "Ulgren",
    "Vance",
    "Wolfe",
    "Xenakis",
    "Yulai",
    "Zaphod",
    "Oriel",
    "Mekhan",
    "Tarn",
    "Vhane",
];
/// First words of corporations.
pub(super) const ADJECTIVES: [&str; 20] = [
    "Amber", "Broken", "Crimson", "Deep", "Eternal", "Frozen", "Golden", "Hollow", "Iron", "Jaded",
    "Kindred", "Lost", "Midnight", "Northern", "Obsidian", "Pale", "Quiet", "Rusted", "Silent",
    "Tidal",
];
/// Last words of corporations.
pub(super) const NOUNS: [&str; 20] = [
    "Anvil",
    "Beacon",
    "Cartel",
    "Dynasty",
    "Expedition",
    "Foundry",
    "Guild",
    "Horizon",
    "Industries",
    "Junction",
    "Krait",
    "Lantern",
    "Mining Corp",
    "Nomads",
    "Outpost",
    "Pioneers",
    "Quarry",
    "Raiders",
    "Salvage",
    "Traders",
];
/// First words of alliances.
pub(super) const BANNERS: [&str; 10] = [
    "Azure",
    "Burning",
    "Celestial",
    "Dread",
    "Endless",
    "Forsaken",
    "Grand",
    "Hidden",
    "Imperial",
    "Joint",
];
/// Last words of alliances.
pub(super) const UNIONS: [&str; 6] = [
    "Coalition",
    "Dominion",
    "Federation",
    "League",
    "Syndicate",
    "Union",
];
