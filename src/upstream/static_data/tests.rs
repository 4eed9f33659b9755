use std::io::Write;
use std::path::{Path, PathBuf};

use rstest::rstest;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::{Error, ReferenceData, Result, read_files};

const TYPES: &str = "typeID,groupID,typeName,description,published,graphicID
0,0,#System,,0,None
587,25,Rifter,\"Fast, \"\"cheap\"\",
and loved.\",1,46
670,29,Capsule,,True,73.0
";
const GROUPS: &str =
    "groupID,categoryID,groupName,published\n25,6,Frigate,1\n29,6.0,Capsule,1\n0,0,#System,0\n";
const CATEGORIES: &str = "categoryID,categoryName,published\n6,Ship,1\n0,#System,0\n";
const SYSTEMS: &str = "regionID,constellationID,solarSystemID,solarSystemName,security
10000002,20000020,30000142,Jita,0.9459131360054016
NULL,21000076,31000001,J123456,-0.99
";
const CONSTELLATIONS: &str = "regionID,constellationID,constellationName
10000002,20000020,Kimotoro\n11000009,21000076,C-C00076\n";
const REGIONS: &str = "regionID,regionName\n10000002,The Forge\n11000009,C-R00009\n";
const CLASSES: &str = "locationID,wormholeClassID\n11000009,3\n20000020,7\n";

fn in_folder(files: &[(&str, Vec<u8>)]) -> Result<ReferenceData> {
    let folder = tempfile::tempdir().unwrap();
    let mut paths: Vec<PathBuf> = Vec::new();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        paths.push(path);
    }
    read_files(&paths)
}

/// The types table of the test in another form, with its groups and categories.
fn with_types(types: impl Into<Vec<u8>>) -> Result<ReferenceData> {
    in_folder(&[
        ("a.csv", types.into()),
        ("b.csv", GROUPS.into()),
        ("c.csv", CATEGORIES.into()),
    ])
}

/// The sentence with which it is refused, without the folder.
fn refusal(result: Result<ReferenceData>) -> String {
    let error = result.unwrap_err();
    assert!(!error.is_transient());
    assert!(matches!(error, Error::Refused { .. }), "{error:?}");
    let text = error.to_string();
    assert!(!text.contains('\n'), "one line: {text}");
    let place = text.split(':').next().unwrap_or_default();
    let name = place.rsplit('/').next().unwrap().to_owned();
    format!("{name}{}", text.strip_prefix(place).unwrap())
}

fn names(data: &ReferenceData) -> Vec<(i64, &str, &str, &str, bool)> {
    data.ship_types
        .iter()
        .map(|it| {
            let published = it.published;
            (
                it.type_id,
                &*it.name,
                &*it.group_name,
                &*it.category_name,
                published,
            )
        })
        .collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(text: &str) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

/// Every field quoted, a byte order mark, empty for null, carriage returns.
fn new_format() -> String {
    let rows = [
        [
            "\u{feff}\"isDynamicType\"",
            "typeName",
            "typeID",
            "groupID",
            "published",
            "description",
        ],
        ["", "Rifter", "587", "25", "1", "one\r\ntwo"],
        ["", "Capsule", "670", "29", "1", ""],
    ];
    rows.map(|row| {
        row.map(|cell| {
            if cell.starts_with('\u{feff}') {
                cell.to_owned()
            } else {
                format!("\"{cell}\"")
            }
        })
        .join(",")
    })
    .join("\r\n")
}

#[rstest]
#[case::old_format(TYPES.into())]
#[case::new_format_reordered(new_format().into())]
#[case::gzip(gzip(TYPES))]
#[case::bzip2(bzip2(TYPES))]
#[case::upper_case_header(TYPES.replacen("typeID,groupID", "TYPEID,GroupId", 1).into())]
#[case::no_optional_columns("typeID,groupID,typeName,published\n587,25,Rifter,1\n670,29,Capsule,1".into())]
#[case::the_same_row_again(format!("{TYPES}670,29,Capsule,,True,73\n").into())]
#[case::negative_id(format!("{TYPES}-5,29,Nothing,,1,1\n").into())]
fn loaded(#[case] types: Vec<u8>) {
    let data = with_types(types).unwrap();
    assert_eq!(
        names(&data),
        [
            (587, "Rifter", "Frigate", "Ship", true),
            (670, "Capsule", "Capsule", "Ship", true)
        ]
    );
}

#[rstest]
#[case::cut_in_quotes(TYPES.split_once("cheap").unwrap().0, "a.csv, line 3: a quoted cell does not end")]
#[case::cut_in_row(
    "typeID,groupID,typeName\n587,25",
    "a.csv, line 2: the row has 2 cells, the header has 3"
)]
#[case::bad_id(
    "typeID,groupID,typeName\n5x7,25,Rifter\n",
    "a.csv, line 2: typeID is \"5x7\", allowed is a whole number"
)]
#[case::fraction(
    "typeID,groupID,typeName\n5.5,25,Rifter\n",
    "a.csv, line 2: typeID is \"5.5\""
)]
#[case::no_id(
    "typeID,groupID,typeName\nNone,25,Rifter\n",
    "a.csv, line 2: typeID is empty"
)]
#[case::no_group(
    "typeID,groupID,typeName\n587,None,Rifter\n",
    "a.csv, line 2: type 587 has no groupID"
)]
#[case::published(
    "typeID,groupID,typeName,published\n1,2,x,maybe\n",
    "a.csv, line 2: published is \"maybe\""
)]
#[case::duplicate(
    "typeID,groupID,typeName\n1,2,x\n1,2,y\n",
    "a.csv, line 3: type 1 contradicts"
)]
#[case::web_page(
    "\n<!DOCTYPE html><title>Gone</title>",
    "a.csv: a web page instead of a table"
)]
#[case::other_table(
    "fromID,toID\n1,2\n",
    "a.csv: no table that is known: its first line begins with \"fromid\""
)]
#[case::empty("", "a.csv: the file is empty")]
#[case::header_only("typeID,groupID,typeName\n", "a.csv: it has no rows")]
fn refused(#[case] types: &str, #[case] expected: &str) {
    let text = refusal(with_types(types));
    assert!(text.starts_with(expected), "{text}");
}

