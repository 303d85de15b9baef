//! Does a script run its lines in the promised order, tell how each went, and stop where it should?
//! Deliberately elsewhere: the order itself (unit tests of `cli::script`).

use serde_json::Value;

use super::bench::{Bench, on_each_engine};
use crate::support::command::Finished;

fn script(bench: &Bench, flags: &[&str], lines: &str) -> (Finished, Vec<Value>) {
    let file = bench.store().root().join("script");
    std::fs::write(&file, lines).unwrap();
    let ended = bench.run(&[&["script"], flags, &[file.to_str().unwrap()]].concat());
    let mut rows: Vec<Value> = ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    rows.sort_by_key(|row| row["line"].as_u64());
    (ended, rows)
}

#[test]
fn lines_on_one_container_keep_their_order_with_many_jobs() {
    on_each_engine(|bench| {
        let names: Vec<String> = (0..6).map(|number| bench.name(&format!("s{number}"))).collect();
        let mut lines = String::new();
        for name in &names {
            lines += &format!("create --network none --name {name} {} sleep 60 # a remark\n", bench.image);
        }
        for name in &names {
            lines += &format!("start {name}\nexec {name} echo 'in {name}'\n");
        }
        lines += "\nbarrier\n";
        lines += &format!("rm -f {}\n", names.join(" "));
        let (ended, rows) = script(bench, &["--jobs", "4"], &lines);
        assert_eq!(ended.code(), 0, "{ended}");
        assert_eq!(rows.len(), 20, "{ended}");
        assert!(rows.iter().all(|row| row["outcome"] == "done" && row["v"] == 1), "{ended}");
        assert_eq!(rows[7]["output"][0], format!("in {}", names[0]));
        assert_eq!((&rows[7]["verb"], &rows[7]["targets"][0]), (&Value::from("exec"), &Value::from(names[0].as_str())));
    });
}

#[test]
fn the_first_failure_stops_new_lines_unless_told_to_keep_going() {
    on_each_engine(|bench| {
        let name = bench.name("late");
        let lines = format!("start {name}\ncreate --network none --name {name} {} true\n", bench.image);
        let (ended, rows) = script(bench, &[], &lines);
        assert_eq!((ended.code(), rows.len()), (1, 1), "{ended}");
        assert_eq!(rows[0]["error"]["kind"], "no_such_container");
        assert_eq!(rows[0]["exit_code"], 1);
        let (ended, rows) = script(bench, &["--keep-going"], &lines);
        assert_eq!((ended.code(), rows.len()), (1, 2), "{ended}");
        assert_eq!(rows[1]["outcome"], "done");
    });
}