#[rstest]
#[case::gzip(gzip(TYPES))]
#[case::bzip2(bzip2(TYPES))]
fn a_compressed_file_that_is_cut_off_is_refused(#[case] bytes: Vec<u8>) {
    let text = refusal(with_types(bytes[..bytes.len() - 9].to_vec()));
    assert!(text.contains("cut off or damaged"), "{text}");
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let text = refusal(with_types(
        b"typeID,groupID,typeName\n1,2,\xff\xfe\n".to_vec(),
    ));
    assert!(
        text.starts_with("a.csv, line 2: typeName is not UTF-8"),
        "{text}"
    );
}

#[test]
fn a_type_of_an_unknown_group_is_kept() {
    let data = with_types("typeID,groupID,typeName\n9,99,\n").unwrap();
    assert_eq!(names(&data), [(9, "Type 9", "Group 99", "#System", false)]);
    let text = refusal(in_folder(&[("a.csv", TYPES.into())]));
    assert!(text.contains("types without a table of groups"), "{text}");
}

#[test]
fn systems_inherit_region_and_class() {
    let files = [SYSTEMS, CONSTELLATIONS, REGIONS, CLASSES];
    let names = ["s.csv", "c.csv", "r.csv", "w.csv"];
    let files: Vec<(&str, Vec<u8>)> = names
        .into_iter()
        .zip(files.map(|text| text.as_bytes().to_vec()))
        .collect();
    let data = in_folder(&files).unwrap();
    let facts: Vec<_> = data
        .solar_systems
        .iter()
        .map(|it| {
            (
                it.solar_system_id,
                &*it.region_name,
                it.security_status,
                it.wormhole_class,
            )
        })
        .collect();
    assert_eq!(
        facts,
        [
            (30_000_142, "The Forge", 0.945_913_136_005_401_6, Some(7)),
            (31_000_001, "C-R00009", -0.99, Some(3))
        ]
    );
    let text = refusal(in_folder(&files[..1]));
    assert!(
        text.contains("systems without a table of constellations"),
        "{text}"
    );
}

#[test]
fn a_folder_may_hold_other_files() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("README.md", "# Tables");
    write("index.html", "<html>");
    let text = refusal(read_files(&[folder.path().to_owned()]));
    assert!(text.contains("the folder has no table"), "{text}");
    write("types.csv", TYPES);
    write("groups.csv", GROUPS);
    write("categories.csv", CATEGORIES);
    let data = read_files(&[folder.path().to_owned()]).unwrap();
    assert_eq!(
        (data.read.ship_types, data.read.groups, data.read.skipped),
        (2, 3, 1)
    );
    let missing = read_files(&[folder.path().join("none.csv")]).unwrap_err();
    assert!(matches!(missing, Error::Read { .. }), "{missing}");
}

const EXPORT: [(&str, &str); 9] = [
    ("_sde.jsonl", "{\"_key\":\"sde\",\"buildNumber\":3484357}\n"),
    (
        "types.jsonl",
        "{\"_key\":587,\"groupID\":25,\"name\":{\"de\":\"Rifter!\",\"en\":\"Rifter\"},\"published\":true,\"mass\":null}
{\"_key\":670,\"groupID\":29,\"name\":{\"en\":\"\",\"zh\":\"太空舱\"},\"published\":null}
{\"_key\":9,\"groupID\":77,\"name\":{}}\n",
    ),
    ("groups.jsonl", "{\"_key\":25,\"categoryID\":6,\"name\":{\"en\":\"Frigate\"}}\n{\"_key\":29,\"categoryID\":6,\"name\":null}\n"),
    ("categories.jsonl", "{\"_key\":6,\"name\":{\"en\":\"Ship\"}}\n"),
    ("mapSolarSystems.jsonl", "{\"_key\":31000001,\"name\":{\"en\":\"J1\"},\"constellationID\":21000076,\"regionID\":11000009,\"securityStatus\":-0.99,\"wormholeClassID\":null}\n"),
    ("mapConstellations.jsonl", "{\"_key\":21000076,\"name\":{\"en\":\"C-C\"},\"regionID\":11000009}\n"),
    ("mapRegions.jsonl", "{\"_key\":11000009,\"name\":{\"en\":\"C-R\"},\"wormholeClassID\":3}\n"),
    ("factions.jsonl", "{\"_key\":500001,\"name\":{\"en\":\"Caldari State\"}}\n"),
    ("npcCorporations.jsonl", "{\"_key\":1000002,\"name\":{\"en\":\"CBD Corporation\"},\"tickerName\":\"CBDC\"}\n"),
];

fn export(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in members {
        let options =
            SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        zip.start_file(*name, options).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn the_export_is_loaded() {
    let data = in_folder(&[("sde.zip", export(&EXPORT))]).unwrap();
    assert_eq!(
        names(&data),
        [
            (9, "Type 9", "Group 77", "Category 0", false),
            (587, "Rifter", "Frigate", "Ship", true),
            (670, "太空舱", "Group 29", "Ship", false)
        ]
    );
    assert_eq!(data.version.as_deref(), Some("3484357"));
    assert_eq!(data.solar_systems[0].wormhole_class, Some(3));
    let tickers: Vec<_> = data
        .names
        .iter()
        .map(|(key, it)| (key.id, it.ticker.as_deref()))
        .collect();
    assert_eq!(tickers, [(500_001, None), (1_000_002, Some("CBDC"))]);
    let files: Vec<(&str, Vec<u8>)> = EXPORT[1..]
        .iter()
        .map(|(name, text)| (*name, text.as_bytes().to_vec()))
        .collect();
    let unpacked = in_folder(&files).unwrap();
    assert_eq!(unpacked.ship_types, data.ship_types);
    assert_eq!(unpacked.solar_systems, data.solar_systems);
}

#[test]
fn a_damaged_export_is_refused() {
    let whole = export(&EXPORT);
    let cut = refusal(in_folder(&[("sde.zip", whole[..whole.len() / 2].to_vec())]));
    assert!(
        cut.starts_with("sde.zip: the zip is cut off or damaged"),
        "{cut}"
    );
    let mut flipped = whole;
    let middle = flipped.len() / 8;
    flipped[middle] ^= 0xff;
    let error = in_folder(&[("sde.zip", flipped)]).unwrap_err().to_string();
    assert!(
        error.contains("damaged") || error.contains("JSON"),
        "{error}"
    );
    let other = refusal(in_folder(&[("sde.zip", export(&[("types.yaml", "587:")]))]));
    assert!(other.contains("the zip has none of types.jsonl"), "{other}");
}

#[rstest]
#[case::cut(
    "{\"_key\":587,\"groupID\":25}\n{\"_key\":6",
    "line 2: the object does not end"
)]
#[case::word(
    "{\"_key\":587,\"groupID\":\"x\"}\n",
    "line 1: not the JSON object that it has to be"
)]
#[case::no_group("{\"_key\":587}\n", "line 1: type 587 has no groupID")]
fn a_bad_line_of_the_export_is_refused(#[case] types: &str, #[case] expected: &str) {
    let text = refusal(in_folder(&[("types.jsonl", types.into())]));
    assert!(text.contains(expected), "{text}");
}

#[test]
fn nothing_is_refused_with_its_origin() {
    let text = refusal(in_folder(&[("b.csv", GROUPS.into())]));
    assert!(text.contains("neither types nor systems"), "{text}");
    assert!(read_files(&[Path::new("/nowhere.csv").to_owned()]).is_err());
}
